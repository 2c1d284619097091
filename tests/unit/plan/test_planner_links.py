"""The issuing side, and the Link between two sites."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.model.choices import LinkFrom
from hzlink.observe import links
from hzlink.plan import planner
from tests.unit.builders import CORE, EARLY, EDGE, LATE, WEST, Obj, World, converged, link, skupper_site, topology

AT_CORE = skupper_site("core", host="203.0.113.7")
AT_EDGE = skupper_site("edge", host="203.0.113.8")
PENDING_CORE = skupper_site("core", "Pending", access="default", holds={"Running": True})


def world_of(core: list[Obj], edge: list[Obj], **settings: Any) -> World:
    return World(topology(**settings), {CORE: core, EDGE: edge}, {CORE: [], EDGE: []})


@pytest.mark.parametrize(
    ("core", "edge", "issuer"),
    [
        ([], [], CORE),
        ([AT_CORE], [], CORE),
        ([AT_CORE], [AT_EDGE], CORE),
        ([skupper_site("core")], [AT_EDGE], EDGE),
        ([PENDING_CORE], [AT_EDGE], EDGE),
        ([], [AT_EDGE], EDGE),
        ([PENDING_CORE], [skupper_site("edge")], CORE),
        # An existing link keeps its direction, whichever side has an address.
        ([AT_CORE, link("hazelcast-edge", to=AT_EDGE)], [AT_EDGE], EDGE),
        ([PENDING_CORE], [AT_EDGE, link("hazelcast-core", to=PENDING_CORE)], CORE),
        ([AT_CORE], [skupper_site("edge"), link("hazelcast-core", "Pending", to=AT_CORE)], CORE),
    ],
)
def test_auto_chooses_the_side_with_an_address(core: list[Obj], edge: list[Obj], issuer: object) -> None:
    world = world_of(core, edge)
    assert planner.issuers(world.topology, world.snapshots()) == {EDGE: issuer}


@pytest.mark.parametrize(("asked", "issuer"), [(LinkFrom.CLUSTER, CORE), (LinkFrom.CLIENT, EDGE)])
def test_link_from_sets_the_issuer(asked: LinkFrom, issuer: object) -> None:
    world = world_of([AT_CORE], [AT_EDGE, link("hazelcast-core", to=AT_CORE)], link_from=asked)
    assert planner.issuers(world.topology, world.snapshots()) == {EDGE: issuer}


def test_each_client_site_has_its_own_issuer() -> None:
    world = converged(topology(EDGE, WEST))
    world.put(CORE, PENDING_CORE)
    world.live[WEST] = [skupper_site("west", host="203.0.113.9")]
    assert planner.issuers(world.topology, world.snapshots()) == {EDGE: CORE, WEST: WEST}


def found(there: list[Obj], peer: Obj = AT_CORE) -> str | None:
    """The name of the Link in edge that leads to the peer."""
    one = links.between(world_of([peer], there).snapshots(), redeemer=EDGE, issuer=CORE)
    return None if one is None else str(one["metadata"]["name"])


OTHER = skupper_site("other", host="203.0.113.99")
REMADE = skupper_site("core", uid="another", host="203.0.113.7")


@pytest.mark.parametrize(
    ("links", "name"),
    [
        ([], None),
        ([link("made-by-hand", to=AT_CORE)], "made-by-hand"),
        ([link("hazelcast-core", None)], "hazelcast-core"),
        ([link("hazelcast-other", None)], None),
        ([link("hazelcast-core", to=OTHER)], None),
        ([link("hazelcast-core", to=REMADE)], None),
        ([link("bad", "Pending", to=AT_CORE), link("good", to=AT_CORE)], "good"),
    ],
)
def test_link_target_comes_from_its_status_or_its_name(links: list[Obj], name: str | None) -> None:
    assert found(links) == name


def test_remote_name_is_used_without_a_remote_id() -> None:
    named = link("whatever", "Pending")
    named["status"]["remoteSiteName"] = "core"
    assert found([named]) == "whatever"


def test_no_link_leads_to_a_missing_site() -> None:
    world = world_of([], [link("hazelcast-core")])
    assert links.between(world.snapshots(), redeemer=EDGE, issuer=CORE) is None


def test_link_to_a_site_with_the_same_name_ending_does_not_match() -> None:
    """Otherwise edge would count as linked, or unlinking it would remove the link of west-edge."""
    west = skupper_site("west-edge", host="203.0.113.9")
    world = World(topology(EDGE, WEST), {CORE: [link("hazelcast-west-edge", None)], EDGE: [AT_EDGE], WEST: [west]})
    assert links.between(world.snapshots(), redeemer=CORE, issuer=EDGE) is None
    assert links.between(world.snapshots(), redeemer=CORE, issuer=WEST) is not None


@pytest.mark.parametrize(
    ("created", "is_linked_again"), [(EARLY, True), (LATE, False)], ids=["older than the Site", "newer than the Site"]
)
def test_link_to_a_recreated_site_is_stale(created: str, is_linked_again: bool) -> None:
    """Its status may stay Ready for about 12 s."""
    world = converged()
    made = link("hazelcast-core", created=created)
    world.put(EDGE, made)
    world.put(CORE, skupper_site("core", "Pending", access="default", holds={"Running": True}))
    assert (
        "edge/link" in {step.key for step in planner.make(world.topology, world.wanted, world.snapshots())}
    ) is is_linked_again


def test_skupper_site_and_link_names() -> None:
    world = world_of([skupper_site("theirs")], [])
    assert planner.skupper_name(CORE, world.snapshots()) == "theirs"
    assert planner.skupper_name(EDGE, world.snapshots()) == "edge"
    assert planner.link_name(world.topology, "theirs") == "hazelcast-theirs"


def at(*places: tuple[str, str]) -> list[Obj]:
    """Endpoints for other sites' routers."""
    return [{"name": "inter-router", "host": host, "port": port} for host, port in places]


@pytest.mark.parametrize(
    ("leads_to", "is_at", "outdated", "told"),
    [
        (("192.0.2.9", "30001"), ("192.0.2.9", "30001"), False, None),
        (("192.0.2.9", "30001"), ("192.0.2.9", "30002"), True, ("192.0.2.9:30001", "192.0.2.9:30002")),
        (("192.0.2.9", "55671"), ("192.0.2.8", "55671"), True, ("192.0.2.9", "192.0.2.8")),
        (("192.0.2.9", ""), ("192.0.2.9", "55671"), False, None),
    ],
)
def test_links_to_another_host_or_port_are_outdated(
    leads_to: tuple[str, str], is_at: tuple[str, str], outdated: bool, told: tuple[str, str] | None
) -> None:
    one, peer = link("hazelcast-core", to=AT_CORE), skupper_site("core", host="x")
    one["spec"]["endpoints"] = at(leads_to)
    peer["status"]["endpoints"] = at(is_at)
    assert links.are_outdated([one], peer) is outdated
    assert told is None or links.former_and_present([one], peer) == told
