"""A topology with a hub: who links to whom, what is refused, and what is removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hzlink.model.choices import Mode, Role
from hzlink.model.topology import Site, labels
from hzlink.observe import losses
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import hub, manifests, planner, sharing, teardown
from tests.unit.builders import CORE, EDGE, WEST, World, converged, item, link, skupper_site, topology

HUB = Site("hub", Role.HUB, "hub-ctx", "transit")


def with_hub(*clients: Site, **settings: Any) -> World:
    """The sites without any Link, and a hub whose Site is Ready."""
    direct = converged(topology(*(clients or (EDGE,)), **settings))
    topo = replace(direct.topology, hub=HUB)
    live = {site: [one for one in items if one["kind"] != "Link"] for site, items in direct.live.items()}
    site = skupper_site("hub", host="203.0.113.1")
    return World(topo, {**live, HUB: [site]}, {**direct.wanted, HUB: []})


def plan(world: World) -> list[planner.Step]:
    return planner.make(world.topology, world.wanted, world.snapshots())


def test_the_hub_issues_for_the_cluster_site_and_every_client_site() -> None:
    world = with_hub(EDGE, WEST)
    assert planner.issuers(world.topology, world.snapshots()) == {CORE: HUB, EDGE: HUB, WEST: HUB}
    assert [world.topology.redeemer(site, HUB) for site in world.topology.linked] == [CORE, EDGE, WEST]
    steps = plan(world)
    assert sorted(step.key for step in steps if step.key.endswith("/link")) == ["core/link", "edge/link", "west/link"]
    [names] = [step for step in steps if step.key == "edge/names"]
    assert {"core/link", "edge/link"} <= names.needs
    assert "west/link" not in names.needs


def test_links_wait_for_the_hub() -> None:
    world = with_hub()
    world.put(HUB, skupper_site("hub", "Pending", access="default"))
    [step] = [step for step in plan(world) if step.key == "core/link"]
    assert "hub/site" in step.needs


def test_nothing_is_planned_for_sites_that_are_linked_to_the_hub() -> None:
    world = with_hub()
    for site in (CORE, EDGE):
        world.put(site, link("hazelcast-hub", to=world.find(HUB, "Site")))
    assert [step.key for step in plan(world) if step.key.endswith("/link")] == []
    assert hub.switch_errors(world.topology, world.snapshots()) == []


@pytest.mark.parametrize("mode", list(Mode))
def test_the_hub_gets_only_a_site(mode: Mode) -> None:
    world = with_hub(mode=mode)
    assert manifests.components(world.topology, HUB, issues=True) == []
    assert "no-link-access" in manifests.components(world.topology, CORE, issues=False)
    content = manifests.overlay(world.topology, HUB, "hub", True, manifests.folder(), manifests.folder())
    assert content["resources"] == ["hub"]
    assert len(content["patches"]) == 1


def test_down_removes_the_hubs_site_and_grants_and_leaves_what_is_of_others() -> None:
    world = with_hub()
    world.live[HUB] += [
        item("AccessGrant", "hazelcast-hub-to-edge", ours=True),
        item("AccessGrant", "somebodys"),
        item("Deployment", "shop"),
        link("somebodys", ours=False),
    ]
    names = {ref.name for ref in teardown.make(world.topology, world.snapshots()[HUB]).refs}
    assert names == {"hub", "hazelcast-hub-to-edge", "skupper-site-leader"}
    world.put(HUB, skupper_site("hub", ours=False))
    names = {ref.name for ref in teardown.make(world.topology, world.snapshots()[HUB]).refs}
    assert names == {"hazelcast-hub-to-edge"}


def test_a_second_router_of_the_hub_that_lacks_a_link_is_found() -> None:
    world = with_hub()
    site = world.find(HUB, "Site")
    ends = [{"name": "inter-router", "host": f"203.0.113.{n}", "port": "55671", "group": f"r-{n}"} for n in (1, 2)]
    site["status"]["endpoints"] = ends
    for place in (CORE, EDGE):
        made = link("hazelcast-hub", to=site)
        made["spec"]["endpoints"] = ends[:1]
        world.put(place, made)
    assert [(one.holder, one.issuer) for one in losses.missing_links(world.topology, world.snapshots())] == [
        (CORE, HUB),
        (EDGE, HUB),
    ]


def test_a_hub_without_an_observation_is_no_link() -> None:
    world = with_hub()
    snapshots = {**world.snapshots(), HUB: Snapshot(HUB)}
    assert planner.why_to_link(world.topology, snapshots, CORE, HUB) == "not linked"


def test_down_leaves_the_hub_to_a_topology_that_shares_both_sides() -> None:
    world = with_hub()
    for site in (CORE, EDGE):
        world.put(site, link("hazelcast-hub", to=world.find(HUB, "Site")))
    assert not any(one.heir for one in sharing.handovers(world.topology, world.snapshots()).values())
    world.put(CORE, item("Connector", "sessions", labels=labels("sessions")))
    assert not sharing.handovers(world.topology, world.snapshots())[HUB].heir
    world.put(EDGE, item("Listener", "sessions", labels=labels("sessions")))
    found = sharing.handovers(world.topology, world.snapshots())
    assert {site: one.heir for site, one in found.items()} == dict.fromkeys((CORE, EDGE, HUB), "sessions")
    assert [ref.name for ref in found[HUB].refs] == ["hub"]
    assert "hazelcast-hub" in [ref.name for ref in found[EDGE].refs]
