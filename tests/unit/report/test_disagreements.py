"""Disagreements between the two sides of a link, and the conditions of `--wait`."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.model.choices import Goal
from hzlink.model.errors import HzlinkError
from hzlink.model.topology import Site
from hzlink.observe.snapshot import Snapshot
from hzlink.programs.refusals import explain
from hzlink.report import report, wait_conditions
from hzlink.report.disagreements import Kind
from tests.unit.builders import CORE, EDGE, World, converged, item, link, offer, service, skupper_site, topology

LISTENERS = {"internal.skupper.io/listener": "hazelcast"}


def found(world: World) -> list[tuple[Kind, Site, str]]:
    return [(one.kind, one.site, one.text) for one in report.make(world.topology, world.snapshots()).disagreements]


def network_entry(name: str, *, uid: str = "", up: bool | None = None, namespace: str = "hz") -> dict[str, Any]:
    """An entry of a Site's network. Unless `up` is None it has a Link to core, operational or not."""
    links = (
        []
        if up is None
        else [{"name": "hazelcast-core", "remoteSiteName": "core", **({"operational": True} if up else {})}]
    )
    return {"id": uid or f"uid-Site-{name}", "name": name, "namespace": namespace, "links": links}


def set_network(world: World, site: Site, *entries: dict[str, Any]) -> None:
    world.find(site, "Site")["status"]["network"] = list(entries)


def test_agreeing_sides_have_no_disagreement() -> None:
    world = converged()
    assert found(world) == []
    for site in (CORE, EDGE):
        set_network(world, site, network_entry("core"), network_entry("edge", up=True))
    assert found(world) == []


def test_ready_link_to_a_site_missing_from_the_network_is_found() -> None:
    world = converged()
    set_network(world, EDGE, network_entry("edge"))
    [(kind, site, text)] = found(world)
    assert (kind, site) == (Kind.NETWORK, EDGE)
    assert "says Ready, edge does not list core" in text


def test_site_missing_from_the_network_without_a_ready_link_is_ignored() -> None:
    world = converged()
    set_network(world, EDGE, network_entry("edge"))
    world.put(EDGE, link("hazelcast-core", "Pending", "Not Operational", to=world.find(CORE, "Site")))
    assert found(world) == []


def test_deleted_site_in_the_network_is_found() -> None:
    world = converged()
    set_network(world, EDGE, network_entry("edge"), network_entry("core"), network_entry("core", uid="a-former-one"))
    [(kind, site, text)] = found(world)
    assert (kind, site) == (Kind.NETWORK, EDGE)
    assert "no longer exists (skupper issue 2069)" in text
    # A foreign Site with that name in another namespace is ignored.
    set_network(
        world,
        EDGE,
        network_entry("edge"),
        network_entry("core"),
        network_entry("core", uid="another", namespace="theirs"),
    )
    assert found(world) == []


@pytest.mark.parametrize("ready", [True, False])
def test_network_that_contradicts_the_links_status_is_found(ready: bool) -> None:
    world = converged()
    if not ready:
        world.put(EDGE, link("hazelcast-core", "Pending", "Not Operational", to=world.find(CORE, "Site")))
    set_network(world, CORE, network_entry("core"), network_entry("edge", up=not ready))
    [(kind, site, text)] = found(world)
    assert (kind, site) == (Kind.LINK, CORE)
    says = "is down, the Link says: Ready" if ready else "is up, the Link says: Not Operational"
    assert text == f"core's Site says that Link hazelcast-core {says}"


@pytest.mark.parametrize(("site", "kind"), [(EDGE, "Listener"), (CORE, "Connector")])
def test_single_matched_end_is_found(site: Site, kind: str) -> None:
    world = converged()
    world.put(site, offer(kind, False))
    [(about, where, text)] = found(world)
    assert (about, where) == (Kind.OFFERS, site)
    assert text.endswith(f"the {kind} of {site.name} says: No matching {kind.lower()}s")
    # Without a link the two ends may show different moments.
    world.drop(EDGE, "Link")
    assert found(world) == []


def test_service_for_a_removed_member_is_found() -> None:
    world = converged()
    world.put(EDGE, service("hazelcast-7", labels=LISTENERS))
    world.put(EDGE, service("hazelcast", labels=LISTENERS))
    world.put(EDGE, service("hazelcast-2", labels=LISTENERS))
    [(kind, site, text)] = found(world)
    assert (kind, site) == (Kind.NAMES, EDGE)
    assert text.startswith("edge: Service hazelcast-7 no longer leads to a member: Skupper has not removed it")
    assert text.endswith("; if it stays: kubectl --context edge-ctx -n hz delete service hazelcast-7")
    assert report.make(world.topology, world.snapshots()).warnings == (), "reported once"


def test_unreadable_site_has_no_disagreement() -> None:
    world = converged()
    set_network(world, EDGE, network_entry("edge"))
    snapshots = world.snapshots() | {CORE: Snapshot(CORE, error=explain(CORE, "read objects", "Unauthorized"))}
    assert report.make(world.topology, snapshots).disagreements == ()


# Goals


def condition_of(goal: Goal, world: World, error: HzlinkError | None = None) -> tuple[bool, str]:
    snapshots = dict(world.snapshots())
    if error is not None:
        snapshots[EDGE] = Snapshot(EDGE, error=error)
    told = wait_conditions.condition(goal, report.make(world.topology, snapshots), snapshots)
    return told.ok, told.text


def test_wait_for_healthy() -> None:
    world = converged()
    assert condition_of(Goal.HEALTHY, world) == (True, "")
    world.drop(CORE, "Pod", "hazelcast-0")
    ok, text = condition_of(Goal.HEALTHY, world)
    assert (ok, text.startswith("first broken hop is the members of core: 2/3 ready")) == (False, True)


def test_wait_for_linked_ignores_members() -> None:
    world = converged()
    world.drop(CORE, "Pod", "hazelcast-0")
    assert condition_of(Goal.LINKED, world) == (True, "")
    world.drop(EDGE, "Link")
    assert condition_of(Goal.LINKED, world) == (False, "edge: not linked")


def test_wait_for_gone_includes_skuppers_objects() -> None:
    world = World(topology(), {CORE: [], EDGE: [item("Service", "of-others")]})
    assert condition_of(Goal.GONE, world) == (True, "")
    world.live[CORE] = [service(f"made-{number}", owner=skupper_site("core")) for number in range(7)]
    ok, text = condition_of(Goal.GONE, world)
    assert (ok, text) == (False, "core: " + ", ".join(f"services/made-{n}" for n in range(5)) + " and 2 more")
    world.live[CORE] = [service("hazelcast", ours=True)]
    assert condition_of(Goal.GONE, world) == (False, "core: services/hazelcast")


def test_missing_namespace_is_gone_and_an_unreadable_one_is_not() -> None:
    world = World(topology(), {CORE: [], EDGE: []})
    assert condition_of(Goal.GONE, world, explain(EDGE, "read objects", 'namespaces "hz" not found'))[0]
    ok, text = condition_of(Goal.GONE, world, explain(EDGE, "read objects", "Unauthorized"))
    assert (ok, text.startswith("edge: ")) == (False, True)
