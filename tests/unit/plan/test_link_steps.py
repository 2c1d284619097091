"""The steps of `link`: what it links, repairs and waits for."""

from __future__ import annotations

import pytest

from hzlink.model.choices import Mode
from hzlink.model.topology import Site
from hzlink.plan import link_steps
from hzlink.plan.planner import Action
from tests.unit.builders import CORE, EDGE, World, converged, offer, statefulset, topology


def actions(world: World) -> list[Action]:
    return [step.action for step in link_steps.make(world.topology, world.snapshots())]


def without_names() -> World:
    """Linked and ready, but Skupper has not made the Service of a member yet."""
    world = converged()
    world.drop(EDGE, "Service", "hazelcast-1")
    return world


def test_nothing_is_planned_for_a_linked_topology() -> None:
    world = converged()
    assert actions(world) == []
    assert link_steps.are_linked(world.topology, []) == [EDGE]


def test_link_and_then_the_names_are_planned() -> None:
    world = converged()
    world.drop(EDGE, "Link")
    link, names = link_steps.make(world.topology, world.snapshots())
    assert (link.action, names.action, names.needs) == (Action.LINK, Action.NAMES, frozenset({link.key}))
    assert link_steps.are_linked(world.topology, [link, names]) == []


def test_names_that_an_interrupted_run_did_not_wait_for_are_waited_for() -> None:
    [step] = link_steps.make((world := without_names()).topology, world.snapshots())
    assert (step.action, step.site, step.needs) == (Action.NAMES, EDGE, frozenset())
    assert step.why == "until Services hazelcast-0, hazelcast-1, hazelcast-2 exist"


def test_service_of_a_single_connection_is_waited_for() -> None:
    world = converged(topology(mode=Mode.UNISOCKET))
    assert actions(world) == []
    world.put(EDGE, offer("Listener", matched=False))
    world.put(CORE, offer("Connector", matched=False))
    assert actions(world) == [Action.NAMES]


@pytest.mark.parametrize(("site", "kind"), [(EDGE, "Listener"), (CORE, "Connector")])
def test_names_that_nothing_makes_are_not_waited_for(site: Site, kind: str) -> None:
    world = without_names()
    world.drop(site, kind)
    assert actions(world) == []


def test_names_of_members_that_are_not_ready_are_not_waited_for() -> None:
    world = without_names()
    world.put(CORE, statefulset(ready=2))
    assert actions(world) == []
