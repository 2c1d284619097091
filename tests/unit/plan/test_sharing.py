"""Topologies that share namespaces."""

from __future__ import annotations

from dataclasses import replace

from hzlink.model import objects
from hzlink.model.choices import LinkFrom
from hzlink.model.topology import labels
from hzlink.plan import foreign, leftovers, manifests, planner, sharing, teardown
from hzlink.plan.planner import Action
from tests.unit.builders import CORE, EDGE, World, converged, item, topology

ORDERS = labels("hazelcast")
SESSIONS = labels("sessions")
OTHER = topology(name="sessions", service="sessions")


def shared(*, at_edge: bool = True, at_core: bool = True) -> World:
    """A converged topology, and objects of topology sessions at the same sites."""
    world = converged()
    if at_core:
        world.live[CORE].append(item("Connector", "sessions", labels=SESSIONS))
    if at_edge:
        world.live[EDGE].append(item("Listener", "sessions", labels=SESSIONS))
    return world


def test_second_topology_uses_site_and_link_of_the_first() -> None:
    world = converged()
    wanted = {site: [item("Site", site.name, labels=SESSIONS)] for site in (CORE, EDGE)}
    steps = planner.make(OTHER, wanted, world.snapshots())
    assert not [step for step in steps if step.action in (Action.APPLY, Action.LINK, Action.CLEAN_UP, Action.PRUNE)]


def test_shared_link_keeps_its_direction() -> None:
    world = shared()
    settings = replace(OTHER.settings, link_from=LinkFrom.CLIENT)
    assert planner.issuers(replace(OTHER, settings=settings), world.snapshots()) == {EDGE: CORE}
    # The topology that owns the Sites may change it.
    own = replace(world.topology, settings=replace(world.topology.settings, link_from=LinkFrom.CLIENT))
    assert planner.issuers(own, world.snapshots()) == {EDGE: EDGE}


def test_neighbours_are_found_by_connector_and_listener() -> None:
    [found] = sharing.neighbours(topology(), shared().snapshots())
    assert (found.name, found.service, found.clients) == ("sessions", "sessions", (EDGE,))
    assert sharing.neighbours(topology(), shared(at_edge=False).snapshots()) == ()
    assert sharing.neighbours(topology(), converged().snapshots()) == ()


def test_same_names_are_refused() -> None:
    world = converged()
    error = sharing.clash(topology(name="sessions"), world.snapshots()[CORE])
    assert error is not None
    assert "topology hazelcast already uses the name hazelcast" in error.message
    assert "--service NAME" in (error.next_step or "")
    assert "--name hazelcast" in (error.next_step or "")
    assert sharing.clash(OTHER, world.snapshots()[CORE]) is None
    assert sharing.clash(topology(), world.snapshots()[CORE]) is None


def kept(world: World) -> dict[str, tuple[str, list[str]]]:
    found = sharing.handovers(world.topology, world.snapshots())
    return {site.name: (one.heir, sorted(ref.name for ref in one.refs)) for site, one in found.items()}


def test_site_and_link_stay_for_the_other_topology() -> None:
    world = shared()
    [link] = [one for one in world.live[EDGE] if one["kind"] == "Link"]
    assert kept(world) == {
        "core": ("sessions", ["core"]),
        "edge": ("sessions", sorted(["edge", objects.name(link)])),
    }
    stays = sharing.handovers(world.topology, world.snapshots())[EDGE].refs
    removed = teardown.make(world.topology, world.snapshots()[EDGE], stays).refs
    assert not set(stays) & set(removed)
    assert not [ref for ref in removed if ref.resource == objects.RESOURCES["Secret"]]


def test_link_that_the_other_topology_does_not_use_is_removed() -> None:
    # The other topology is at the client site, and has its cluster site elsewhere.
    assert kept(shared(at_core=False)) == {"core": ("", []), "edge": ("sessions", ["edge"])}
    assert kept(shared(at_edge=False)) == {"core": ("sessions", ["core"]), "edge": ("", [])}


def test_nothing_stays_without_another_topology() -> None:
    assert kept(converged()) == {"core": ("", []), "edge": ("", [])}


def test_link_with_the_label_of_another_topology_is_no_leftover() -> None:
    world = converged()
    snapshot = world.snapshots()[EDGE]
    [link] = snapshot.of("Link")
    names = {objects.name(link)}
    assert leftovers.unmarked_links(OTHER, snapshot, names) == ()


def test_site_of_another_topology_is_shared_and_not_foreign() -> None:
    site = converged().snapshots()[EDGE].skupper_site
    assert sharing.is_shared(OTHER, site)
    assert not sharing.is_shared(topology(), site)
    assert not sharing.is_shared(OTHER, item("Site", "edge"))
    assert foreign.other_topology(OTHER, site) == "hazelcast"


def test_link_access_stays_while_others_may_need_it() -> None:
    world = shared()
    world.find(CORE, "Site")["spec"] = {"linkAccess": "default"}
    assert sharing.needs_link_access(topology(), world.snapshots()[CORE])
    assert not sharing.needs_link_access(topology(), converged().snapshots()[CORE])


def test_candidates_are_those_that_are_present() -> None:
    world = shared()
    assert [one.name for one in sharing.candidates(topology(), world.snapshots())] == ["hazelcast", "sessions"]
    new = topology(name="new")
    assert [one.name for one in sharing.candidates(new, world.snapshots())] == ["hazelcast", "sessions"]
    assert [one.name for one in sharing.candidates(topology(), converged().snapshots())] == ["hazelcast"]


def test_error_for_a_shared_site_names_its_topology() -> None:
    error = foreign.no_link_access_error(OTHER, converged().snapshots()[EDGE])
    assert "which hzlink made for topology hazelcast" in error.message


def test_fingerprint_of_a_site_does_not_depend_on_its_topology() -> None:
    one, other = (manifests.stamped(item("Site", "edge", labels=marks)) for marks in (ORDERS, SESSIONS))
    assert one["metadata"]["annotations"] == other["metadata"]["annotations"]
    assert one["metadata"]["labels"] == ORDERS
    one, other = (manifests.stamped(item("Listener", "edge", labels=marks)) for marks in (ORDERS, SESSIONS))
    assert one["metadata"]["annotations"] != other["metadata"]["annotations"]


def test_service_is_found_by_the_name_of_the_topology() -> None:
    snapshots = shared().snapshots()
    assert sharing.with_its_service(topology(name="sessions"), snapshots).service == "sessions"
    assert sharing.with_its_service(topology(), snapshots).service == "hazelcast"
    assert sharing.with_its_service(topology(name="new"), snapshots).service == "hazelcast"
