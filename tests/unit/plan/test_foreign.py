"""Skupper Sites of others: used as they are, and left as they are."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.model.choices import LinkFrom
from hzlink.plan import foreign, planner, teardown
from hzlink.plan.planner import Action
from tests.unit.builders import CORE, EARLY, EDGE, Obj, World, converged, item, link, service, skupper_site, topology


def theirs(name: str, word: str = "Ready", **parts: Any) -> Obj:
    return skupper_site(name, word, ours=False, **parts)


def foreign_world(core: Obj, edge: Obj, *linked: Obj, **settings: Any) -> World:
    """A topology that is up, on Sites of others; `linked` are the Links in edge's namespace."""
    world = converged(topology(**settings))
    for site, found in ((CORE, core), (EDGE, edge)):
        world.drop(site, "Site")
        world.put(site, found)
        # What the manifests say in any case.
        world.wanted[site] = [one if one["kind"] != "Site" else _wanted_site(found) for one in world.wanted[site]]
    world.drop(EDGE, "Link")
    for one in linked:
        world.put(EDGE, one)
    for number in range(3):
        world.put(EDGE, service(f"hazelcast-{number}", owner=edge, created=EARLY))
    return world


def _wanted_site(found: Obj) -> Obj:
    name = found["metadata"]["name"]
    return {"kind": "Site", "metadata": {"name": name, "labels": {"x": "y"}}, "spec": {"linkAccess": "default"}}


OSLO = theirs("oslo", host="203.0.113.7")
BERLIN = theirs("berlin")


def steps(world: World) -> dict[str, planner.Step]:
    return {step.key: step for step in planner.make(world.topology, world.wanted, world.snapshots())}


def test_sites_that_others_linked_need_nothing() -> None:
    world = foreign_world(OSLO, BERLIN, link("by-hand", to=OSLO, ours=False))
    assert steps(world) == {}


@pytest.mark.parametrize("missing", ["Listener", "Connector"])
def test_hzlink_adds_its_own_objects_and_no_site(missing: str) -> None:
    world = foreign_world(OSLO, BERLIN, link("by-hand", to=OSLO, ours=False))
    site = EDGE if missing == "Listener" else CORE
    world.drop(site, missing)
    applied = [item["kind"] for step in steps(world).values() for item in step.items]
    assert applied == [missing]
    assert not any(step.action is Action.LINK for step in steps(world).values())


def test_a_link_is_made_where_there_is_none() -> None:
    assert "edge/link" in steps(foreign_world(OSLO, BERLIN))


def test_a_link_that_does_not_work_is_no_link() -> None:
    assert "edge/link" in steps(foreign_world(OSLO, BERLIN, link("by-hand", "Pending", to=OSLO, ours=False)))


@pytest.mark.parametrize(
    ("core", "edge", "issuer"),
    [
        (OSLO, BERLIN, CORE),
        (theirs("oslo"), theirs("berlin", host="203.0.113.8"), EDGE),
        # hzlink can give link access to its own, and to one that is not there yet.
        (theirs("oslo"), skupper_site("edge"), EDGE),
        (skupper_site("core"), theirs("berlin"), CORE),
        # One that waits for its address has been asked to issue by its owner.
        (theirs("oslo", "Pending", access="default", holds={"Running": True}), BERLIN, CORE),
    ],
)
def test_who_issues(core: Obj, edge: Obj, issuer: object) -> None:
    world = foreign_world(core, edge)
    assert planner.issuers(world.topology, world.snapshots()) == {EDGE: issuer}
    assert planner.unable_issuers(world.topology, world.snapshots()) == []


@pytest.mark.parametrize(
    ("asked", "unable"), [(LinkFrom.AUTO, [CORE]), (LinkFrom.CLUSTER, [CORE]), (LinkFrom.CLIENT, [EDGE])]
)
def test_no_side_has_link_access(asked: LinkFrom, unable: list[object]) -> None:
    world = foreign_world(theirs("oslo"), BERLIN, link_from=asked)
    assert planner.unable_issuers(world.topology, world.snapshots()) == unable
    error = foreign.no_link_access_error(world.topology, world.snapshots()[CORE])
    assert error.subject == "Site oslo"
    assert "patch sites.skupper.io oslo" in (error.next_step or "")
    # With a Link that works nobody has to issue.
    linked = foreign_world(theirs("oslo"), BERLIN, link("by-hand", to=theirs("oslo"), ours=False), link_from=asked)
    assert asked is LinkFrom.CLIENT or planner.unable_issuers(linked.topology, linked.snapshots()) == []


def test_down_leaves_the_site_and_the_links_of_others() -> None:
    by_hand, by_hzlink = link("by-hand", to=OSLO, ours=False, owner=BERLIN), link("hazelcast-oslo", owner=BERLIN)
    world = foreign_world(OSLO, BERLIN, by_hand, by_hzlink)
    world.put(EDGE, item("AccessToken", "somebodys"))
    removed = {str(ref) for site in (CORE, EDGE) for ref in teardown.make(world.topology, world.snapshots()[site]).refs}
    assert {name for name in removed if "skupper" in name or "secret" in name} == {
        "connectors.skupper.io/hazelcast",
        "listeners.skupper.io/hazelcast",
        "links.skupper.io/hazelcast-oslo",
        "secrets/hazelcast-oslo",
    }


def test_a_site_of_another_topology_is_not_used() -> None:
    other = skupper_site("core", labels={"app.kubernetes.io/part-of": "other"})
    topo = converged().topology
    assert foreign.other_topology(topo, other) == "other"
    assert foreign.other_topology(topo, OSLO) == ""
    assert foreign.other_topology(topo, skupper_site("core")) == ""
    assert foreign.other_topology(topo, None) == ""


@pytest.mark.parametrize("ours", [True, False])
def test_a_repair_leaves_the_links_of_others(ours: bool) -> None:
    """Of a Site with two routers, to which a Link of others leads to the first only."""
    oslo = theirs("oslo", host="203.0.113.7")
    oslo["status"]["endpoints"] = [
        {"name": "inter-router", "host": f"203.0.113.{number}", "port": "55671", "group": f"g{number}"}
        for number in (7, 8)
    ]
    one = link("by-hand", to=oslo, ours=ours)
    one["spec"]["endpoints"] = oslo["status"]["endpoints"][:1]
    world = foreign_world(oslo, BERLIN, one)
    assert bool(planner.repair_steps(world.topology, world.snapshots())) is ours
