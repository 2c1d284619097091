"""Writes a Site's network status into its namespace: to a ConfigMap, the Site and its Links."""

from __future__ import annotations

import json
from functools import partial

from sandbox.api.kinds import CONFIG_MAPS, DEPLOYMENTS, Obj, Objs
from sandbox.skupper import VERSION
from sandbox.skupper.controller import kinds, status, templates
from sandbox.skupper.controller.cluster import Cluster, owner
from sandbox.skupper.controller.links import report
from sandbox.skupper.controller.reconcile import Cycle
from sandbox.skupper.controller.sites import Sites
from sandbox.skupper.network.network import Network, SiteRecord


class NetworkStatus:
    """Writes every Site's network status when it has changed."""

    def __init__(self, sites: Sites, network: Network) -> None:
        self._sites = sites
        self._network = network
        self._written: dict[str, list[SiteRecord]] = {}

    def records(self, cluster: Cluster) -> dict[str, list[SiteRecord]]:
        """By the Site's uid, for Sites whose router has reported."""
        found = {}
        for site in self._sites.working(cluster).values():
            records = self._network.network_status(site["metadata"]["uid"])
            if records is not None:
                found[site["metadata"]["uid"]] = records
        return found

    def step(self, cycle: Cycle, cluster: Cluster) -> None:
        """Updates ConfigMaps, Sites and Links."""
        cycle.for_each(self._sites.working(cluster).values(), partial(self._publish, cluster))

    def _publish(self, cluster: Cluster, site: Obj) -> None:
        uid = site["metadata"]["uid"]
        records = self._network.network_status(uid)
        if records is None:
            return
        if self._written.get(uid) != records and _write(cluster, site["metadata"]["namespace"], records):
            self._written[uid] = records
        _write_site(cluster, site, records)
        _write_links(cluster, site, records)


def _write_site(cluster: Cluster, site: Obj, records: list[SiteRecord]) -> None:
    with cluster.status_of(kinds.SITES, site) as fresh:
        status.set_field(fresh, "network", [as_status(record) for record in records])
        status.set_field(fresh, "sitesInNetwork", len(records))


def _write_links(cluster: Cluster, site: Obj, records: list[SiteRecord]) -> None:
    """Updates the Links. One whose other end is not in the network status keeps its status."""
    own = next((record for record in records if record.uid == site["metadata"]["uid"]), None)
    for published in own.links if own is not None else ():
        link = cluster.get(kinds.LINKS, site["metadata"]["namespace"], published.name)
        if link is not None:
            report(cluster, link, published.operational, published.remote_id, published.remote_name)


def as_status(record: SiteRecord) -> Obj:
    """One entry of a Site's `status.network`. As in the real one, empty and false fields are left out."""
    services: dict[str, Obj] = {}
    for field, table in (("connectors", record.services.connectors), ("listeners", record.services.listeners)):
        for key, names in table:
            services.setdefault(key, {"routingKey": key})[field] = list(names)
    links: Objs = [
        {"name": link.name, "remoteSiteId": link.remote_id, "remoteSiteName": link.remote_name}
        | ({"operational": True} if link.operational else {})
        for link in record.links
    ]
    entry: Obj = {
        "id": record.uid,
        "name": record.name,
        "namespace": record.namespace,
        "platform": "kubernetes",
        "version": VERSION,
    }
    if links:
        entry["links"] = links
    if services:
        entry["services"] = list(services.values())
    return entry


def _write(cluster: Cluster, namespace: str, records: list[SiteRecord]) -> bool:
    """Writes the ConfigMap; false while there is no router Deployment to own it."""
    deployment = cluster.get(DEPLOYMENTS, namespace, templates.ROUTER)
    if deployment is None:
        return False
    # The real data has another form; hzlink reads the Site's status instead.
    data = {"NetworkStatus": json.dumps([as_status(record) for record in records], separators=(",", ":"))}
    meta = {"name": templates.NETWORK_STATUS, "namespace": namespace, "ownerReferences": owner(deployment)}
    return cluster.merge(CONFIG_MAPS, {"metadata": meta, "data": data})
