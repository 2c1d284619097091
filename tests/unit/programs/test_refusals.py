"""Classification of kubectl's error messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.model.errors import ExitStatus
from hzlink.programs import refusals
from hzlink.programs.refusals import Refusal
from tests.unit.builders import CORE

GROUP_LIST = (
    'E0101 10:00:00.000000   1234 memcache.go:265] "Unhandled Error" err="couldn\'t get current server API group list: '
    'Get \\"https://127.0.0.1:1/api?timeout=18s\\": dial tcp 127.0.0.1:1: connect: connection refused"\n'
)
SAID: list[tuple[str, Refusal]] = [
    (GROUP_LIST * 3 + "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?",
     Refusal.UNREACHABLE),
    ("Unable to connect to the server: dial tcp: lookup core.example: no such host", Refusal.UNREACHABLE),
    ("Unable to connect to the server: net/http: TLS handshake timeout", Refusal.UNREACHABLE),
    ("Unable to connect to the server: EOF", Refusal.UNREACHABLE),
    ("Unable to connect to the server: context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
     Refusal.UNREACHABLE),
    ("Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown "
     "authority", Refusal.UNREACHABLE),
    ("error: couldn't get available api versions from server: Get \"https://10.0.0.1:6443/api\": dial tcp "
     "10.0.0.1:6443: i/o timeout", Refusal.UNREACHABLE),
    ("Error from server (ServiceUnavailable): the server is currently unable to handle the request",
     Refusal.UNREACHABLE),
    ("Error from server (Timeout): the server was unable to return a response in the time allotted, but may still be "
     "processing the request (get sites.skupper.io)", Refusal.UNREACHABLE),
    ("no answer within 15 s (context deadline exceeded)", Refusal.UNREACHABLE),
    ("error: You must be logged in to the server (Unauthorized)", Refusal.UNAUTHORIZED),
    ("error: You must be logged in to the server (the server has asked for the client to provide credentials)",
     Refusal.UNAUTHORIZED),
    ("Unable to connect to the server: getting credentials: exec: executable aws not found\n\nIt looks like you are "
     "trying to use a client-go credential plugin that is not installed.", Refusal.UNAUTHORIZED),
    ("Unable to connect to the server: getting credentials: exec: executable gke-gcloud-auth-plugin failed with exit "
     "code 1", Refusal.UNAUTHORIZED),
    ('Error from server (Forbidden): sites.skupper.io is forbidden: User "me" cannot list resource "sites" in API '
     'group "skupper.io" in the namespace "hz"', Refusal.FORBIDDEN),
    ("error: the server doesn't have a resource type \"sites\"", Refusal.NO_DEFINITIONS),
    ('error: resource mapping not found for name: "core" namespace: "" from "STDIN": no matches for kind "Site" in '
     'version "skupper.io/v2alpha1"\nensure CRDs are installed first', Refusal.NO_DEFINITIONS),
    ('Error from server (NotFound): namespaces "hz" not found', Refusal.NO_NAMESPACE),
    ('Error from server (NotFound): error when creating "STDIN": namespaces "hz" not found', Refusal.NO_NAMESPACE),
    ('Error from server (NotFound): links.skupper.io "hazelcast-core" not found', Refusal.NOT_FOUND),
    ('Error from server (AlreadyExists): error when creating "STDIN": accesstokens.skupper.io "x" already exists',
     Refusal.EXISTS),
    ('error: Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas', Refusal.CONFLICT),
    ('error: Apply failed with 2 conflicts: conflicts with "helm" using apps/v1:\n- .spec.replicas\nPlease review the '
     "fields above", Refusal.CONFLICT),
    ('Error from server (Conflict): error when replacing "STDIN": Operation cannot be fulfilled on '
     'leases.coordination.k8s.io "x": the object has been modified', Refusal.CHANGED),
    # Forbidden is not always a missing right.
    ('Error from server (Forbidden): error when creating "STDIN": sites.skupper.io "core" is forbidden: unable to '
     "create new content in namespace hz because it is being terminated", Refusal.TERMINATING),
    ('Error from server (Forbidden): error when creating "STDIN": configmaps "x" is forbidden: exceeded quota: few',
     Refusal.QUOTA),
    ("Error from server: failed to create typed patch object (hz/hazelcast; skupper.io/v2alpha1, Kind=Listener): "
     ".spec.exposePodsByName: field not declared in schema", Refusal.OLD_DEFINITIONS),
    ("Error from server: failed to create typed patch object (hz/hazelcast; apps/v1, Kind=StatefulSet): .spec.replica: "
     "field not declared in schema", Refusal.OTHER),
    ('error: context "nope" does not exist', Refusal.OTHER),
    ("The Site \"core\" is invalid: spec.linkAccess: Invalid value", Refusal.OTHER),
    ("", Refusal.OTHER),
]  # fmt: skip


@pytest.mark.parametrize(("said", "refusal"), SAID, ids=[f"{entry[1]} {entry[0][-40:]}" for entry in SAID])
def test_message_is_classified(said: str, refusal: Refusal) -> None:
    assert refusals.classify(said) is refusal


MISSING = {
    Refusal.UNREACHABLE: "Unable to connect to the server: EOF",
    Refusal.UNAUTHORIZED: "error: You must be logged in to the server (Unauthorized)",
    Refusal.FORBIDDEN: 'Error from server (Forbidden): pods is forbidden: User "me" cannot list',
    Refusal.NO_DEFINITIONS: 'error: the server doesn\'t have a resource type "sites"',
    Refusal.OLD_DEFINITIONS: "(hz/x; skupper.io/v2alpha1, Kind=Listener): .spec.y: field not declared in schema",
    Refusal.NO_NAMESPACE: 'namespaces "hz" not found',
}


@pytest.mark.parametrize("refusal", MISSING)
def test_missing_prerequisite_is_exit_3_with_a_next_command(refusal: Refusal) -> None:
    error = refusals.explain(CORE, "list objects", MISSING[refusal])
    assert (error.refusal, error.status, error.site) == (refusal, ExitStatus.PREREQUISITE, "core")
    assert "core-ctx" in error.message
    assert (error.next_step or "").startswith("kubectl --context core-ctx ")
    assert error.said == MISSING[refusal]


def test_each_refusal_has_its_own_message() -> None:
    assert len({refusals.explain(CORE, "list objects", said).message for said in MISSING.values()}) == len(MISSING)


@pytest.mark.parametrize("said", [said for said, refusal in SAID if refusal not in MISSING])
def test_other_message_is_exit_1_and_is_quoted(said: str) -> None:
    error = refusals.explain(CORE, "apply objects", said)
    assert error.status is ExitStatus.FAILED
    assert said.strip().startswith((error.said or "")[:20])


def test_a_conflict_names_the_other_manager() -> None:
    said = 'error: Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas'
    error = refusals.explain(CORE, "apply objects", said)
    assert '"kubectl"' in (error.said or "")


def test_gist_omits_noise_and_repeated_lines() -> None:
    said = GROUP_LIST * 2 + "Warning: deprecated\n\n  The connection was refused \nThe connection was refused\n"
    assert refusals.gist(said) == "The connection was refused"


def test_gist_of_noise_alone_is_the_noise() -> None:
    assert refusals.gist(GROUP_LIST).startswith("E0101")


@given(st.text())
def test_any_message_is_explained(said: str) -> None:
    error = refusals.explain(CORE, "list objects", said)
    assert error.message
    assert len(error.said or "") <= 1500
