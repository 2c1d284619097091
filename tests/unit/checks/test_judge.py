"""The finding of each check for given facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.checks import controller, tools
from hzlink.checks.judge import judge
from hzlink.checks.records import Facts, Finding, Outcome, Unknown, Versions
from hzlink.model.choices import LinkFrom, Mode, Via
from hzlink.model.errors import ExitStatus
from hzlink.model.versions import Version
from hzlink.observe.snapshot import Snapshot
from hzlink.programs.refusals import explain
from tests.unit import builders as make
from tests.unit.builders import CORE, EDGE, NOON, topology
from tests.unit.checking import answers, balancer, deployment, ended, facts, namespace, of_nothing, well, with_snapshot

CLUSTER_ROUTER = Unknown('deployments.apps "skupper-controller" is forbidden: User "ann"')


def only(of: Facts, outcome: str, place: tuple[str | None, str]) -> Finding:
    """The only finding that did not pass; asserts its outcome and its (site, check)."""
    rest = [finding for finding in judge(of) if finding.outcome is not Outcome.PASSED]
    [(found, finding)] = ended(of, outcome).items()
    assert (found, rest) == (place, [finding])
    return finding


@pytest.mark.parametrize("of", [facts(), of_nothing(), facts(topology=topology(mode=Mode.UNISOCKET))])
def test_working_topology_passes_all_checks(of: Facts) -> None:
    findings = judge(of)
    assert [finding for finding in findings if finding.outcome is not Outcome.PASSED] == []
    assert len({finding.check.id for finding in findings}) >= 14


# --- tools

SKEWS = [
    ("v1.37.2", "v1.37.0", None),
    ("v1.36.0", "v1.37.9", None),
    ("v1.38.0", "v1.37.9", None),
    ("v1.35.0", "v1.37.0", "warning"),
    ("v1.37.0", "v1.35.9-gke.100", "warning"),
    ("v2.37.0", "v1.37.0", "warning"),
    ("v1.37.0", "odd", "unknown"),
]


@pytest.mark.parametrize(("mine", "server", "ends"), SKEWS)
def test_version_skew_of_kubectl_and_server(mine: str, server: str, ends: str | None) -> None:
    of = facts(edge={"versions": Versions(mine, server)}, core={"versions": Versions(mine, "v" + mine[1:])})
    found = ended(of, ends) if ends else {}
    assert (("edge", "kubectl-skew") in found) is bool(ends)
    assert (("edge", "kubectl-skew") in ended(of, "passed")) is not bool(ends)


@given(st.integers(30, 99), st.integers(25, 99))
def test_one_minor_version_apart_is_supported(mine: int, server: int) -> None:
    told = answers(versions=Versions(f"v1.{mine}.0", f"v1.{server}.3"))
    [skew, _] = tools.at_site(EDGE, Snapshot(EDGE), told, None)
    assert (skew.outcome is Outcome.PASSED) is (abs(mine - server) <= 1)
    assert not skew.is_fatal


def test_old_kubectl_and_servers_are_warnings() -> None:
    old = Versions("v1.24.1", "v1.24.0")
    of = facts(core={"versions": old}, edge={"versions": old})
    assert ended(of, "warning").keys() == {
        (None, "kubectl-version"),
        ("core", "server-version"),
        ("edge", "server-version"),
    }


def test_unknown_versions_are_a_warning() -> None:
    found = only(facts(edge={"versions": Unknown("no answer within 10 s")}), "unknown", ("edge", "kubectl-skew"))
    assert found.said == "no answer within 10 s"
    assert found.is_warning


@pytest.mark.parametrize(
    ("via", "cli", "ends"),
    [
        ("auto", None, None),
        ("kubectl", None, None),
        ("kubectl", "1.0.0", None),
        ("skupper", "2.2.0", None),
        ("skupper", None, ("failed", None, "skupper-cli")),
        ("auto", "2.1.0", ("warning", "core", "skupper-cli-skew")),
        ("auto", "latest", ("unknown", None, "skupper-cli-skew")),
        ("auto", Unknown("did not end"), ("unknown", None, "skupper-cli-skew")),
    ],
)
def test_version_of_the_skupper_cli(via: str, cli: Any, ends: tuple[str, str | None, str] | None) -> None:
    of = facts(topology=topology(via=Via(via)), skupper_cli=cli)
    if ends is None:
        assert [finding for finding in judge(of) if finding.outcome is not Outcome.PASSED] == []
    else:
        assert ends[1:] in ended(of, ends[0])


# --- Skupper


def test_missing_skupper_definitions_fail() -> None:
    error = explain(EDGE, "read objects", 'error: the server doesn\'t have a resource type "sites"')
    of = with_snapshot(of_nothing(edge={"controller": None}), EDGE, Snapshot(EDGE, error=error))
    found = only(of, "failed", ("edge", "skupper-definitions"))
    assert "kubectl --context edge-ctx apply -f" in str(found.next_step)


def test_missing_controller_is_fatal() -> None:
    found = only(of_nothing(edge={"controller": None}), "failed", ("edge", "skupper-controller"))
    assert found.is_fatal
    assert "--skip-check" in str(found.next_step)


def test_unreadable_controller_is_unknown() -> None:
    found = only(of_nothing(edge={"controller": CLUSTER_ROUTER}), "unknown", ("edge", "skupper-controller"))
    assert found.said == CLUSTER_ROUTER.said


def test_controller_named_in_the_sites_status_counts() -> None:
    world = well()
    of = {"namespace": "elsewhere", "name": "skupper-controller", "version": "2.2.1"}
    world.find(EDGE, "Site")["status"]["controller"] = of
    for found_controller in (None, CLUSTER_ROUTER):
        found = ended(facts(world, edge={"controller": found_controller}), "passed")["edge", "skupper-controller"]
        assert "elsewhere/skupper-controller" in found.text


def test_controller_in_the_sites_namespace_counts() -> None:
    world = well()
    world.live[EDGE] = [deployment("controller:2.2.0")]
    passed = ended(facts(world, edge={"controller": None}), "passed")
    assert ("edge", "skupper-controller") in passed
    assert "Skupper 2.2.0" in passed["edge", "skupper-version"].text


def test_controller_that_is_not_ready_is_a_warning() -> None:
    of = facts(edge={"controller": deployment(ready=0)})
    found = only(of, "warning", ("edge", "skupper-controller-runs"))
    assert "0/1" in str(found.said)
    assert "-n skupper describe deployment" in str(found.next_step)


@pytest.mark.parametrize(
    ("image", "ends", "says"),
    [
        ("c:2.2.1", "passed", "issue 2251"),
        ("c:2.2.1", "passed", "sleeping links"),
        ("c:2.3.0", "passed", "newer than 2.2.1"),
        ("c:2.1.3", "warning", "issue 2058"),
        ("c:1.9.0", "warning", "issue 2058"),
        ("c:latest", None, ""),
    ],
)
def test_known_bugs_depend_on_the_controllers_version(image: str, ends: str | None, says: str) -> None:
    of = facts(edge={"controller": deployment(image)}, skupper_cli=None)
    findings = [finding for finding in judge(of) if finding.check.id == "skupper-version" and finding.site is EDGE]
    assert [finding.word for finding in findings] == ([ends] if ends else [])
    assert all(says in f"{finding.text} {finding.said}" for finding in findings)


@given(st.builds(Version, st.integers(0, 3), st.integers(0, 9), st.integers(0, 9)))
def test_fixed_bug_is_not_listed_for_later_versions(version: Version) -> None:
    listed = {bug.name for bug in controller.bugs(version)}
    assert ("issue 2058" in listed) is (version < Version(2, 2))
    assert {"issue 2251", "issue 2428", "issue 2069"} <= listed


# --- reach

SAID = {
    "unreachable": "Unable to connect to the server: dial tcp: connection refused",
    "unauthorized": "error: You must be logged in to the server (Unauthorized)",
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_unreachable_site_has_one_finding(said: str) -> None:
    error = explain(EDGE, "read objects", said)
    found = only(with_snapshot(facts(), EDGE, Snapshot(EDGE, error=error)), "failed", ("edge", "api"))
    assert found.said == said
    assert [
        finding.check.id
        for finding in judge(with_snapshot(facts(), EDGE, Snapshot(EDGE, error=error)))
        if finding.site is EDGE
    ] == ["api"]


def test_missing_namespace_fails() -> None:
    error = explain(EDGE, "read objects", 'namespaces "hz" not found')
    of = with_snapshot(of_nothing(edge={"namespace": None}), EDGE, Snapshot(EDGE, error=error))
    found = only(of, "failed", ("edge", "namespace"))
    assert "create namespace hz" in str(found.next_step)


def test_missing_namespace_that_up_creates_passes() -> None:
    nothing: dict[str, Any] = {"resourceRules": []}
    of = of_nothing(edge={"namespace": None, "review": nothing}, missing=frozenset({EDGE}))
    assert [finding for finding in judge(of) if finding.outcome is not Outcome.PASSED] == []
    assert ended(of, "passed")["edge", "namespace"].text == "namespace hz will be created"


@pytest.mark.parametrize(("level", "ends"), [("restricted", "failed"), ("baseline", None), ("privileged", None)])
def test_pod_security_level_restricted_fails(level: str, ends: str | None) -> None:
    of = of_nothing(edge={"namespace": namespace("x", **{"pod-security.kubernetes.io/enforce": level})})
    if ends:
        found = only(of, ends, ("edge", "pod-security"))
        assert found.is_fatal
        assert "enforce=baseline --overwrite" in str(found.next_step)
    else:
        assert level in ended(of, "passed")["edge", "pod-security"].text


def test_pod_security_passes_where_the_router_runs_already() -> None:
    of = facts(edge={"namespace": namespace("x", **{"pod-security.kubernetes.io/enforce": "restricted"})})
    assert ("edge", "pod-security") in ended(of, "passed")


def test_unreadable_pod_security_is_unknown() -> None:
    only(facts(edge={"namespace": Unknown("forbidden")}), "unknown", ("edge", "pod-security"))


# --- rights

SOME = {"resourceRules": [{"verbs": ["list", "patch"], "apiGroups": ["apps", ""], "resources": ["*"]}]}


def test_a_missing_right_is_named() -> None:
    found = only(facts(core={"review": SOME}), "failed", ("core", "rights"))
    assert found.text == "you may not, in namespace hz: create statefulsets.apps"
    assert "manifests/rbac/cluster" in str(found.next_step)
    assert found.error.status is ExitStatus.PREREQUISITE


def test_missing_rights_are_grouped_by_resource() -> None:
    nothing: dict[str, Any] = {"resourceRules": []}
    found = only(facts(edge={"review": nothing}), "failed", ("edge", "rights"))
    assert found.text.endswith("create, patch statefulsets.apps; list pods")


def test_incomplete_review_of_rights_is_unknown() -> None:
    review = {**SOME, "incomplete": True, "evaluationError": "webhook authorizer does not support user rules"}
    found = only(facts(core={"review": review}), "unknown", ("core", "rights"))
    assert found.said == "webhook authorizer does not support user rules"


def test_unanswered_review_of_rights_is_unknown() -> None:
    only(facts(core={"review": Unknown("no answer within 10 s")}), "unknown", ("core", "rights"))


# --- names


@pytest.mark.parametrize("name", ["hazelcast", "hazelcast-0", "hazelcast-2"])
def test_foreign_service_with_a_needed_name_fails(name: str) -> None:
    world = well()
    world.live[EDGE] = [make.service(name)]
    found = only(facts(world), "failed", ("edge", "service-names"))
    assert found.text.endswith(f": {name}")


@pytest.mark.parametrize(
    "service",
    [
        make.service("hazelcast-3"),
        make.service("hazelcast-0", labels={"internal.skupper.io/listener": "hazelcast"}),
        make.service("hazelcast-0", owner=make.skupper_site("edge")),
        make.service("hazelcast", ours=True),
        make.service("other"),
    ],
    ids=["not a member's name", "labelled", "owned", "ours", "another name"],
)
def test_service_without_a_conflict_passes(service: dict[str, Any]) -> None:
    world = well()
    world.live[EDGE] = [service]
    assert ("edge", "service-names") in ended(facts(world), "passed")


def test_site_of_another_topology_is_shared() -> None:
    world = well()
    world.put(EDGE, make.skupper_site("edge", labels={"app.kubernetes.io/part-of": "other"}))
    found = ended(facts(world), "passed")[("edge", "foreign-site")]
    assert found.text == "Skupper Site edge is shared with topology other"


def test_a_site_of_others_is_used_as_it_is() -> None:
    world = well()
    core = world.find(CORE, "Site")
    core["metadata"]["labels"] = {}
    found = ended(facts(world), "passed")[("core", "foreign-site")]
    assert "hzlink did not make Skupper Site core" in found.text


def test_sites_of_others_without_link_access() -> None:
    world = well()
    for site in (CORE, EDGE):
        world.put(site, make.skupper_site(site.name, ours=False))
    world.drop(EDGE, "Link")
    found = only(facts(world), "failed", ("core", "foreign-site"))
    assert found.error.subject == "Site core"
    assert "patch sites.skupper.io core" in str(found.next_step)


@pytest.mark.parametrize("readable", [True, False])
def test_one_namespace_in_two_contexts_fails(readable: bool) -> None:
    same_object = make.item("ConfigMap", "kube-root-ca.crt", uid="one")
    world = well()
    world.live = {CORE: [same_object], EDGE: [same_object]}
    there = namespace("same") if readable else Unknown("forbidden")
    found = ended(facts(world, core={"namespace": there}, edge={"namespace": there}), "failed")
    assert found.keys() == {(None, "separate-sites")}
    assert "core-ctx/hz and edge-ctx/hz" in found[None, "separate-sites"].text


def test_unreadable_namespace_leaves_separate_sites_unknown() -> None:
    of = of_nothing(edge={"namespace": Unknown("forbidden")})
    assert (None, "separate-sites") in ended(of, "unknown")


# --- access


def _access(ends: str, site: str = "core", *, link_from: str = "auto", **changes: Any) -> str:
    world = well(topology(link_from=LinkFrom(link_from)))
    world.live = {one: changes.pop(f"{one.name}_live", []) for one in world.topology.sites}
    return ended(facts(world, **changes), ends)[site, "link-access"].text


NONE: dict[str, Any] = {"grant_server": None}
PENDING: dict[str, Any] = {"grant_server": balancer("")}


def test_existing_address_of_the_site_passes() -> None:
    assert "203.0.113.7" in _access("passed", core_live=[make.skupper_site("core", host="203.0.113.7")], core=NONE)


def test_address_of_another_load_balancer_passes() -> None:
    assert "203.0.113.9" in _access("passed")
    assert "web got address 203.0.113.1" in _access("passed", core_live=[balancer("203.0.113.1", "web")], core=NONE)
    assert "203.0.113.9" in _access("passed", "edge", core=PENDING)
    assert "203.0.113.9" in _access("passed", "edge", link_from="client")


def test_openshift_routes_pass() -> None:
    assert "routes" in _access("passed", core={**NONE, "routes": True})


def test_pending_load_balancers_are_a_warning() -> None:
    assert "core or edge" in _access("warning", core=PENDING, edge=PENDING)
    assert "at core" in _access("warning", core=PENDING, link_from="cluster")


@pytest.mark.parametrize(("seconds", "ends"), [(5, "unknown"), (119, "unknown"), (121, "warning")])
def test_pending_service_is_a_warning_only_after_two_minutes(seconds: int, ends: str) -> None:
    """A successful `up` right after Skupper's installation shows no warning."""
    world = well()
    world.live = {site: [] for site in world.topology.sites}
    made = facts(world, core=PENDING, edge=PENDING)
    now = datetime.fromisoformat(NOON) + timedelta(seconds=seconds)
    snapshots = {site: replace(one, at=now) for site, one in made.snapshots.items()}
    assert "grant-server waits" in str(ended(replace(made, snapshots=snapshots), ends)["core", "link-access"].said)


def test_no_load_balancer_is_unknown() -> None:
    assert "not known" in _access("unknown", core=NONE, edge=NONE)
    assert "not known" in _access("unknown", "edge", core=PENDING, edge={"grant_server": CLUSTER_ROUTER})
