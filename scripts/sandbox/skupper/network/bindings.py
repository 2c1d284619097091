"""The status of Listeners and Connectors."""

from __future__ import annotations

from functools import partial

from sandbox.api.kinds import SERVICES, Obj, Objs, Resource
from sandbox.skupper.controller import kinds, status
from sandbox.skupper.controller.cluster import Cluster
from sandbox.skupper.controller.reconcile import Cycle
from sandbox.skupper.controller.sites import Sites
from sandbox.skupper.network.adoption import Adoption
from sandbox.skupper.network.network import SiteRecord
from sandbox.skupper.network.targets import matching_pods, selected_pods

LISTENER_LABEL = "internal.skupper.io/listener"
_NO_SITE = "No active site in namespace"


class Bindings:
    """The Listeners and Connectors of all namespaces."""

    def __init__(self, sites: Sites, adoption: Adoption) -> None:
        self._sites = sites
        self._adoption = adoption
        self._had_pods: set[str] = set()
        self.valid_listeners: dict[tuple[str, str], Objs] = {}
        """The valid Listeners of each (cluster, namespace) with a working Site."""

    def step(self, cycle: Cycle, cluster: Cluster, records_by_site: dict[str, list[SiteRecord]]) -> None:
        """Updates their status. `records_by_site` is each Site's network status by the Site's uid."""
        self.valid_listeners = {key: found for key, found in self.valid_listeners.items() if key[0] != cluster.name}
        working = self._sites.working(cluster)
        for resource in (kinds.LISTENERS, kinds.CONNECTORS):
            for namespace in {obj["metadata"]["namespace"] for obj in cluster.all(resource)} - set(working):
                self._without_site(cycle, cluster, resource, namespace)
        cycle.for_each(working.values(), partial(self._of_site, cycle, cluster, records_by_site))

    def _of_site(self, cycle: Cycle, cluster: Cluster, records_by_site: dict[str, list[SiteRecord]], site: Obj) -> None:
        records = records_by_site.get(site["metadata"]["uid"])
        self._connectors(cluster, site, records)
        self.valid_listeners[cluster.name, site["metadata"]["namespace"]] = self._listeners(
            cycle, cluster, site, records
        )

    def _known(self, cluster: Cluster, resource: Resource, site: Obj) -> Objs:
        """The namespace's objects that the Site has adopted."""
        found = cluster.all(resource, site["metadata"]["namespace"])
        return [obj for obj in found if self._adoption.knows(site, obj)]

    def _without_site(self, cycle: Cycle, cluster: Cluster, resource: Resource, namespace: str) -> None:
        """Sets the status of a new object at once, of one whose Site was deleted at the next resync."""
        for obj in cluster.all(resource, namespace):
            uid = obj["metadata"]["uid"]
            resynced = cycle.elapsed("resync", cycle.delays.resync, cluster.name, namespace, of=f"{uid} no site")
            if "conditions" in obj.get("status", {}) and not resynced:
                continue
            with cluster.status_of(resource, obj) as fresh:
                status.mark(fresh, status.CONFIGURED, status.error(_NO_SITE), status.LISTENER_NEEDS)

    # Connectors

    def _connectors(self, cluster: Cluster, site: Obj, records: list[SiteRecord] | None) -> None:
        for connector in self._known(cluster, kinds.CONNECTORS, site):
            problem = self._connector_problem(cluster, connector)
            with cluster.status_of(kinds.CONNECTORS, connector) as fresh:
                if problem is not None:
                    status.mark(fresh, status.CONFIGURED, status.ok_or_error(problem), status.CONNECTOR_NEEDS)
                if records is not None:
                    matched = _has_listener(records, connector["spec"]["routingKey"])
                    status.set_field(fresh, "hasMatchingListener", matched or None)
                    state = status.ok_or_pending(matched, "No matching listeners")
                    status.mark(fresh, status.MATCHED, state, status.CONNECTOR_NEEDS)

    def _connector_problem(self, cluster: Cluster, connector: Obj) -> str | None:
        """Its error or an empty text; None (no status yet) until a pod with its labels has existed."""
        uid = connector["metadata"]["uid"]
        if connector["spec"].get("host") or selected_pods(cluster, connector):
            self._had_pods.add(uid)
            return ""
        if matching_pods(cluster, connector):
            self._had_pods.add(uid)
        if uid in self._had_pods:
            return "No matches for selector"
        before = status.find(connector, status.CONFIGURED)
        return "" if before is not None and before["message"] == _NO_SITE else None

    # Listeners

    def _listeners(self, cycle: Cycle, cluster: Cluster, site: Obj, records: list[SiteRecord] | None) -> Objs:
        """Updates their status; returns the valid ones."""
        valid: Objs = []
        namespace = site["metadata"]["namespace"]
        first: dict[tuple[str, int], str] = {}
        for listener in self._known(cluster, kinds.LISTENERS, site):
            spec, name = listener["spec"], listener["metadata"]["name"]
            problem = _host_taken(cluster, listener)
            leader = first.setdefault((spec["host"], spec["port"]), name)
            if not problem and leader != name:
                where = f"host {spec['host']} and port {spec['port']}"
                problem = f"Listener {leader} with {where} already exists in namespace"
            if not problem:
                valid.append(listener)
            with cluster.status_of(kinds.LISTENERS, listener) as fresh:
                status.mark(fresh, status.CONFIGURED, status.ok_or_error(problem), status.LISTENER_NEEDS)
                if records is not None:
                    pending = cycle.faults.get("listener", cluster.name, namespace) == "pending"
                    matched = not pending and _has_connector(records, spec["routingKey"])
                    status.set_field(fresh, "hasMatchingConnector", matched or None)
                    state = status.ok_or_pending(matched, "No matching connectors")
                    status.mark(fresh, status.MATCHED, state, status.LISTENER_NEEDS)
        return valid


def _host_taken(cluster: Cluster, listener: Obj) -> str:
    """The error when the host's Service exists and is not a listener's."""
    host, namespace = listener["spec"]["host"], listener["metadata"]["namespace"]
    service = cluster.get(SERVICES, namespace, host)
    if service is None or LISTENER_LABEL in (service["metadata"].get("labels") or {}):
        return ""
    return f"Service {host} already exists in namespace"


def _has_connector(records: list[SiteRecord], key: str) -> bool:
    return any(found and address == key for r in records for address, found in r.services.connectors)


def _has_listener(records: list[SiteRecord], key: str) -> bool:
    return any(found and address == key for r in records for address, found in r.services.listeners)
