"""Conflicts of server-side apply, read from the API server's message."""

from __future__ import annotations

import pytest

from hzlink.programs import conflicts, refusals
from hzlink.programs.conflicts import Conflict
from tests.unit.builders import CORE

ADVICE = (
    "Please review the fields above--they currently have other managers. Here\nare the ways you can resolve this "
    "warning:\n* If you intend to manage all of these fields, please re-run the apply\n  command with the "
    "`--force-conflicts` flag.\nSee https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts\n"
)
ONE = f'error: Apply failed with 1 conflict: conflict with "kubectl-patch" using v1: .data.k\n{ADVICE}'
SEVERAL = (
    'error: Apply failed with 3 conflicts: conflicts with "kubectl" with subresource "scale" using apps/v1:\n'
    '- .spec.replicas\nconflicts with "Mozilla" using apps/v1 at 2026-01-01T10:00:00Z:\n'
    '- .spec.template.spec.containers[name="hazelcast"].image\n- .spec.template.metadata.annotations.a:b\n' + ADVICE
)
AUTOSCALER = (
    'Apply failed with 1 conflict: conflict with "kube-controller-manager" with subresource "scale": .spec.replicas'
)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (ONE, [Conflict(".data.k", "kubectl-patch")]),
        (
            SEVERAL,
            [
                Conflict(".spec.replicas", "kubectl", "scale"),
                Conflict('.spec.template.spec.containers[name="hazelcast"].image', "Mozilla"),
                Conflict(".spec.template.metadata.annotations.a:b", "Mozilla"),
            ],
        ),
        (ONE + SEVERAL, [".data.k", ".spec.replicas", 2]),
        (AUTOSCALER, [Conflict(".spec.replicas", "kube-controller-manager", "scale")]),
        ("error: something else:\n- .spec.replicas", []),
        ("", []),
    ],
)
def test_fields_and_managers_are_read(said: str, found: list[object]) -> None:
    parsed = conflicts.parse(said)
    if 2 in found:
        assert [one.path for one in parsed][:2] == found[:2]
        assert len(parsed) == 4
    else:
        assert list(parsed) == found


def test_message_names_fields_and_their_managers() -> None:
    parsed = conflicts.parse(SEVERAL)
    assert conflicts.describe(parsed[:1], "StatefulSet hazelcast") == (
        "field .spec.replicas of StatefulSet hazelcast is managed by kubectl (subresource scale)"
    )
    assert conflicts.describe(parsed, "StatefulSet hazelcast").endswith(" are managed by Mozilla")
    assert "autoscaler" in conflicts.describe(conflicts.parse(AUTOSCALER), "StatefulSet hazelcast")


def test_error_contains_every_conflict_without_kubectls_advice() -> None:
    error = refusals.explain(CORE, "apply objects", ONE + SEVERAL)
    assert len(error.conflicts) == 4
    assert "Please review" not in (error.said or "")
    assert "--force-conflicts" not in (error.said or "")
    assert ".spec.replicas" in (error.said or "")
