"""A topology that gets, leaves or changes its hub: the new links first, then the former ones are removed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hzlink.model import objects
from hzlink.model.choices import Role
from hzlink.model.errors import HzlinkError
from hzlink.model.existing_members import Found, Source, SourceKind
from hzlink.model.selectors import parse
from hzlink.model.topology import Site, labels
from hzlink.observe import links
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.plan import hub, hub_steps, planner
from hzlink.plan.planner import Action, Step
from tests.unit.builders import CORE, EDGE, WEST, World, converged, item, link, skupper_site, topology
from tests.unit.networks import network
from tests.unit.plan.test_hub import HUB, with_hub

OTHER_HUB = Site("lab", Role.HUB, "lab-ctx", "transit")


def plan(world: World, snapshots: Snapshots | None = None) -> dict[str, Step]:
    found = snapshots or world.snapshots()
    steps = planner.make(world.topology, world.wanted, found)
    return {step.key: step for step in hub_steps.added(world.topology, found, steps)}


def from_direct(*clients: Site) -> World:
    """A working topology without a hub, that is to get one. Its new Sites have no link access."""
    world = converged(topology(*(clients or (EDGE,))))
    world.topology = replace(world.topology, hub=HUB)
    world.live[HUB], world.wanted[HUB] = [], [skupper_site("hub", access="default")]
    for one in world.wanted[CORE]:
        if one["kind"] == "Site":
            one["spec"] = {"linkAccess": "none"}
    return world


def from_hub(**hub: Site) -> World:
    """A topology that is linked over a hub that it no longer has."""
    world = with_hub()
    for site in (CORE, EDGE):
        world.put(site, link("hazelcast-hub", to=world.find(HUB, "Site"), owner=world.find(site, "Site")))
    world.topology = replace(world.topology, hub=hub.get("new"), former_hub=HUB)
    return world


def test_a_direct_topology_gets_a_hub() -> None:
    steps = plan(from_direct(EDGE, WEST))
    assert {key for key in steps if key.endswith("/link")} == {"core/link", "edge/link", "west/link"}
    for name in ("edge", "west"):
        step = steps[f"{name}/unlink"]
        assert step.needs == {"core/link", "edge/link", "west/link"}
        assert [str(ref) for ref in step.refs] == [
            "accesstokens.skupper.io/hazelcast-core",
            "links.skupper.io/hazelcast-core",
            "secrets/hazelcast-core",
        ]
        assert {"core/unlink", f"{name}/unlink"} <= steps[f"{name}/names"].needs


def test_the_former_issuer_keeps_its_link_access_until_nothing_links_to_it() -> None:
    steps = plan(from_direct())
    applied = [one["kind"] for step in steps.values() if step.key == "core/apply" for one in step.items]
    assert "Site" not in applied
    [site] = steps["core/unlink"].items
    assert (site["kind"], site["spec"]) == ("Site", {"linkAccess": "none"})
    assert steps["core/unlink"].refs == ()


def test_a_way_over_links_that_will_be_removed_does_not_count() -> None:
    """As after a run that was interrupted when only the cluster site had its new link."""
    world = from_direct()
    site = skupper_site("hub", host="203.0.113.1")
    world.put(HUB, site)
    world.put(CORE, link("hazelcast-hub", to=site))
    ends = {place: world.find(place, "Site") for place in (CORE, EDGE)}
    for one in (*ends.values(), site):
        one["status"]["network"] = network(
            (ends[CORE], [("hazelcast-hub", site, True)]),
            (ends[EDGE], [("hazelcast-core", ends[CORE], True)]),
            (site, []),
        )
    assert "edge/link" in plan(world)


def test_a_topology_leaves_its_hub() -> None:
    steps = plan(from_hub())
    assert [key for key in steps if key.endswith("/link")] == ["edge/link"]
    assert {key for key, step in steps.items() if step.action is Action.UNLINK} == {"core/unlink", "edge/unlink"}
    leave = steps["hub/leave"]
    assert leave.needs == {"edge/link", "core/unlink", "edge/unlink"}
    assert [str(ref) for ref in leave.refs] == ["sites.skupper.io/hub", str(objects.SKUPPER_LEASE)]


def test_a_topology_changes_its_hub() -> None:
    world = from_hub(new=OTHER_HUB)
    world.live[OTHER_HUB], world.wanted[OTHER_HUB] = [skupper_site("lab", host="203.0.113.2")], []
    steps = plan(world)
    assert {key for key in steps if key.endswith("/link")} == {"core/link", "edge/link"}
    assert "links.skupper.io/hazelcast-hub" in map(str, steps["core/unlink"].refs)
    assert "hub/leave" in steps


def test_links_to_a_hub_that_cannot_be_read_are_removed_and_its_site_is_not() -> None:
    world = from_hub()
    snapshots = {**world.snapshots(), HUB: Snapshot(HUB, error=HzlinkError("no answer"))}
    steps = plan(world, snapshots)
    assert {"core/unlink", "edge/unlink"} <= steps.keys()
    assert "hub/leave" not in steps


def test_links_to_several_routers_of_a_hub_named_as_the_former_one_stay() -> None:
    world = from_hub(new=OTHER_HUB)
    world.live[OTHER_HUB] = [world.find(HUB, "Site")]
    del world.live[HUB]
    for site in (CORE, EDGE):
        second = link("hazelcast-hub-2", to=world.find(OTHER_HUB, "Site"), owner=world.find(site, "Site"))
        world.put(site, {**second, "spec": {"tlsCredentials": "hazelcast-hub"}})
    assert hub.removable_links(world.topology, world.snapshots()) == {}


def test_an_interrupted_change_goes_on_with_what_is_left() -> None:
    world = from_hub()
    world.put(EDGE, link("hazelcast-core", to=world.find(CORE, "Site")))
    world.drop(CORE, "Link")
    steps = plan(world)
    assert not [key for key in steps if key.endswith("/link")]
    assert set(steps) >= {"edge/unlink", "hub/leave"}
    assert "core/unlink" not in steps
    world.drop(EDGE, "Link", "hazelcast-hub")
    assert {key for key, step in plan(world).items() if step.action in (Action.UNLINK, Action.LEAVE)} == {"hub/leave"}
    # Skupper's Lease remains if the run ended after the deletion of the Site.
    world.live[HUB] = []
    assert plan(world)["hub/leave"].refs == (objects.SKUPPER_LEASE,)
    world.put(HUB, skupper_site("theirs", ours=False))
    assert not {step.action for step in plan(world).values()} & {Action.UNLINK, Action.LEAVE}


@pytest.mark.parametrize("make", [from_direct, from_hub])
def test_links_of_others_stay(make: object) -> None:
    world = make()  # type: ignore[operator]
    for site in (CORE, EDGE):
        for one in [one for one in world.live[site] if one["kind"] == "Link"]:
            one["metadata"].pop("labels")
    assert not {key for key, step in plan(world).items() if step.action is Action.UNLINK and step.refs}


def test_what_another_topology_uses_stays() -> None:
    for world in (from_direct(), from_hub()):
        world.live[CORE].append(item("Connector", "sessions", labels=labels("sessions")))
        world.live[EDGE].append(item("Listener", "sessions", labels=labels("sessions")))
        steps = plan(world)
        assert not [key for key in steps if key.endswith("/unlink")]
        assert "edge/link" in steps
    # The hub's Site stays, too; it gets the other topology's label.
    world.live[HUB][0]["metadata"]["labels"] = labels("sessions")
    assert "hub/leave" not in plan(world)


def test_the_hubs_site_stays_while_links_of_others_lead_to_it() -> None:
    world = from_hub()
    site, theirs = world.find(HUB, "Site"), skupper_site("theirs", ours=False)
    site["status"]["network"] = network((site, []), (theirs, [("their-link", site, True)]))
    assert hub_steps.users_of(world.topology, world.snapshots()[HUB]) == ["their-link of theirs"]
    assert "hub/leave" not in plan(world)


def test_a_working_link_to_an_unknown_hub_is_refused() -> None:
    world = converged()
    assert hub.unknown_hub_errors(world.topology, world.snapshots()) == []
    world.put(EDGE, link("hazelcast-hub", to=skupper_site("hub", uid="former")))
    [error] = hub.unknown_hub_errors(world.topology, world.snapshots())
    assert error.site == "edge"
    assert "--hub-ctx" in (error.next_step or "")
    known = replace(world.topology, former_hub=HUB)
    assert hub.unknown_hub_errors(known, world.snapshots()) == []
    world.drop(EDGE, "Link", "hazelcast-hub")
    # Of a former Site of the same name: it is repaired.
    world.put(EDGE, link("hazelcast-core", to=skupper_site("core", uid="former")))
    assert hub.unknown_hub_errors(world.topology, world.snapshots()) == []


def test_link_leaves_a_change_of_the_hub_to_up() -> None:
    for world in (from_direct(), from_hub()):
        errors = hub.switch_errors(world.topology, world.snapshots())
        assert errors
        assert all("up" in (one.next_step or "") for one in errors)
    assert links.name_for("hazelcast", "hub") == "hazelcast-hub"


def test_members_of_others_are_reached_over_a_hub() -> None:
    source = Source(SourceKind.STATEFULSET, "prod")
    found = Found(source, parse("app=prod"), 5701, ("prod-0", "prod-1"))
    world = with_hub(members_from=source, found=found, members=2)
    steps = plan(world)
    assert {key for key in steps if key.endswith("/link")} == {"core/link", "edge/link"}
    assert steps["edge/names"].why == "until Services prod-0, prod-1 exist"
    assert {"core/link", "edge/link"} <= steps["edge/names"].needs
