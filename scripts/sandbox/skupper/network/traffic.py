"""Relays for Listeners' Services and load balancers, by the network's connections and the pods' processes.

Reads `endpoints.json` (running pods' processes), writes `services.json` (Services that lead to a relay). A Service's
name resolves as soon as the Service exists; its relay listens only while the routers forward its traffic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.api.kinds import PODS, SERVICES, Obj
from sandbox.layout import Layout, read_json, write_json
from sandbox.skupper.controller.cluster import Cluster, labels_match
from sandbox.skupper.controller.load_balancers import address_of
from sandbox.skupper.controller.reconcile import Cycle
from sandbox.skupper.network.exposure import Exposure
from sandbox.skupper.network.network import Network
from sandbox.skupper.network.relays import Address, Relays
from sandbox.skupper.network.targets import StateCollector, Target, targets

_RETRY = 1.0


@dataclass
class AddressPool:
    """Loopback addresses for Services. Addresses are reused as late as possible, because clients may cache them."""

    net: str
    """The first two numbers, such as `127.0`."""
    of: dict[str, str] = field(default_factory=dict)
    _last: int = -1

    def address(self, uid: str) -> str:
        """The address of the Service with this uid."""
        if uid not in self.of:
            taken = set(self.of.values())
            while (found := self._next()) in taken:
                continue
            self.of[uid] = found
        return self.of[uid]

    def keep(self, uids: set[str]) -> None:
        """Frees the others' addresses."""
        for uid in set(self.of) - uids:
            del self.of[uid]

    def _next(self) -> str:
        self._last = (self._last + 1) % 2500
        return f"{self.net}.{240 + self._last // 250}.{1 + self._last % 250}"


class Traffic:
    """Updates relays and `services.json`."""

    def __init__(
        self, layout: Layout, net: str, collector: StateCollector, network: Network, exposure: Exposure
    ) -> None:
        self._layout = layout
        self._sites = collector.sites
        self._adoption = collector.adoption
        self._network = network
        self._exposure = exposure
        self._pool = AddressPool(net)
        self._relays = Relays()
        self._routes: dict[Address, tuple[Address, ...]] = {}
        self._written: dict[str, Obj] | None = None
        self.at: dict[tuple[str, str, int], Address] = {}
        """The relay of each (cluster, namespace, target port of the router)."""

    def close(self) -> None:
        """Ends all relays."""
        self._relays.close()

    def step(self, cycle: Cycle, clusters: list[Cluster]) -> None:
        """Updates the relay of every Service."""
        processes = read_json(self._layout.endpoints)
        by_uid = self._sites_by_uid(clusters)
        routes: dict[Address, tuple[Address, ...]] = {}
        listed: dict[str, Obj] = {}
        self.at = {}
        uids: set[str] = set()
        for cluster in clusters:
            for (where, namespace), exposed in self._exposure.exposed.items():
                if where != cluster.name:
                    continue
                reached = self._reached(cluster, namespace, by_uid)
                for entry in exposed:
                    service = cluster.get(SERVICES, namespace, entry.host)
                    if service is None:
                        continue
                    uids.add(service["metadata"]["uid"])
                    address = (self._pool.address(service["metadata"]["uid"]), entry.port)
                    backends = [t for t in reached if t.address == entry.address]
                    places = {_process(target, processes) for target in backends}
                    routes[address] = tuple(sorted(place for place in places if place is not None))
                    listed[f"{where}/{namespace}/{entry.host}"] = {
                        "ip": address[0],
                        "port": address[1],
                        "target": entry.target_port,
                    }
                    self.at[where, namespace, entry.target_port] = address
            routes |= load_balanced(cluster, processes)
        self._pool.keep(uids)
        self._apply(cycle, routes)
        if listed != self._written:
            write_json(self._layout.services, listed)
            self._written = listed

    def _apply(self, cycle: Cycle, routes: dict[Address, tuple[Address, ...]]) -> None:
        if routes == self._routes:
            return
        if self._relays.set(routes):
            self._routes = routes
        else:
            cycle.requeue_at(cycle.now + _RETRY)

    def _sites_by_uid(self, clusters: list[Cluster]) -> dict[str, tuple[Cluster, Obj]]:
        return {
            site["metadata"]["uid"]: (cluster, site)
            for cluster in clusters
            for site in self._sites.working(cluster).values()
        }

    def _reached(self, cluster: Cluster, namespace: str, by_uid: Mapping[str, tuple[Cluster, Obj]]) -> list[Target]:
        """The targets that the namespace's router can reach; none before it is ready."""
        site = self._sites.active(cluster, namespace)
        if site is None:
            return []
        found: list[Target] = []
        for uid in self._network.reachable(site["metadata"]["uid"]):
            if uid in by_uid:
                found += targets(*by_uid[uid], self._adoption)
        return found


def _process(target: Target, processes: Mapping[str, Any]) -> Address | None:
    """Where a target's process listens; None while it does not."""
    if target.name not in processes:
        return None
    return endpoint(processes[target.name], target.port)


def endpoint(process: Mapping[str, Any], port: int) -> Address | None:
    """The real address of one of a pod's ports; `ports` lists them, or maps them to the process's ports."""
    ports = process.get("ports") or {}
    if isinstance(ports, dict):
        real = ports.get(str(port))
        return (process["ip"], int(real)) if real is not None else None
    return (process["ip"], port) if port in ports else None


def load_balanced(cluster: Cluster, processes: Mapping[str, Any]) -> dict[Address, tuple[Address, ...]]:
    """Load balancer addresses of pods with processes, such as Management Center's."""
    found = {}
    for service in cluster.all(SERVICES):
        address, selector = address_of(service), service["spec"].get("selector") or {}
        if not address:
            continue
        namespace = service["metadata"]["namespace"]
        pods = [pod for pod in cluster.all(PODS, namespace) if labels_match(selector, pod)]
        for port in service["spec"]["ports"]:
            target = port.get("targetPort") or port["port"]
            places = {_pod_port(cluster, pod, target, processes) for pod in pods}
            backends = tuple(sorted(place for place in places if place is not None))
            if backends:
                found[address, port["port"]] = backends
    return found


def _pod_port(cluster: Cluster, pod: Obj, target: int | str, processes: Mapping[str, Any]) -> Address | None:
    place = f"{cluster.name}/{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    named = {
        port.get("name"): port["containerPort"]
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or []
    }
    number = target if isinstance(target, int) else named.get(target)
    return endpoint(processes[place], number) if place in processes and number else None
