"""What Skupper has lost of a topology that runs: members without a record, routers without a Link. Pure.

Records of the network travel between the routers as events, and one that is sent while a link is down can be lost for
good: then a ready member never gets its Service at a client site, though everything says Ready (Skupper 2.2.1, seen).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hzlink.model import conditions, objects
from hzlink.model.objects import Object
from hzlink.model.topology import ROUTING_KEY, WORKLOAD, Site, Topology
from hzlink.observe import links
from hzlink.observe.snapshot import Snapshot, Snapshots

# Seconds after a link came up or a member got ready, before a record counts as lost: 16 were the most (measured).
RECORD_GRACE = 30.0
# What a restart of a router's pod interrupts, and for how long: it brought lost records back in 21 to 32 s (measured).
INTERRUPTION = "connections through it stop for some 20 to 30 s"


@dataclass(frozen=True)
class LostMember:
    """A ready member that a client site has no Service for, as the record of the network of `site` lacks it."""

    site: Site
    client: Site
    name: str
    address: str

    @property
    def text(self) -> str:
        """Whose record lacks whom, and what follows from it."""
        record = f"{self.site.name}'s record of the network lacks member {self.name} ({self.address}, ready)"
        return f"{record}, so {self.client.name} has no Service for it"


def lost_members(topology: Topology, snapshots: Snapshots) -> tuple[LostMember, ...]:
    """All members of which a record was lost."""
    return tuple(lost for client in topology.clients for lost in _of_client(topology, snapshots, client))


def _of_client(topology: Topology, snapshots: Snapshots, client: Site) -> Iterator[LostMember]:
    near, far = snapshots[client], snapshots[topology.cluster]
    if near.error is not None or far.error is not None or not _linked_for_long(topology, snapshots, client):
        return
    key = _routing_key(far)
    if key is None:
        return
    uid = objects.uid(far.skupper_site or {})
    records = {snapshot.site: _connectors(snapshot, uid) for snapshot in (far, near)}
    there = {objects.name(service) for service in near.of("Service")}
    for pod in conditions.of_app(far.of("Pod"), WORKLOAD):
        name, address = objects.name(pod), str(objects.status(pod).get("podIP") or "")
        if name in there or not address or not conditions.is_ready(pod) or not _old_enough(pod, far.at):
            continue
        for site, record in records.items():
            if record is not None and address not in record.get(f"{key}.{name}", ()):
                yield LostMember(site, client, name, address)
                # What the cluster site's own record lacks, no other can have.
                break


def _routing_key(cluster: Snapshot) -> str | None:
    """The Connector's routing key; None where it does not expose the members by name."""
    wanted = objects.spec(cluster.get("Connector", WORKLOAD) or {})
    return str(wanted.get("routingKey") or ROUTING_KEY) if wanted.get("exposePodsByName") else None


def _linked_for_long(topology: Topology, snapshots: Snapshots, client: Site) -> bool:
    for redeemer, issuer in ((client, topology.cluster), (topology.cluster, client)):
        link = links.between(snapshots, redeemer, issuer)
        if link is not None and conditions.skupper(link).ok:
            return _old_enough(link, snapshots[redeemer].at)
    return False


def _old_enough(item: Object, at: datetime | None) -> bool:
    since = conditions.since(item)
    return at is None or since is None or (at - since).total_seconds() >= RECORD_GRACE


def _connectors(snapshot: Snapshot, uid: str) -> Mapping[str, Sequence[str]] | None:
    """What a site has heard of the connectors of a Site, by routing key; None where it has heard nothing at all."""
    entries = objects.status(snapshot.skupper_site or {}).get("network") or []
    for entry in entries:
        if entry.get("id") == uid:
            return {str(one.get("routingKey")): _addresses(one) for one in entry.get("services") or []}
    return None


def _addresses(service: Mapping[str, Any]) -> list[str]:
    return [str(address) for address in service.get("connectors") or []]


@dataclass(frozen=True)
class MissingLinks:
    """Routers of the issuing site that no Link of the holder's leads to: the Links to add, and those in their way."""

    holder: Site
    issuer: Site
    token: str
    wanted: tuple[Object, ...]
    useless: tuple[Object, ...]


def missing_links(topology: Topology, snapshots: Snapshots) -> tuple[MissingLinks, ...]:
    """What is missing of the links of a Site with several routers.

    A Link more takes the credentials of the one that is there, which are good for all routers of the Site.
    """
    found = []
    for client in topology.clients:
        for holder, issuer in ((client, topology.cluster), (topology.cluster, client)):
            there = links.all_between(snapshots, holder, issuer)
            peer = snapshots[issuer].skupper_site
            left, groups = links.uncovered(there, peer), list(conditions.addresses(peer))
            if not there or not left or len(left) == len(groups):
                continue
            token, present = links.token_of(there[0]), {objects.name(link): link for link in there}
            names = {group: f"{token}-{groups.index(group) + 1}" for group in left}
            wanted = tuple(_link(names[group], token, group, there[0], peer or {}) for group in left)
            useless = tuple(present[name] for name in names.values() if name in present)
            found.append(MissingLinks(holder, issuer, token, wanted, useless))
    return tuple(found)


def _link(name: str, token: str, group: str, model: Object, peer: Object) -> Object:
    endpoints = [one for one in objects.status(peer).get("endpoints") or [] if str(one.get("group") or "") == group]
    spec: dict[str, Any] = {"endpoints": endpoints, "tlsCredentials": token}
    if "cost" in objects.spec(model):
        spec["cost"] = objects.spec(model)["cost"]
    owners = (model.get("metadata") or {}).get("ownerReferences")
    # With the Site goes all that belongs to it, as with the Links that Skupper makes itself.
    metadata = {"name": name, **({"ownerReferences": owners} if owners else {})}
    return {"apiVersion": "skupper.io/v2alpha1", "kind": "Link", "metadata": metadata, "spec": spec}
