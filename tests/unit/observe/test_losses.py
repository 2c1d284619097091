"""What Skupper has lost: members without a record at one side, routers that no Link leads to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hzlink.model.topology import Site
from hzlink.observe import losses
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.plan import planner
from hzlink.plan.planner import Action
from hzlink.report import report
from tests.unit.builders import CORE, EDGE, NOON, Obj, World, converged, link, service

READY_AT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def record(*numbers: int) -> list[Obj]:
    """A Site's record of the network: core with the connectors of these members."""
    services = [{"routingKey": f"hazelcast.hazelcast-{n}", "connectors": [f"10.0.0.{n}"]} for n in numbers]
    everybody = {"routingKey": "hazelcast", "connectors": [f"10.0.0.{n}" for n in numbers]}
    return [{"id": "uid-Site-core", "name": "core", "namespace": "hz", "services": [everybody, *services]}]


def world_with(core: tuple[int, ...], edge: tuple[int, ...], names: tuple[int, ...] = (0, 1)) -> World:
    """Three members are ready; these are what each side's record has of them, and the Services at edge."""
    world = converged()
    for number in range(3):
        status = world.find(CORE, "Pod", f"hazelcast-{number}")["status"]
        status["podIP"] = f"10.0.0.{number}"
        for condition in status["conditions"]:
            condition["lastTransitionTime"] = NOON
        if number not in names:
            world.drop(EDGE, "Service", f"hazelcast-{number}")
    world.find(CORE, "Site")["status"]["network"] = record(*core)
    world.find(EDGE, "Site")["status"]["network"] = record(*edge)
    return world


def lost(world: World, seconds: float = 60.0) -> list[tuple[Site, str]]:
    """Whose record lacks whom, so many seconds after the members got ready."""
    found = losses.lost_members(world.topology, _later(world, seconds))
    return [(one.site, one.name) for one in found]


def _later(world: World, seconds: float) -> Snapshots:
    at = datetime.fromtimestamp(READY_AT.timestamp() + seconds, UTC)
    return {site: Snapshot(site, tuple(items), at=at) for site, items in world.live.items()}


@pytest.mark.parametrize(
    ("core", "edge", "found"),
    [
        ((0, 1, 2), (0, 1), [(EDGE, "hazelcast-2")]),
        ((0, 1), (0, 1), [(CORE, "hazelcast-2")]),
        ((0, 1, 2), (0, 1, 2), []),
    ],
    ids=["client", "cluster", "nobody"],
)
def test_whose_record_lacks_a_member(core: tuple[int, ...], edge: tuple[int, ...], found: list[Any]) -> None:
    assert lost(world_with(core, edge)) == found


def test_a_record_that_is_only_late_is_not_lost() -> None:
    assert lost(world_with((0, 1, 2), (0, 1)), seconds=10) == []


def router(started: str, ended: str = "", code: int = 137) -> Obj:
    """A Site's router pod: when its container started, and when its previous run ended."""
    before = {"lastState": {"terminated": {"exitCode": code, "reason": "Error", "finishedAt": ended}}} if ended else {}
    container = {"name": "router", "restartCount": 1 if ended else 0, "state": {"running": {"startedAt": started}}}
    return {
        "kind": "Pod",
        "metadata": {"name": "skupper-router-1", "labels": {"skupper.io/component": "router"}},
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [{**container, **before}]},
    }


@pytest.mark.parametrize(("site", "seconds", "found"), [(CORE, 20, 0), (EDGE, 20, 0), (CORE, 40, 1), (EDGE, 40, 1)])
def test_a_record_is_late_while_a_router_has_just_started(site: Site, seconds: int, found: int) -> None:
    world = world_with((0, 1), (0, 1))
    world.live[site].append(router(f"2026-01-01T12:05:{60 - seconds:02d}Z"))
    assert len(lost(world, seconds=360)) == found


def test_members_of_one_record_are_told_together() -> None:
    world = world_with((0,), (0,), names=(0,))
    made = report.make(world.topology, _later(world, 60))
    [text] = [one for one in made.notes() if "network record" in one]
    assert "does not contain members hazelcast-1 (10.0.0.1, ready), hazelcast-2 (10.0.0.2, ready), so edge" in text


@pytest.mark.parametrize(("seconds", "told"), [(30, True), (599, True), (601, False)])
def test_a_router_that_restarted_lately_is_reported(seconds: int, told: bool) -> None:
    world = world_with((0, 1, 2), (0, 1, 2), names=(0, 1, 2))
    world.live[CORE].append(router(NOON, ended=NOON))
    notes = report.make(world.topology, _later(world, seconds)).notes()
    assert any("was restarted 1 time (Error, exit code 137)" in note for note in notes) == told


