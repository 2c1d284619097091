"""When a new image needs all members to be stopped first."""

from __future__ import annotations

import pytest

from hzlink.plan import planner, upgrade
from hzlink.plan.planner import Action, Step
from tests.unit.builders import CORE, Obj, World, converged

OLD, NEXT = "hazelcast/hazelcast:5.5.0", "hazelcast/hazelcast:5.6.0"


def running(image: str) -> Obj:
    """A pod's spec, or a template's."""
    return {"containers": [{"name": "other", "image": "x:1.0"}, {"name": "hazelcast", "image": image}]}


def world_of(before: str, after: str, ready: tuple[bool, ...] = (True, True, True)) -> World:
    """Members of an image, and another that is wanted."""
    world = converged()
    for image, items in ((before, world.live[CORE]), (after, world.wanted[CORE])):
        for one in items:
            if one["kind"] == "StatefulSet":
                one["spec"]["template"] = {"spec": running(image)}
    pods = [one for one in world.live[CORE] if one["kind"] == "Pod"]
    for pod, is_ready in zip(pods, ready, strict=True):
        pod["spec"] = running(before)
        for condition in pod["status"]["conditions"]:
            if condition["type"] == "Ready":
                condition["status"] = str(is_ready)
    return world


def restart(world: World) -> upgrade.Restart | None:
    [wanted] = [one for one in world.wanted[CORE] if one["kind"] == "StatefulSet"]
    return upgrade.restart_for(world.topology, wanted, world.snapshots()[CORE])


def steps(world: World) -> dict[Action, Step]:
    made = planner.make(world.topology, world.wanted, world.snapshots())
    return {step.action: step for step in made if step.site is CORE}


ENTERPRISE = "hazelcast/hazelcast-enterprise:"


@pytest.mark.parametrize(
    ("before", "after", "needed"),
    [
        (OLD, OLD, False),
        (OLD, "hazelcast/hazelcast:5.5.9", False),
        (OLD, "mirror:5000/hz/hazelcast:5.5.0-slim", False),
        (OLD, NEXT, True),
        (NEXT, OLD, True),
        (OLD, "hazelcast/hazelcast:6.5.0", True),
        (f"{OLD}-slim@sha256:00", NEXT, True),
        # Only Enterprise upgrades one by one, and only to the next minor version.
        (f"{ENTERPRISE}5.5.0", f"{ENTERPRISE}5.6.0", False),
        (f"{ENTERPRISE}5.5.0", f"{ENTERPRISE}5.7.0", True),
        (f"{ENTERPRISE}5.6.0", f"{ENTERPRISE}5.5.0", True),
        (OLD, f"{ENTERPRISE}5.6.0", True),
        # What cannot be known is not guessed.
        (OLD, "hazelcast/hazelcast:latest", False),
        ("hazelcast/hazelcast@sha256:00", NEXT, False),
        ("", NEXT, False),
    ],
)
def test_when_members_have_to_be_stopped(before: str, after: str, needed: bool) -> None:
    world = world_of(before, after)
    assert (restart(world) is not None) is needed
    assert (Action.STOP in steps(world)) is needed


def test_members_that_are_not_ready_hold_nothing_up() -> None:
    """Such as a new one that the old ones refuse: to go back to the old image needs no stop."""
    assert restart(world_of(NEXT, OLD, ready=(False, False, False))) is None
    found = restart(world_of(OLD, NEXT, ready=(True, False, False)))
    assert found is not None
    assert found.pods == ("hazelcast-0",)


def test_they_are_stopped_before_the_new_ones_start() -> None:
    found = steps(world_of(OLD, NEXT))
    stop, apply = found[Action.STOP], found[Action.APPLY]
    assert stop.writes
    assert [item["spec"]["replicas"] for item in stop.items] == [0]
    assert [ref.name for ref in stop.refs] == ["hazelcast-0", "hazelcast-1", "hazelcast-2"]
    assert apply.needs == {stop.key}
    assert [item["spec"]["replicas"] for item in apply.items if item["kind"] == "StatefulSet"] == [3]
    assert Action.MEMBERS in found


def test_a_workload_that_has_the_image_already_is_applied_again() -> None:
    """Somebody has set the new image, and the first new member is refused."""
    world = world_of(OLD, NEXT)
    [live] = [one for one in world.live[CORE] if one["kind"] == "StatefulSet"]
    live["spec"]["template"] = {"spec": running(NEXT)}
    assert [item["kind"] for item in steps(world)[Action.APPLY].items] == ["StatefulSet"]


def test_members_of_others_are_not_stopped() -> None:
    world = world_of(OLD, NEXT)
    [live] = [one for one in world.live[CORE] if one["kind"] == "StatefulSet"]
    live["metadata"]["labels"] = {}
    assert Action.STOP not in steps(world)


def test_a_number_that_others_set_is_applied_after_the_stop() -> None:
    """The stop has made it hzlink's: left out of what is applied next, it would become 1."""
    world = world_of(OLD, NEXT)
    [live] = [one for one in world.live[CORE] if one["kind"] == "StatefulSet"]
    live["metadata"]["managedFields"] = [{"manager": "hzlink", "operation": "Apply", "fieldsV1": {"f:spec": {}}}]
    [item] = [one for one in steps(world)[Action.APPLY].items if one["kind"] == "StatefulSet"]
    assert item["spec"]["replicas"] == 3


def test_what_it_means_is_said() -> None:
    found = restart(world_of(OLD, NEXT))
    assert found is not None
    text = "\n".join(found.lines)
    for words in ("5.5.0", NEXT, "all 3 members", "in memory is lost", "no cluster until"):
        assert words in text
