"""The steps for topologies in which something is missing or broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hzlink.model.choices import Mode
from hzlink.model.topology import Topology, labels
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import planner
from hzlink.plan.planner import Action, Step
from tests.unit.builders import (
    CORE,
    EDGE,
    LATE,
    NOON,
    WEST,
    World,
    converged,
    deployment,
    item,
    link,
    offer,
    pod,
    service,
    skupper_site,
    statefulset,
    topology,
)


def steps_of(world: World) -> list[Step]:
    return planner.make(world.topology, world.wanted, world.snapshots())


def keys(world: World) -> set[str]:
    return {step.key for step in steps_of(world)}


def nothing_there(topo: Topology) -> World:
    world = converged(topo)
    world.live = {site: [] for site in topo.sites}
    return world


@pytest.mark.parametrize(
    "topo",
    [topology(), topology(EDGE, WEST), topology(members=1), topology(name="hazelcast", members=7)],
    ids=["one client", "two clients", "one member", "seven members"],
)
def test_a_converged_topology_needs_nothing(topo: Topology) -> None:
    assert steps_of(converged(topo)) == []


def test_empty_namespaces_need_every_step_with_its_needs() -> None:
    steps = steps_of(nothing_there(topology(EDGE, WEST)))
    assert {step.key for step in steps} == {
        *("core/apply", "core/site", "core/members"),
        *("edge/apply", "edge/site", "edge/link", "edge/names", "edge/mancenter"),
        *("west/apply", "west/site", "west/link", "west/names", "west/mancenter"),
    }
    needs = {step.key: step.needs for step in steps}
    assert needs["core/apply"] == needs["edge/apply"] == frozenset()
    assert needs["core/members"] == {"core/apply"}
    assert needs["edge/link"] == {"core/site", "edge/site"}
    assert needs["edge/names"] == {"edge/link", "core/members", "edge/apply"}
    assert needs["edge/mancenter"] == {"edge/names"}
    assert needs["west/link"] == {"core/site", "west/site"}


def test_needed_steps_come_earlier() -> None:
    for world in (nothing_there(topology(EDGE, WEST)), converged()):
        seen: set[str] = set()
        for step in steps_of(world):
            assert step.needs <= seen
            seen.add(step.key)


def test_missing_namespace_is_created_first() -> None:
    topo = topology()
    world = nothing_there(topo)
    snapshots = world.snapshots() | {EDGE: Snapshot(EDGE)}
    steps = {step.key: step for step in planner.make(topo, world.wanted, snapshots, frozenset({EDGE}))}
    assert steps["edge/namespace"].needs == frozenset()
    assert steps["edge/apply"].needs == {"edge/namespace"}
    assert "core/namespace" not in steps


def test_objects_of_a_deleted_site_are_collected_before_a_new_site_is_applied() -> None:
    world = converged()
    world.drop(EDGE, "Site")
    steps = {step.key: step for step in steps_of(world)}
    collect = steps["edge/collect"]
    assert {ref.name for ref in collect.refs} == {"hazelcast-core", "hazelcast-0", "hazelcast-1", "hazelcast-2"}
    assert not collect.writes
    assert steps["edge/apply"].needs == {"edge/collect"}


def test_only_objects_with_drift_are_applied() -> None:
    world = converged()
    world.drop(EDGE, "Service", "hazelcast-mancenter")
    [step] = [step for step in steps_of(world) if step.action is Action.APPLY]
    assert [one["metadata"]["name"] for one in step.items] == ["hazelcast-mancenter"]
    assert step.why == "Service hazelcast-mancenter"


Change = Callable[[World], None]
CHANGES: dict[str, tuple[Change, set[str]]] = {
    "a member not ready": (
        lambda w: w.put(CORE, statefulset(3, ready=2)),
        {"core/members", "edge/names", "edge/mancenter"},
    ),
    "more members wanted": (
        lambda w: w.wanted[CORE][2]["spec"].update(replicas=4),
        {"core/apply", "core/site", "core/members", "edge/names", "edge/mancenter"},
    ),
    "no Connector": (lambda w: w.drop(CORE, "Connector"), {"core/apply", "core/site"}),
    # Its Link exists, and is Ready, until garbage collection.
    "the client's Site gone": (
        lambda w: w.drop(EDGE, "Site"),
        {"edge/collect", "edge/apply", "edge/site", "edge/link", "edge/names", "edge/mancenter"},
    ),
    "the client's Site recreated": (
        lambda w: w.put(EDGE, skupper_site("edge", uid="new")),
        {"edge/collect", "edge/link", "edge/names", "edge/mancenter"},
    ),
    "the client's Site pending": (lambda w: w.put(EDGE, skupper_site("edge", "Pending", "waits")), {"edge/site"}),
    "no link": (lambda w: w.drop(EDGE, "Link"), {"edge/link", "edge/names", "edge/mancenter"}),
    "link not ready": (
        lambda w: w.put(EDGE, link("hazelcast-core", "Pending", "Not Operational")),
        {"edge/link", "edge/names", "edge/mancenter"},
    ),
    "link not processed": (
        lambda w: w.put(EDGE, link("hazelcast-core", None)),
        {"edge/link", "edge/names", "edge/mancenter"},
    ),
    "a name missing": (lambda w: w.drop(EDGE, "Service", "hazelcast-1"), {"edge/names", "edge/mancenter"}),
    "a name being deleted": (
        lambda w: w.put(EDGE, service("hazelcast-1", going=True)),
        {"edge/names", "edge/mancenter"},
    ),
    "no Management Center": (
        lambda w: w.drop(EDGE, "Deployment"),
        {"edge/apply", "edge/site", "edge/names", "edge/mancenter"},
    ),
    "Management Center not ready": (lambda w: w.put(EDGE, deployment(ready=0)), {"edge/mancenter"}),
    "Management Center started before the names": (
        lambda w: w.put(EDGE, pod("hazelcast-mancenter-1", "hazelcast-mancenter", started="2026-01-01T09:59:59Z")),
        {"edge/mancenter"},
    ),
    "Management Center not started": (
        lambda w: w.put(EDGE, pod("hazelcast-mancenter-1", "hazelcast-mancenter", init={"running": {}})),
        set(),
    ),
    "names recreated since": (lambda w: w.put(EDGE, service("hazelcast-1", created=LATE)), {"edge/mancenter"}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_each_change_needs_exactly_its_steps(what: str) -> None:
    change, expected = CHANGES[what]
    world = converged()
    change(world)
    assert keys(world) == expected


def test_broken_client_site_needs_no_step_at_another() -> None:
    world = converged(topology(EDGE, WEST))
    world.drop(WEST, "Link")
    assert keys(world) == {"west/link", "west/names", "west/mancenter"}


def test_undesired_object_is_pruned_after_apply() -> None:
    world = converged()
    world.live[EDGE].append(item("ConfigMap", "old", ours=True))
    [step] = steps_of(world)
    assert (step.action, step.writes, [str(ref) for ref in step.refs]) == (Action.PRUNE, True, ["configmaps/old"])
    world.drop(EDGE, "Listener")
    steps = {step.key: step for step in steps_of(world)}
    assert steps["edge/prune"].needs == {"edge/apply"}


@pytest.mark.parametrize(
    "bystander",
    [
        item("ConfigMap", "theirs"),
        item("ConfigMap", "another-topologys", labels=labels("other")),
        link("hazelcast-elsewhere", ours=True),
    ],
    ids=["nobody's", "another topology's", "a link"],
)
def test_foreign_objects_and_links_are_not_pruned(bystander: dict[str, object]) -> None:
    world = converged()
    world.live[CORE].append(bystander)
    assert steps_of(world) == []


def unisocket() -> World:
    world = converged(topology(mode=Mode.UNISOCKET))
    for kind in ("Deployment", "Pod"):
        world.drop(EDGE, kind)
    for name in ("hazelcast-mancenter", "hazelcast-0", "hazelcast-1", "hazelcast-2"):
        world.drop(EDGE, "Service", name)
    world.wanted[EDGE] = [one for one in world.wanted[EDGE] if one["kind"] in ("Site", "Listener")]
    return world


def without_mancenter() -> World:
    """A working topology whose settings say that there is no Management Center, which still exists."""
    world = converged(topology(mancenter=False))
    world.wanted[EDGE] = [one for one in world.wanted[EDGE] if "mancenter" not in one["metadata"]["name"]]
    return world


def test_management_center_that_is_not_wanted_any_more_is_pruned() -> None:
    [step] = steps_of(without_mancenter())
    names = ["deployments.apps/hazelcast-mancenter", "services/hazelcast-mancenter"]
    assert (step.action, [str(ref) for ref in step.refs]) == (Action.PRUNE, names)


def test_nothing_waits_for_a_management_center_that_is_left_out() -> None:
    world = without_mancenter()
    for kind, name in (("Deployment", ""), ("Pod", ""), ("Service", "hazelcast-mancenter")):
        world.drop(EDGE, kind, name)
    assert steps_of(world) == []
    world.drop(EDGE, "Link")
    assert {step.action for step in steps_of(world)} == {Action.LINK, Action.NAMES}


def test_unisocket_needs_neither_names_nor_management_center() -> None:
    assert steps_of(unisocket()) == []


@pytest.mark.parametrize(("listener", "connector"), [(True, False), (False, True)])
def test_unisocket_needs_only_one_matched_end(listener: bool, connector: bool) -> None:
    world = unisocket()
    world.put(EDGE, offer("Listener", listener))
    world.put(CORE, offer("Connector", connector))
    assert steps_of(world) == []


def test_unisocket_waits_when_neither_end_is_matched() -> None:
    world = unisocket()
    world.put(EDGE, offer("Listener", False))
    world.put(CORE, offer("Connector", False))
    assert keys(world) == {"edge/names"}


def test_steps_that_write_are_marked() -> None:
    writing = {step.action for step in steps_of(nothing_there(topology())) if step.writes}
    assert writing == {Action.APPLY, Action.LINK}


def test_management_center_started_in_the_same_second_as_the_names_is_kept() -> None:
    world = converged()
    world.put(EDGE, service("hazelcast-1", created=NOON))
    assert steps_of(world) == []


def test_management_center_without_members_needs_a_step() -> None:
    """According to the members' logs; where these do not show it, its own status counts."""
    world = converged()
    started = [f"[pod/hazelcast-{number}/hazelcast] x is STARTED" for number in range(3)]
    came = "Received auth from Connection[id=1], successfully authenticated, clientUuid: 0a, client name: MC-Client-dev"
    logs = {"": set(), "\n".join(started): {"edge/mancenter"}}
    logs["\n".join([*started, f"[pod/hazelcast-1/hazelcast] {came}"])] = set()
    for log, expected in logs.items():
        snapshots = world.snapshots()
        snapshots[CORE] = replace(snapshots[CORE], member_log=log)
        assert {step.key for step in planner.make(world.topology, world.wanted, snapshots)} == expected