def test_a_member_with_a_new_address_under_an_old_record_is_lost() -> None:
    world = world_with((0, 1, 2), (0, 1, 2))
    world.find(CORE, "Pod", "hazelcast-2")["status"]["podIP"] = "10.0.0.99"
    assert lost(world) == [(CORE, "hazelcast-2")]


def test_a_member_that_clients_can_call_is_not_lost() -> None:
    assert lost(world_with((0, 1, 2), (0, 1), names=(0, 1, 2))) == []


def test_a_member_that_is_not_ready_is_not_lost() -> None:
    world = world_with((0, 1, 2), (0, 1))
    for condition in world.find(CORE, "Pod", "hazelcast-2")["status"]["conditions"]:
        condition["status"] = "False"
    assert lost(world) == []


def test_nothing_is_lost_while_the_link_is_down() -> None:
    world = world_with((0, 1, 2), (0, 1))
    world.put(EDGE, link("hazelcast-core", "Pending", "Not operational", to=world.find(CORE, "Site")))
    assert lost(world) == []


def test_a_side_that_has_heard_nothing_says_nothing() -> None:
    world = world_with((0, 1, 2), (0, 1))
    world.find(EDGE, "Site")["status"]["network"] = []
    assert lost(world) == []


def test_the_report_names_it_with_its_remedy() -> None:
    world = world_with((0, 1, 2), (0, 1))
    made = report.make(world.topology, _later(world, 60))
    assert made.blame is not None
    assert "the network record of edge does not contain member hazelcast-2 (10.0.0.2, ready)" in made.blame.text
    assert made.blame.next_step == "hzlink link --repair"
    [told] = [one.text for one in made.disagreements if str(one.kind) == "record"]
    assert "restarts the router of edge" in told


def test_it_is_mended_only_when_asked() -> None:
    world = world_with((0, 1, 2), (0, 1))
    snapshots = _later(world, 60)

    def repairs(asked: bool) -> list[str]:
        steps = planner.make(world.topology, world.wanted, snapshots, repair=asked)
        return [step.key for step in steps if step.action is Action.REPAIR]

    assert repairs(asked=False) == []
    assert repairs(asked=True) == ["edge/repair"]
    [names] = [
        step
        for step in planner.make(world.topology, world.wanted, snapshots, repair=True)
        if step.action is Action.NAMES
    ]
    assert "edge/repair" in names.needs


def at(number: int) -> Obj:
    group = "skupper-router" if number == 1 else f"skupper-router-{number}"
    return {"name": "inter-router", "host": f"203.0.113.{number}", "port": "55671", "group": group}


def test_a_link_of_one_router_is_completed_with_its_own_credentials() -> None:
    world = converged()
    world.find(CORE, "Site")["status"]["endpoints"] = [at(1), at(2)]
    world.find(EDGE, "Link")["spec"] |= {"endpoints": [at(1)], "cost": 3}
    [missing] = losses.missing_links(world.topology, world.snapshots())
    [wanted] = missing.wanted
    assert wanted["metadata"]["name"] == "hazelcast-core-2"
    assert wanted["spec"] == {"endpoints": [at(2)], "tlsCredentials": "hazelcast-core", "cost": 3}
    assert missing.useless == ()


def test_a_second_link_whose_router_has_moved_makes_way() -> None:
    world = converged()
    core = world.find(CORE, "Site")
    core["status"]["endpoints"] = [at(1), {**at(2), "host": "203.0.113.77"}]
    world.drop(EDGE, "Link")
    for number in (1, 2):
        one = link(f"hazelcast-core-{number}", to=core, secret="hazelcast-core")
        one["spec"]["endpoints"] = [at(number)]
        world.put(EDGE, one)
    [missing] = losses.missing_links(world.topology, world.snapshots())
    assert [one["metadata"]["name"] for one in missing.useless] == ["hazelcast-core-2"]
    assert missing.wanted[0]["spec"]["endpoints"][0]["host"] == "203.0.113.77"


def test_routers_that_share_a_host_are_told_apart_by_group() -> None:
    world = converged()
    second = {**at(2), "host": at(1)["host"], "port": "55672"}
    world.find(CORE, "Site")["status"]["endpoints"] = [at(1), second]
    world.find(EDGE, "Link")["spec"]["endpoints"] = [at(1)]
    [missing] = losses.missing_links(world.topology, world.snapshots())
    assert [one["spec"]["endpoints"] for one in missing.wanted] == [[second]]


def test_all_links_cover_all_routers() -> None:
    world = converged()
    world.find(CORE, "Site")["status"]["endpoints"] = [at(1)]
    world.find(EDGE, "Link")["spec"]["endpoints"] = [at(1)]
    assert losses.missing_links(world.topology, world.snapshots()) == ()


def test_a_service_that_is_there_under_another_owner_counts() -> None:
    world = world_with((0, 1, 2), (0, 1))
    world.put(EDGE, service("hazelcast-2"))
    assert lost(world) == []
