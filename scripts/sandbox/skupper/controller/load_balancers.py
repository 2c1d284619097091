"""Simulated load balancers: addresses for the LoadBalancer Services of both clusters."""

from __future__ import annotations

from functools import partial

from sandbox.api.kinds import SERVICES, Obj, Objs
from sandbox.skupper.controller.cluster import Cluster
from sandbox.skupper.controller.host_names import FAULT, HostNames
from sandbox.skupper.controller.install import GRANT_SERVER, NAMESPACE
from sandbox.skupper.controller.reconcile import Cycle

# Each cluster has its own range of loopback addresses, which no pod and no relay uses.
_THIRD_NUMBER = {"client": 250, "cluster": 251}
_COUNT = 250


class LoadBalancers:
    """Gives every LoadBalancer Service an address after a delay; the faults `lb` and `grant_server` remove it."""

    def __init__(self, net: str, names: HostNames) -> None:
        self._net = net
        self._names = names
        self._given: dict[str, dict[str, str]] = {}
        self._moved: dict[str, object] = {}

    def step(self, cycle: Cycle, cluster: Cluster) -> None:
        """Updates the Services' status."""
        given = self._given.setdefault(cluster.name, {})
        services = [s for s in cluster.all(SERVICES) if s["spec"].get("type") == "LoadBalancer"]
        for uid in set(given) - {service["metadata"]["uid"] for service in services}:
            del given[uid]
        cycle.for_each(services, partial(self._one, cycle, cluster, services))

    def _one(self, cycle: Cycle, cluster: Cluster, services: Objs, service: Obj) -> None:
        given = self._given[cluster.name]
        uid, name = service["metadata"]["uid"], service["metadata"]["name"]
        if not _switched_on(cycle, cluster, service):
            given.pop(uid, None)
            _publish(cluster, service, [])
        elif self._is_slow(cycle, cluster, service):
            return
        elif cycle.elapsed("lb", cycle.delays.load_balancer, cluster.name, name, of=uid):
            namespace = service["metadata"]["namespace"]
            if cycle.faults.get(FAULT, cluster.name, namespace) is not None:
                _publish(cluster, service, [{"hostname": self._names.give(cluster.name, namespace, name)}])
                return
            taken = {*given.values(), *map(address_of, services)}
            present = "" if self._moves(cycle, cluster, service) else address_of(service)
            address = given.setdefault(uid, present or self._free(cluster.name, taken))
            _publish(cluster, service, [{"ip": address, "ipMode": "VIP"}])

    def _is_slow(self, cycle: Cycle, cluster: Cluster, service: Obj) -> bool:
        """Whether the fault `lb_slow` keeps the address back."""
        seconds = cycle.faults.get("lb_slow", cluster.name, service["metadata"]["namespace"])
        if seconds is None or address_of(service):
            return False
        return not cycle.reached(cycle.since("lb slow", service["metadata"]["uid"]) + float(seconds))

    def _moves(self, cycle: Cycle, cluster: Cluster, service: Obj) -> bool:
        """Whether the fault `lb_address` has another value for the Service than before."""
        uid = service["metadata"]["uid"]
        wanted = cycle.faults.get("lb_address", cluster.name, service["metadata"]["namespace"])
        if self._moved.get(uid) == wanted:
            return False
        self._moved[uid] = wanted
        return self._given[cluster.name].pop(uid, None) is not None

    def _free(self, cluster: str, taken: set[str]) -> str:
        for number in range(1, _COUNT + 1):
            if (address := f"{self._net}.{_THIRD_NUMBER.get(cluster, 252)}.{number}") not in taken:
                return address
        raise RuntimeError(f"{cluster}: all {_COUNT} load balancer addresses are in use")


def address_of(service: Obj | None) -> str:
    """The Service's load balancer address; empty while it has none."""
    ingress = (((service or {}).get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return str(ingress[0].get("ip", "")) if ingress else ""


def _switched_on(cycle: Cycle, cluster: Cluster, service: Obj) -> bool:
    if cycle.faults.off("lb", cluster.name, service["metadata"]["namespace"]):
        return False
    grant_server = (service["metadata"]["namespace"], service["metadata"]["name"]) == (NAMESPACE, GRANT_SERVER)
    return not (grant_server and cycle.faults.off("grant_server", cluster.name))


def _publish(cluster: Cluster, service: Obj, ingress: list[Obj]) -> None:
    current = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    if current == ingress:
        return
    cluster.set_status(SERVICES, {**service, "status": {"loadBalancer": {"ingress": ingress}}})
