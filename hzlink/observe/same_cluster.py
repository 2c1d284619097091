"""Detects whether all sites of a topology are in the same cluster. Then their Link needs no address outside it.

Different root certificates prove that clusters are different; `up` reads them in any case (ConfigMap kube-root-ca.crt,
which every namespace has). Equal ones prove nothing: then the UIDs of the namespaces kube-system, which are globally
unique, are compared. A server's address proves nothing either: a proxy may have one for many clusters.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hzlink.model import conditions, objects
from hzlink.model.choices import LinkAccess
from hzlink.model.topology import MANAGED_BY, MANAGER, Site, Topology
from hzlink.observe import cluster_identity
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.programs.refusals import Refusal

ROOT_CA = "kube-root-ca.crt"


async def are_in_one(sites: Sequence[Site], snapshots: Snapshots) -> bool:
    """Whether the sites are in the same cluster; False if that is not known."""
    by_certificate = by_certificates(sites, snapshots)
    return by_certificate if by_certificate is not None else by_uids(await _uids(sites))


async def with_link_access(topology: Topology, snapshots: Snapshots) -> Topology:
    """The topology with its link access. AUTO becomes LOCAL if all sites are in the same cluster.

    Unchanged with a --link-host. With AUTO, a Site of hzlink (for any topology) that has an address already keeps its
    link access.
    """
    if topology.settings.link_access is not LinkAccess.AUTO or topology.settings.link_host is not None:
        return topology
    ours = [
        site
        for snapshot in snapshots.values()
        if (site := snapshot.skupper_site) is not None and objects.labels(site).get(MANAGED_BY) == MANAGER
    ]
    access = [str(objects.spec(site).get("linkAccess")) for site in ours if conditions.address(site)]
    known = [LinkAccess(one) for one in access if one in list(LinkAccess)]
    if not access and await are_in_one(topology.sites, snapshots):
        known = [LinkAccess.LOCAL]
    if not known:
        return topology
    return replace(topology, settings=replace(topology.settings, link_access=known[0]))


def by_certificates(sites: Sequence[Site], snapshots: Snapshots) -> bool | None:
    """Whether the sites are in one cluster, by contexts and certificates; None if the UIDs have to be compared.

    True for a single context, False for different certificates.
    """
    if len({(site.kubeconfig, site.context) for site in sites}) == 1:
        return True
    found = [_certificate(snapshots[site]) for site in sites]
    known = {certificate for certificate in found if certificate}
    missing = any(_has_no_namespace(snapshots[site]) for site in sites)
    if len(known) > 1 or (len(known) < 1 and not missing):
        return False
    return None if missing or all(found) else False


def by_uids(uids: Mapping[Site, str]) -> bool:
    """Whether all sites' clusters have the same UID; an empty UID is unknown and matches none."""
    return len(set(uids.values())) == 1 and all(uids.values())


def _has_no_namespace(snapshot: Snapshot) -> bool:
    """Whether the site's namespace does not exist yet. A site that cannot be read is not asked again."""
    return snapshot.refusal is Refusal.NO_NAMESPACE or (snapshot.error is None and not snapshot.items)


def _certificate(snapshot: Snapshot) -> str:
    data = (snapshot.get("ConfigMap", ROOT_CA) or {}).get("data")
    return str(data.get("ca.crt") or "") if isinstance(data, Mapping) else ""


async def _uids(sites: Sequence[Site]) -> dict[Site, str]:
    found = await asyncio.gather(*(cluster_identity.read(site, cluster_identity.DEADLINE_SECONDS) for site in sites))
    return {site: identity.cluster for site, identity in zip(sites, found, strict=True)}
