"""The report: the blamed hop, warnings, and when a topology is healthy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hzlink.model.choices import Mode
from hzlink.model.conditions import State
from hzlink.model.errors import PrerequisiteError
from hzlink.programs.refusals import explain
from hzlink.report import document
from tests.unit.builders import (
    CORE,
    EDGE,
    NOON,
    WEST,
    World,
    converged,
    deployment,
    link,
    offer,
    pod,
    report_of,
    service,
    skupper_site,
    topology,
)


def blamed_hop(world: World) -> tuple[str, str, str] | None:
    """The blamed hop: its name, site and condition."""
    blame = report_of(world).blame
    return None if blame is None else (blame.name, blame.site.name, blame.condition.text)


def test_converged_topology_is_healthy() -> None:
    for topo in (topology(), topology(EDGE, WEST), topology(members=1)):
        found = report_of(converged(topo))
        assert found.healthy
        assert found.warnings == ()
        assert [member.ready for member in found.members] == [True] * topo.settings.members
        assert len(found.links) == len(topo.clients)


Change = Callable[[World], None]


def _stuck(world: World) -> None:
    world.put(CORE, pod("hazelcast-1", ready=False, waiting="ErrImagePull", message="no such image"))


# In order of cause: of two broken hops the one listed earlier is blamed.
BREAKS: list[tuple[str, Change, tuple[str, str, str]]] = [
    ("no Site at core", lambda w: w.drop(CORE, "Site"), ("Site", "core", "the namespace has no Skupper Site")),
    (
        "Site of edge pending",
        lambda w: w.put(EDGE, skupper_site("edge", "Pending", "waits")),
        ("Site", "edge", "waits"),
    ),
    (
        "a member stuck",
        _stuck,
        ("members", "core", "2/3 ready; hazelcast-1: ErrImagePull: no such image"),
    ),
    ("no link", lambda w: w.drop(EDGE, "Link"), ("Link", "edge", "not linked")),
    (
        "a name missing",
        lambda w: w.drop(EDGE, "Service", "hazelcast-2"),
        ("Listener", "edge", "no Service for hazelcast-2"),
    ),
    (
        "Management Center not ready",
        lambda w: w.put(EDGE, deployment(ready=0)),
        ("Management Center", "edge", "0/1 ready"),
    ),
]


@pytest.mark.parametrize(("what", "change", "hop"), BREAKS, ids=[entry[0] for entry in BREAKS])
def test_broken_hop_is_blamed(what: str, change: Change, hop: tuple[str, str, str]) -> None:
    world = converged()
    change(world)
    assert blamed_hop(world) == hop
    blame = report_of(world).blame
    assert blame is not None
    assert blame.next_step


@pytest.mark.parametrize("upper", range(len(BREAKS) - 1))
def test_cause_is_blamed_when_two_hops_are_broken(upper: int) -> None:
    world = converged()
    for _, change, _ in (BREAKS[upper + 1], BREAKS[upper]):
        change(world)
    assert blamed_hop(world) == BREAKS[upper][2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.drop(CORE, "Pod", "hazelcast-0"), "2/3 ready; hazelcast-0: no pod"),
        (lambda w: w.put(CORE, pod("hazelcast-0", ready=False)), "2/3 ready; hazelcast-0: starting"),
        (lambda w: w.put(CORE, pod("hazelcast-0", going=True)), "2/3 ready; hazelcast-0: is being deleted"),
        (lambda w: w.put(CORE, pod("hazelcast-3", ready=False)), "3/4 ready; hazelcast-3: starting"),
    ],
)
def test_members_that_are_not_ready_are_named(change: Change, said: str) -> None:
    world = converged()
    change(world)
    hop = blamed_hop(world)
    assert hop is not None
    assert hop[:2] == ("members", "core")
    assert hop[2].startswith(said)


def test_number_of_members_comes_from_the_cluster() -> None:
    found = report_of(World(topology(members=5), converged(topology(members=2)).live))
    assert found.wanted_members == 2
    assert found.healthy


def test_lagging_listener_is_a_warning_while_names_exist() -> None:
    world = converged()
    world.put(EDGE, offer("Listener", False))
    found = report_of(world)
    assert found.healthy
    [warning] = found.warnings
    assert "edge" in warning
    assert "No matching listeners" in warning


def test_lagging_connector_is_a_warning() -> None:
    world = converged()
    world.put(CORE, offer("Connector", False))
    [warning] = report_of(world).warnings
    assert warning.startswith("core: Skupper still says of the Connector: No matching connectors")


def test_broken_topology_has_no_warnings() -> None:
    world = converged()
    world.put(EDGE, offer("Listener", False))
    world.drop(EDGE, "Service", "hazelcast-2")
    assert report_of(world).warnings == ()


UNREADABLE = [
    ("Unable to connect to the server: dial tcp: i/o timeout", "API server", "unreachable"),
    ('error: the server doesn\'t have a resource type "sites"', "Skupper installation", "definitions missing"),
    ('Error from server (NotFound): namespaces "hz" not found', "namespace", "namespace missing"),
]


@pytest.mark.parametrize(("said", "hop", "state"), UNREADABLE)
def test_unreadable_site_is_unknown_and_blamed(said: str, hop: str, state: str) -> None:
    found = report_of(converged(), {EDGE: explain(EDGE, "read its objects", said)})
    blame = found.blame
    assert blame is not None
    assert (blame.name, blame.site, blame.condition.state) == (hop, EDGE, State.UNKNOWN)
    assert said in blame.condition.text
    assert [site.site for site in found.unreadable] == [EDGE]
    assert found.sites[1].skupper.state is State.UNKNOWN
    assert document.to_dict(found)["sites"][1]["state"] == state


def test_without_kubectl_every_site_is_unknown() -> None:
    missing = PrerequisiteError("kubectl is not installed", next_step="install kubectl")
    found = report_of(converged(), {CORE: missing, EDGE: missing})
    assert len(found.unreadable) == 2
    assert found.blame is not None
    assert found.blame.next_step == "install kubectl"


@pytest.mark.parametrize("listener", [True, False])
def test_unisocket_is_healthy_with_one_matched_end(listener: bool) -> None:
    world = _unisocket(listener, not listener)
    found = report_of(world)
    assert found.mode is Mode.UNISOCKET
    assert found.healthy
    assert (found.sites[1].names, found.sites[1].mancenter) == (None, None)


def test_unisocket_is_unhealthy_without_a_matched_end_or_a_listener() -> None:
    assert blamed_hop(_unisocket(False, False)) == ("Listener", "edge", "No matching listeners")
    world = _unisocket(True, True)
    world.drop(EDGE, "Listener")
    assert blamed_hop(world) == ("Listener", "edge", "not found")


def _unisocket(listener: bool, connector: bool) -> World:
    world = converged()
    world.put(EDGE, offer("Listener", listener, by_name=False))
    world.put(CORE, offer("Connector", connector, by_name=False))
    world.drop(EDGE, "Deployment")
    return world


def test_link_in_the_other_direction_counts() -> None:
    world = converged()
    world.drop(EDGE, "Link")
    world.live[CORE].append(link("hazelcast-edge", to=world.find(EDGE, "Site")))
    found = report_of(world)
    assert found.healthy
    assert (found.links[0].name, found.links[0].issuer) == ("hazelcast-edge", EDGE)


def test_healthy_link_of_two_counts() -> None:
    """After `--link-from client` the previous Link still exists and is no longer Ready."""
    world = converged()
    world.put(EDGE, link("hazelcast-core", "Pending", "Not Operational", to=world.find(CORE, "Site")))
    world.live[CORE].append(link("hazelcast-edge", to=world.find(EDGE, "Site")))
    assert report_of(world).healthy


@pytest.mark.parametrize(
    ("spec", "status", "address"),
    [
        ({"type": "ClusterIP", "ports": [{"port": 8080}]}, {}, ""),
        ({"type": "NodePort", "ports": [{"port": 8080, "nodePort": 30080}]}, {}, "http://<node>:30080"),
        ({"type": "LoadBalancer", "ports": [{"port": 8080}]}, {}, ""),
        (
            {"type": "LoadBalancer", "ports": [{"port": 8080}]},
            {"loadBalancer": {"ingress": [{"ip": "203.0.113.5"}]}},
            "http://203.0.113.5:8080",
        ),
        (
            {"type": "LoadBalancer", "ports": [{"port": 8080}]},
            {"loadBalancer": {"ingress": [{"hostname": "lb.example"}]}},
            "http://lb.example:8080",
        ),
    ],
)
def test_address_of_management_center(spec: dict[str, Any], status: dict[str, Any], address: str) -> None:
    world = converged()
    world.put(EDGE, service("hazelcast-mancenter", spec=spec, status=status, ours=True))
    site = report_of(world).sites[1]
    assert site.mancenter_address == address
    center = document.to_dict(report_of(world))["sites"][1]["managementCenter"]
    assert (center["address"], center["forward"]) == (address or None, site.mancenter_command or None)
    command = "kubectl --context edge-ctx -n hz port-forward service/hazelcast-mancenter 8080:8080"
    assert site.mancenter_command == ("" if address else command)


def test_waiting_management_center_has_a_reason() -> None:
    world = converged()
    world.put(EDGE, deployment(ready=0))
    world.put(
        EDGE, pod("hazelcast-mancenter-1", "hazelcast-mancenter", ready=False, init={"running": {"startedAt": NOON}})
    )
    condition = report_of(world).sites[1].mancenter
    assert condition is not None
    assert condition.text == "waiting for the members' names"


def test_report_document() -> None:
    world = converged(topology(EDGE, WEST))
    world.drop(WEST, "Link")
    made = document.to_dict(report_of(world))
    assert set(made) == {
        *("topology", "mode", "healthy", "sites", "links", "members", "warnings", "firstBrokenHop", "observedAt"),
        *("paths", "findings"),
    }
    assert (made["healthy"], made["mode"]) == (False, "smart")
    core, edge, _ = made["sites"]
    assert (core["name"], core["role"], core["context"], core["namespace"]) == ("core", "cluster", "core-ctx", "hz")
    assert core["skupper"]["address"] == "203.0.113.7"
    assert core["connector"]["state"] == "ok"
    assert "managementCenter" not in core
    assert edge["names"] == ["hazelcast-0", "hazelcast-1", "hazelcast-2"]
    assert edge["managementCenter"]["state"] == "ok"
    assert made["links"][0] == {
        "client": "edge",
        "cluster": "core",
        "name": "hazelcast-core",
        "issuer": "core",
        "state": "ok",
        "message": "",
    }
    assert (made["links"][1]["issuer"], made["links"][1]["state"]) == (None, "absent")
    assert made["members"][0] == {"name": "hazelcast-0", "ready": True, "message": ""}
    assert made["firstBrokenHop"] == {
        "hop": "Link",
        "stage": "Link",
        "site": "west",
        "state": "broken",
        "message": "not linked",
        "object": None,
        "ageSeconds": None,
        "lags": False,
        "next": "hzlink link",
    }
    assert [(path["client"], path["firstBroken"]) for path in made["paths"]] == [("edge", None), ("west", 3)]


QUOTA = 'pods "skupper-router-1" is forbidden: failed quota: memory: must specify limits.memory for: router'


def without_routers(why: str) -> World:
    """The cluster site's router Deployment has no pod, for a reason of the API server's."""
    world = converged()
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": why}
    router = {"kind": "Deployment", "metadata": {"name": "skupper-router"}, "status": {"conditions": [failure]}}
    world.live[CORE].append(router)
    return world


@pytest.mark.parametrize(
    ("why", "next_step"),
    [
        (QUOTA, "kubectl --context core-ctx -n hz describe resourcequotas memory"),
        ("something else", "kubectl --context core-ctx -n hz describe deployment skupper-router"),
    ],
)
def test_a_router_that_cannot_be_created_says_why(why: str, next_step: str) -> None:
    blame = report_of(without_routers(why)).blame
    assert blame is not None
    assert blame.condition.text == f"the Site says Ready, but Deployment skupper-router has no pod: {why}"
    assert blame.next_step == next_step


def test_members_that_cannot_be_created_say_why() -> None:
    world = converged()
    world.live[CORE] = [one for one in world.live[CORE] if one["kind"] != "Pod"]
    for one in world.live[CORE]:
        if one["kind"] == "StatefulSet":
            one["status"] = {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": QUOTA}]}
    blame = report_of(world).blame
    assert blame is not None
    assert blame.condition.text == f"0/3 ready; hazelcast-0, hazelcast-1, hazelcast-2: no pod: {QUOTA}"
    assert (blame.next_step or "").endswith("describe resourcequotas memory")
    assert {part.next_step for part in blame.parts} == {blame.next_step}
