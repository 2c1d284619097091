"""Whether all sites of a topology are namespaces of one cluster. Then their Link needs no address outside it.

Two certificates of API servers that differ tell two clusters apart, and are in what `up` reads anyway (ConfigMap
kube-root-ca.crt, which every namespace has). Equal ones prove nothing: only then, the clusters are asked for the UID of
their namespace kube-system, which is one in the world. A server's address proves nothing either: a proxy has one for
many clusters.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hzlink.model import conditions, objects
from hzlink.model.choices import LinkAccess
from hzlink.model.topology import Site, Topology
from hzlink.observe import cluster_identity
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.programs.refusals import Refusal

ROOT_CA = "kube-root-ca.crt"


async def are_in_one(sites: Sequence[Site], snapshots: Snapshots) -> bool:
    """Whether the sites are in one cluster. Not known counts as no."""
    told = by_certificates(sites, snapshots)
    return told if told is not None else by_uids(await _uids(sites))


async def settled(topology: Topology, snapshots: Snapshots) -> Topology:
    """The topology with the link access that fits: inside the cluster, where all sites are in one.

    A Site of hzlink's that can be reached already keeps its link access.
    """
    ours = [
        site
        for snapshot in snapshots.values()
        if (site := snapshot.skupper_site) is not None and objects.is_ours(site, topology.name)
    ]
    access = {str(objects.spec(site).get("linkAccess")) for site in ours if conditions.address(site)}
    inside = LinkAccess.LOCAL in access if access else await are_in_one(topology.sites, snapshots)
    if not inside:
        return topology
    return replace(topology, settings=replace(topology.settings, link_access=LinkAccess.LOCAL))


def by_certificates(sites: Sequence[Site], snapshots: Snapshots) -> bool | None:
    """What contexts and certificates tell: yes for one context, no for several certificates; None: ask the clusters."""
    if len({(site.kubeconfig, site.context) for site in sites}) == 1:
        return True
    found = [_certificate(snapshots[site]) for site in sites]
    known = {certificate for certificate in found if certificate}
    to_come = any(snapshots[site].refusal is Refusal.NO_NAMESPACE or not snapshots[site].items for site in sites)
    if len(known) > 1 or (len(known) < 1 and not to_come):
        return False
    return None if to_come or all(found) else False


def by_uids(uids: Mapping[Site, str]) -> bool:
    """Whether all sites' clusters have the same UID; empty ones are not known."""
    return len(set(uids.values())) == 1 and all(uids.values())


def _certificate(snapshot: Snapshot) -> str:
    data = (snapshot.get("ConfigMap", ROOT_CA) or {}).get("data")
    return str(data.get("ca.crt") or "") if isinstance(data, Mapping) else ""


async def _uids(sites: Sequence[Site]) -> dict[Site, str]:
    found = await asyncio.gather(*(cluster_identity.ask(site, cluster_identity.DEADLINE) for site in sites))
    return {site: identity.cluster for site, identity in zip(sites, found, strict=True)}
