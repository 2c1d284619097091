"""Fields of objects as kubectl prints them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.model import objects
from hzlink.model.objects import RESOURCES, Ref
from hzlink.model.topology import labels
from hzlink.plan import manifests
from tests.unit.builders import item, status_conditions


def test_versioned_resource_has_the_version_of_the_manifests() -> None:
    seen = set()
    for path in manifests.folder().glob("c*/*.yaml"):
        for one in manifests.parse(path.read_text(encoding="utf-8")):
            if (resource := RESOURCES.get(one.get("kind", ""))) is not None:
                plural, _, group = resource.partition(".")
                version = one["apiVersion"].rpartition("/")[2]
                assert objects.versioned(resource) == (f"{plural}.{version}.{group}" if group else plural)
                seen.add(one["kind"])
    assert seen > {"Site", "StatefulSet", "PodDisruptionBudget", "Service"}


@pytest.mark.parametrize(
    ("kind", "version", "ref"),
    [
        ("Site", "skupper.io/v2alpha1", "sites.skupper.io/x"),
        ("Pod", "v1", "pods/x"),
        ("StatefulSet", "apps/v1", "statefulsets.apps/x"),
        ("Ingress", "networking.k8s.io/v1", "Ingress.v1.networking.k8s.io/x"),
        ("Widget", "v1", "Widget/x"),
    ],
)
def test_reference_is_written_as_kubectl_takes_it(kind: str, version: str, ref: str) -> None:
    assert str(objects.ref(item(kind, "x", apiVersion=version))) == ref


def test_references_are_hashable_and_sortable() -> None:
    assert sorted({Ref("b", "1"), Ref("a", "2"), Ref("a", "2")}) == [Ref("a", "2"), Ref("b", "1")]


@pytest.mark.parametrize(
    ("marks", "ours"),
    [
        (labels("hazelcast"), True),
        (labels("other"), False),
        ({"app.kubernetes.io/managed-by": "hzlink"}, False),
        ({"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/part-of": "hazelcast"}, False),
        ({}, False),
    ],
)
def test_object_is_ours_only_with_both_labels(marks: dict[str, str], ours: bool) -> None:
    assert objects.is_ours(item("Site", "x", labels=marks), "hazelcast") is ours


def test_owner_references() -> None:
    owned = item("Secret", "x", owner=item("Site", "s", uid="uid-1"))
    assert objects.is_owned_by(owned, "uid-1")
    assert not objects.is_owned_by(owned, "uid-2")
    assert objects.owner_uids(owned, "Site") == {"uid-1"}
    assert objects.owner_uids(owned, "Pod") == objects.owner_uids(item("Secret", "x"), "Site") == set()
    assert not objects.is_owned_by(item("Secret", "x"), "")
    assert not objects.is_owned_by({"metadata": {"ownerReferences": [{"kind": "Site"}]}}, "")


def test_conditions_by_type() -> None:
    site = item("Site", "x", status={"conditions": status_conditions(Ready=True, Running=False)})
    assert objects.holds(site, "Ready")
    assert not objects.holds(site, "Running")
    assert not objects.holds(site, "Resolved")
    assert objects.condition(site, "Resolved") == {}


@pytest.mark.parametrize(
    ("text", "year"),
    [("2026-01-01T10:00:00Z", 2026), ("2026-01-01T10:00:00.123456Z", 2026), (None, None), ("soon", None), ("", None)],
)
def test_timestamps(text: Any, year: int | None) -> None:
    moment = objects.moment(text)
    assert (moment.year if moment else None) == year
    assert moment is None or moment.tzinfo is not None


@given(st.sampled_from([{}, {"metadata": None}, {"status": None}, {"spec": None, "metadata": {"labels": None}}]))
def test_missing_fields_have_empty_values(bare: dict[str, Any]) -> None:
    assert (objects.name(bare), objects.uid(bare), objects.created(bare)) == ("", "", None)
    assert (dict(objects.labels(bare)), dict(objects.spec(bare)), dict(objects.status(bare))) == ({}, {}, {})
    assert not objects.is_being_deleted(bare)
    assert not objects.holds(bare, "Ready")
