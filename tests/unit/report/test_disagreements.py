"""Where the two sides of a link say different things, and what `--wait` waits for."""

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


def heard(name: str, *, uid: str = "", up: bool | None = None, namespace: str = "hz") -> dict[str, Any]:
    """An entry of a Site's network, with its Link to core if `up` says how that is."""
    links = (
        []
        if up is None
        else [{"name": "hazelcast-core", "remoteSiteName": "core", **({"operational": True} if up else {})}]
    )
    return {"id": uid or f"uid-Site-{name}", "name": name, "namespace": namespace, "links": links}


def knows(world: World, site: Site, *entries: dict[str, Any]) -> None:
    world.find(site, "Site")["status"]["network"] = list(entries)


def test_two_sides_that_agree_are_no_finding() -> None:
    world = converged()
    assert found(world) == []
    for site in (CORE, EDGE):
        knows(world, site, heard("core"), heard("edge", up=True))
    assert found(world) == []


def test_a_site_that_does_not_know_the_other_although_the_link_is_ready() -> None:
    world = converged()
    knows(world, EDGE, heard("edge"))
    [(kind, site, text)] = found(world)
    assert (kind, site) == (Kind.NETWORK, EDGE)
    assert "says Ready, edge does not list core" in text


def test_without_a_link_nobody_needs_to_know_the_other() -> None:
    world = converged()
    knows(world, EDGE, heard("edge"))
    world.put(EDGE, link("hazelcast-core", "Pending", "Not Operational", to=world.find(CORE, "Site")))
    assert found(world) == []


def test_a_site_that_is_no_more_is_still_listed() -> None:
    world = converged()
    knows(world, EDGE, heard("edge"), heard("core"), heard("core", uid="a-former-one"))
    [(kind, site, text)] = found(world)
    assert (kind, site) == (Kind.NETWORK, EDGE)
    assert "no longer exists (skupper issue 2069)" in text
    # Another's Site of that name in another namespace is none of ours.
    knows(world, EDGE, heard("edge"), heard("core"), heard("core", uid="another", namespace="theirs"))
    assert found(world) == []


@pytest.mark.parametrize("ready", [True, False])
def test_the_network_says_otherwise_than_the_link(ready: bool) -> None:
    world = converged()
    if not ready:
        world.put(EDGE, link("hazelcast-core", "Pending", "Not Operational", to=world.find(CORE, "Site")))
    knows(world, CORE, heard("core"), heard("edge", up=not ready))
    [(kind, site, text)] = found(world)
    assert (kind, site) == (Kind.LINK, CORE)
    says = "is down, the Link says: Ready" if ready else "is up, the Link says: Not Operational"
    assert text == f"core's Site says that Link hazelcast-core {says}"


@pytest.mark.parametrize(("site", "kind"), [(EDGE, "Listener"), (CORE, "Connector")])
def test_only_one_end_is_matched(site: Site, kind: str) -> None:
    world = converged()
    world.put(site, offer(kind, False))
    [(about, where, text)] = found(world)
    assert (about, where) == (Kind.OFFERS, site)
    assert text.endswith(f"the {kind} of {site.name} says: No matching {kind.lower()}s")
    # Without a link each end tells of another time.
    world.drop(EDGE, "Link")
    assert found(world) == []


def test_a_service_for_a_member_that_is_no_more() -> None:
    world = converged()
    world.put(EDGE, service("hazelcast-7", labels=LISTENERS))
    world.put(EDGE, service("hazelcast", labels=LISTENERS))
    world.put(EDGE, service("hazelcast-2", labels=LISTENERS))
    [(kind, site, text)] = found(world)
    assert (kind, site) == (Kind.NAMES, EDGE)
    assert text.startswith("edge: Service hazelcast-7 no longer leads to a member: Skupper has not removed it")
    assert text.endswith("; if it stays: kubectl --context edge-ctx -n hz delete service hazelcast-7")
    assert report.make(world.topology, world.snapshots()).warnings == (), "said once"


def test_a_site_that_cannot_be_read_says_nothing() -> None:
    world = converged()
    knows(world, EDGE, heard("edge"))
    snapshots = world.snapshots() | {CORE: Snapshot(CORE, error=explain(CORE, "read objects", "Unauthorized"))}
    assert report.make(world.topology, snapshots).disagreements == ()


# Goals


def reading(goal: Goal, world: World, error: HzlinkError | None = None) -> tuple[bool, str]:
    snapshots = dict(world.snapshots())
    if error is not None:
        snapshots[EDGE] = Snapshot(EDGE, error=error)
    told = wait_conditions.condition(goal, report.make(world.topology, snapshots), snapshots)
    return told.ok, told.text


def test_healthy() -> None:
    world = converged()
    assert reading(Goal.HEALTHY, world) == (True, "")
    world.drop(CORE, "Pod", "hazelcast-0")
    ok, text = reading(Goal.HEALTHY, world)
    assert (ok, text.startswith("first broken hop is the members of core: 2/3 ready")) == (False, True)


def test_linked_is_less_than_healthy() -> None:
    world = converged()
    world.drop(CORE, "Pod", "hazelcast-0")
    assert reading(Goal.LINKED, world) == (True, "")
    world.drop(EDGE, "Link")
    assert reading(Goal.LINKED, world) == (False, "edge: not linked")


def test_gone_is_without_anything_of_hzlinks_or_of_what_skupper_made_of_it() -> None:
    world = World(topology(), {CORE: [], EDGE: [item("Service", "of-others")]})
    assert reading(Goal.GONE, world) == (True, "")
    world.live[CORE] = [service(f"made-{number}", owner=skupper_site("core")) for number in range(7)]
    ok, text = reading(Goal.GONE, world)
    assert (ok, text) == (False, "core: " + ", ".join(f"services/made-{n}" for n in range(5)) + " and 2 more")
    world.live[CORE] = [service("hazelcast", ours=True)]
    assert reading(Goal.GONE, world) == (False, "core: services/hazelcast")


def test_a_namespace_that_is_not_there_is_empty_and_one_that_cannot_be_read_may_not_be() -> None:
    world = World(topology(), {CORE: [], EDGE: []})
    assert reading(Goal.GONE, world, explain(EDGE, "read objects", 'namespaces "hz" not found'))[0]
    ok, text = reading(Goal.GONE, world, explain(EDGE, "read objects", "Unauthorized"))
    assert (ok, text.startswith("edge: ")) == (False, True)
