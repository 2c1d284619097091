"""Finds what Skupper has lost in a running topology: members without a record, routers without a Link. Pure.

The routers exchange records of the network as events. A record that is sent while a link is down can be lost: then a
ready member never gets its Service at a client site, although all conditions are Ready (Skupper 2.2.1, observed).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hzlink.model import conditions, members, objects
from hzlink.model.objects import Object
from hzlink.model.topology import Site, Topology
from hzlink.observe import links
from hzlink.observe.snapshot import Snapshot, Snapshots

# Time after a link or a member became ready, or a router started, before a missing record counts as lost.
# The maximum was 16 s (measured).
RECORD_GRACE_SECONDS = 30.0
# The effect of a restart of a router's pod, which restored lost records in 21 to 32 s (measured).
INTERRUPTION = "its connections are interrupted for about 20 to 30 s"


@dataclass(frozen=True)
class LostMember:
    """A ready member without a Service at site `client`, because the network record of `site` does not contain it."""

    site: Site
    client: Site
    name: str
    address: str


def texts(lost: Sequence[LostMember]) -> list[tuple[Site, str]]:
    """The sites with an incomplete record, each with its missing members and the effect on a client site as text."""
    by_place: dict[tuple[Site, Site], list[LostMember]] = {}
    for one in lost:
        by_place.setdefault((one.site, one.client), []).append(one)
    found = []
    for (site, client), missing in by_place.items():
        names = ", ".join(f"{one.name} ({one.address}, ready)" for one in missing)
        noun, them = ("member", "it") if len(missing) == 1 else ("members", "them")
        record = f"the network record of {site.name} does not contain {noun} {names}"
        found.append((site, f"{record}, so {client.name} has no Service for {them}"))
    return found


def lost_members(topology: Topology, snapshots: Snapshots) -> tuple[LostMember, ...]:
    """All members whose record was lost, for each client site."""
    return tuple(lost for client in topology.clients for lost in _lost_for_client(topology, snapshots, client))


def _lost_for_client(topology: Topology, snapshots: Snapshots, client: Site) -> Iterator[LostMember]:
    at_client, at_cluster = snapshots[client], snapshots[topology.cluster]
    if at_client.error is not None or at_cluster.error is not None or not _linked_for_long(topology, snapshots, client):
        return
    if not (_router_runs_for_long(at_client) and _router_runs_for_long(at_cluster)):
        return
    key = _routing_key(topology, at_cluster)
    if key is None:
        return
    uid = objects.uid(at_cluster.skupper_site or {})
    records = {snapshot.site: _connectors(snapshot, uid) for snapshot in (at_cluster, at_client)}
    services = {objects.name(service) for service in at_client.of("Service")}
    for pod in members.pods_of(topology, at_cluster.of("Pod")):
        name, address = objects.name(pod), str(objects.status(pod).get("podIP") or "")
        if name in services or not address or not conditions.is_ready(pod) or not _old_enough(pod, at_cluster.at):
            continue
        for site, record in records.items():
            if record is not None and address not in record.get(f"{key}.{name}", ()):
                yield LostMember(site, client, name, address)
                # A record that the cluster site has lost is missing at all sites.
                break


def _routing_key(topology: Topology, cluster: Snapshot) -> str | None:
    """The Connector's routing key; None if the Connector does not expose the members by name."""
    wanted = objects.spec(cluster.get("Connector", topology.service) or {})
    return str(wanted.get("routingKey") or topology.service) if wanted.get("exposePodsByName") else None


def _linked_for_long(topology: Topology, snapshots: Snapshots, client: Site) -> bool:
    """Whether the client site is linked for long, directly or over the topology's hub."""
    ends = (client, topology.cluster) if topology.hub else (client,)
    return all(_has_old_link(snapshots, end, topology.target) for end in ends)


def _has_old_link(snapshots: Snapshots, one: Site, other: Site) -> bool:
    for redeemer, issuer in ((one, other), (other, one)):
        link = links.between(snapshots, redeemer, issuer)
        if link is not None and conditions.skupper(link).ok:
            return _old_enough(link, snapshots[redeemer].at)
    return False


def _router_runs_for_long(snapshot: Snapshot) -> bool:
    """Whether the Site's router started long ago: a router that starts again first has to receive all records."""
    return _is_past(conditions.newest_start(conditions.router_pods(snapshot.items)), snapshot.at)


def _old_enough(item: Object, at: datetime | None) -> bool:
    return _is_past(conditions.since(item), at)


def _is_past(moment: datetime | None, at: datetime | None) -> bool:
    return at is None or moment is None or (at - moment).total_seconds() >= RECORD_GRACE_SECONDS


def _connectors(snapshot: Snapshot, uid: str) -> Mapping[str, Sequence[str]] | None:
    """The addresses of a Site's connectors in a site's network record, by routing key; None if it has no record."""
    entries = objects.status(snapshot.skupper_site or {}).get("network") or []
    for entry in entries:
        if entry.get("id") == uid:
            return {str(one.get("routingKey")): _addresses(one) for one in entry.get("services") or []}
    return None


def _addresses(service: Mapping[str, Any]) -> list[str]:
    return [str(address) for address in service.get("connectors") or []]


@dataclass(frozen=True)
class MissingLinks:
    """Routers of the issuing site to which the holder has no Link. `wanted`: Links to add; `useless`: Links to delete
    first, because they have the same names.
    """

    holder: Site
    issuer: Site
    token: str
    wanted: tuple[Object, ...]
    useless: tuple[Object, ...]


def missing_links(topology: Topology, snapshots: Snapshots) -> tuple[MissingLinks, ...]:
    """The missing Links to Sites with several routers.

    An additional Link uses the credentials of the existing one, which are valid for all routers of the Site.
    """
    found = []
    for site in topology.linked:
        for holder, issuer in ((site, topology.target), (topology.target, site)):
            found_links = links.all_between(snapshots, holder, issuer)
            peer = snapshots[issuer].skupper_site
            left, groups = links.uncovered(found_links, peer), list(conditions.addresses(peer))
            if not found_links or not left or len(left) == len(groups):
                continue
            token, present = links.token_of(found_links[0]), {objects.name(link): link for link in found_links}
            names = {group: f"{token}-{groups.index(group) + 1}" for group in left}
            wanted = tuple(_link(names[group], token, group, found_links[0], peer or {}) for group in left)
            useless = tuple(present[name] for name in names.values() if name in present)
            found.append(MissingLinks(holder, issuer, token, wanted, useless))
    return tuple(found)


def _link(name: str, token: str, group: str, model: Object, peer: Object) -> Object:
    endpoints = [one for one in objects.status(peer).get("endpoints") or [] if str(one.get("group") or "") == group]
    spec: dict[str, Any] = {"endpoints": endpoints, "tlsCredentials": token}
    if "cost" in objects.spec(model):
        spec["cost"] = objects.spec(model)["cost"]
    owners = (model.get("metadata") or {}).get("ownerReferences")
    # The Site owns it, as it owns the Links that Skupper makes.
    metadata = {"name": name, **({"ownerReferences": owners} if owners else {})}
    return {"apiVersion": "skupper.io/v2alpha1", "kind": "Link", "metadata": metadata, "spec": spec}
