"""The way between two Sites over other Sites, and which Link of it is down."""

from __future__ import annotations

import pytest

from hzlink.model.conditions import State
from hzlink.observe import ways
from hzlink.plan import planner
from tests.unit.builders import CORE, EDGE, World, link
from tests.unit.networks import HUB, network, over_hub, theirs

HUB_2 = theirs("hub-2")


def way_of(world: World) -> ways.Way | None:
    return ways.find(world.snapshots(), EDGE, CORE)


def links_planned(world: World) -> str:
    """Why edge is to be linked; empty if it is not."""
    steps = planner.make(world.topology, world.wanted, world.snapshots())
    return "".join(step.why for step in steps if step.key == "edge/link")


def test_sites_that_reach_each_other_over_another_site_are_linked() -> None:
    world = over_hub()
    way = way_of(world)
    assert way is not None
    assert way.condition.ok
    assert way.text == "edge > hub > core"
    assert [(one.name, one.ends, one.holder.name) for one in way.links] == [
        ("up-link", "edge > hub", "edge"),
        ("down-link", "hub > core", "hub"),
    ]
    assert links_planned(world) == ""


def test_a_link_on_the_way_that_is_down_is_named() -> None:
    world = over_hub(works=False)
    way = way_of(world)
    assert way is not None
    assert [one.name for one in way.down] == ["down-link"]
    assert way.condition.state is State.BROKEN
    assert "Link down-link (hub > core) is down: Not Operational" in links_planned(world)


def test_the_state_of_a_link_that_can_be_read_counts_more_than_a_record() -> None:
    world = over_hub()
    world.put(EDGE, link("up-link", "Pending", "Not Operational", to=HUB, ours=False))
    way = way_of(world)
    assert way is not None
    assert [one.name for one in way.down] == ["up-link"]


def test_a_record_of_a_link_that_was_deleted_does_not_count() -> None:
    world = over_hub()
    world.drop(EDGE, "Link", "up-link")
    assert way_of(world) is None
    assert links_planned(world) == "not linked"


@pytest.mark.parametrize("known_to", [("oslo",), ("berlin",), ()])
def test_both_sites_have_to_list_the_way(known_to: tuple[str, ...]) -> None:
    world = over_hub(known_to=known_to)
    way = way_of(world)
    assert way is None or not way.condition.ok
    assert links_planned(world).startswith("not linked")


def test_a_record_of_a_direct_link_is_not_enough() -> None:
    """It may be of a Link that was deleted just now."""
    world = over_hub()
    oslo, berlin = (world.find(site, "Site") for site in (CORE, EDGE))
    for site in (oslo, berlin):
        site["status"]["network"] = network((oslo, [("x", berlin, True)]), (berlin, [("y", oslo, True)]))
    assert way_of(world) is None


def test_the_way_that_works_is_preferred_to_a_shorter_one() -> None:
    world = over_hub(works=False)
    oslo, berlin = (world.find(site, "Site") for site in (CORE, EDGE))
    listed = network(
        (oslo, []),
        (berlin, []),
        (HUB, [("down-link", oslo, False), ("to-2", HUB_2, True)]),
        (HUB_2, [("from-2", oslo, True)]),
    )
    for site in (oslo, berlin):
        site["status"]["network"] = listed
    way = way_of(world)
    assert way is not None
    assert way.condition.ok
    assert way.condition.text == "through hub, hub-2"
    assert way.text == "edge > hub > hub-2 > core"


@pytest.mark.parametrize("ours", [True, False])
def test_a_direct_link_that_is_down_is_left_to_its_owner_where_there_is_a_way(ours: bool) -> None:
    world = over_hub()
    world.put(EDGE, link("direct", "Pending", "Not Operational", to=world.find(CORE, "Site"), ours=ours))
    assert bool(links_planned(world)) is ours


def test_no_way_is_told_with_the_sites_that_each_end_reaches() -> None:
    """As after a while, when Skupper has forgotten the Link of a Site that it no longer reaches."""
    world = over_hub()
    oslo, berlin = (world.find(site, "Site") for site in (CORE, EDGE))
    berlin["status"]["network"] = network((berlin, []), (HUB, []))
    oslo["status"]["network"] = network((oslo, []))
    assert links_planned(world) == "not linked: edge reaches hub, core reaches no other Site"


def test_a_link_that_can_be_read_is_named_after_its_site_is_out_of_reach() -> None:
    world = over_hub()
    oslo, berlin = (world.find(site, "Site") for site in (CORE, EDGE))
    berlin["status"]["network"] = network((berlin, []), (HUB, []))
    oslo["status"]["network"] = network((oslo, []))
    world.put(CORE, link("to-hub", "Pending", "Not Operational", to=HUB, ours=False))
    way = way_of(world)
    assert way is not None
    assert [(one.name, one.holder) for one in way.down] == [("to-hub", CORE)]


def test_a_network_that_is_not_as_expected_is_no_way() -> None:
    world = over_hub()
    shapes: tuple[object, ...] = (None, [None, "x"], [{"id": None, "links": None}], {})
    for broken in shapes:
        for site in (CORE, EDGE):
            world.find(site, "Site")["status"]["network"] = broken
        assert way_of(world) is None
