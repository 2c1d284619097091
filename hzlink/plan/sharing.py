"""Topologies that share namespaces: one Skupper Site and one Link serve them all. Pure.

The Site, its Links and a namespace that hzlink made have the label of one topology, which applies them. The others use
them unchanged. `down` hands them over to a topology that stays, so that the last `down` removes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hzlink.model import objects
from hzlink.model.errors import PrerequisiteError, UsageError
from hzlink.model.objects import Object, Ref
from hzlink.model.topology import Site, Topology
from hzlink.observe import links
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.plan import leftovers, link_host
from hzlink.programs import hints


def is_made_by_hzlink(item: Object | None) -> bool:
    """Whether hzlink made the object, for any topology."""
    return item is not None and leftovers.is_made_by_hzlink(item)


def is_shared(topology: Topology, site: Object | None) -> bool:
    """Whether hzlink made the Skupper Site, for another topology."""
    return is_made_by_hzlink(site) and not objects.is_ours(site or {}, topology.name)


def others_at(topology: Topology, snapshot: Snapshot) -> dict[str, list[Object]]:
    """The other topologies of hzlink that use the namespace, by name, with their own objects."""
    return {name: items for name, items in snapshot.topologies.items() if name != topology.name}


def neighbours(topology: Topology, snapshots: Snapshots) -> tuple[Topology, ...]:
    """The other topologies with a Connector at the cluster site and a Listener at some of the client sites.

    The name of their Service is the Connector's. Other settings are the topology's defaults.
    """
    found = []
    for name, items in others_at(topology, snapshots[topology.cluster]).items():
        service = next((objects.name(item) for item in items if item.get("kind") == "Connector"), "")
        clients = tuple(
            client
            for client in topology.clients
            if any(item.get("kind") == "Listener" for item in others_at(topology, snapshots[client]).get(name, ()))
        )
        if service and clients:
            settings = replace(topology.settings, service=service, members_from=None, found=None, app_namespaces=())
            found.append(replace(topology, name=name, clients=clients, settings=settings))
    return tuple(found)


def with_its_service(topology: Topology, snapshots: Snapshots) -> Topology:
    """The topology with the name of its Connector as its Service, if the configured Service is not its own."""
    connectors = snapshots[topology.cluster].of("Connector")
    own = [objects.name(one) for one in connectors if objects.is_ours(one, topology.name)]
    if not own or topology.service in own:
        return topology
    return replace(topology, settings=replace(topology.settings, service=own[0]))


def candidates(topology: Topology, snapshots: Snapshots) -> list[Topology]:
    """The topologies in the namespaces, by name: those that a user without --name may mean. At least one."""
    others = neighbours(topology, snapshots)
    own = [topology] if not others or is_present(topology, snapshots) else []
    return sorted([*own, *others], key=lambda one: one.name)


def ambiguous(command: str, names: Sequence[str], said: str | None = None) -> UsageError:
    """The error of a command for one topology, if the user may mean one of several."""
    first, *others = (f"{command} --name {name}" for name in names)
    return UsageError(
        f"which topology? In these namespaces there is more than the one of the last `hzlink up`: {', '.join(names)}",
        said=said,
        next_step=hints.hzlink(first) + (f"   (or: {', '.join(f'hzlink {one}' for one in others)})" if others else ""),
    )


def is_present(topology: Topology, snapshots: Snapshots) -> bool:
    """Whether the topology has objects at any site; also if a site cannot be read, which may have some."""
    return any(
        snapshot.error is not None or any(objects.is_ours(item, topology.name) for item in snapshot.items)
        for snapshot in snapshots.values()
    )


def needs_link_access(topology: Topology, snapshot: Snapshot) -> bool:
    """Whether the Skupper Site has link access that another topology may need."""
    access = objects.spec(snapshot.skupper_site or {}).get("linkAccess")
    return access not in (None, "", "none") and bool(others_at(topology, snapshot))


def clash(topology: Topology, snapshot: Snapshot) -> PrerequisiteError | None:
    """The error if another topology of hzlink already has objects with this topology's names; None if none has."""
    names = {topology.service, topology.mancenter, f"{topology.service}-config", f"{topology.mancenter}-config"}
    for name, items in others_at(topology, snapshot).items():
        if taken := next((item for item in items if objects.name(item) in names), None):
            site = snapshot.site
            return PrerequisiteError(
                f"topology {name} already uses the name {topology.service} in namespace {site.namespace}",
                site=site.name,
                subject=f"{taken['kind']} {objects.name(taken)}",
                said="topologies in one namespace need Services of different names",
                next_step=f"{hints.hzlink('up --service NAME')}   (or, if you mean that topology: --name {name})",
            )
    return None


@dataclass(frozen=True)
class Handover:
    """What stays at a site when its topology is removed. `heir`: the topology that gets it; empty if nothing stays."""

    heir: str = ""
    refs: tuple[Ref, ...] = ()


def users(topology: Topology, snapshots: Snapshots) -> dict[Site, set[str]]:
    """The names of the other topologies that use each observed site, with those that use its hub or former hub."""
    found = {site: set(others_at(topology, snapshot)) for site, snapshot in snapshots.items()}
    at_clients = set[str]().union(*(found.get(client, set()) for client in topology.clients))
    for hub in (topology.hub, topology.former_hub):
        if hub in found:
            # A topology has no objects of its own at a hub: it uses the hub of the sites that it shares.
            found[hub] |= found.get(topology.cluster, set()) & at_clients
    return found


def handovers(topology: Topology, snapshots: Snapshots) -> Mapping[Site, Handover]:
    """For each observed site: its Skupper Site and Links that hzlink made for this topology and that others still use.

    A Link stays if another topology uses both its ends. The other end of a Link may be unknown, if `down` removes only
    some sites; then the Link stays, too.
    """
    found = users(topology, snapshots)
    return {site: _handover(topology, snapshots, site, found) for site in snapshots}


def _handover(topology: Topology, snapshots: Snapshots, site: Site, users: Mapping[Site, set[str]]) -> Handover:
    if not users[site]:
        return Handover()
    useless = {
        objects.ref(link)
        for peer in snapshots
        if peer != site and not users[site] & users[peer]
        for link in links.all_between(snapshots, site, peer)
    }
    ours = [item for item in snapshots[site].items if objects.is_ours(item, topology.name)]
    shared = [objects.ref(item) for item in ours if item["kind"] in ("Site", "Link")]
    # The access that the Links lead to.
    kept = (*shared, *(ref for item in ours if (ref := objects.ref(item)) in link_host.REFS))
    return Handover(min(users[site]), tuple(ref for ref in kept if ref not in useless))
