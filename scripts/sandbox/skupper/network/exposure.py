"""The Services of Listeners: one for each host, and one for each pod that is exposed by name."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from functools import partial

from sandbox.api.kinds import SERVICES, Obj, Objs, key_of
from sandbox.skupper.controller import templates
from sandbox.skupper.controller.cluster import Cluster
from sandbox.skupper.controller.reconcile import Cycle
from sandbox.skupper.controller.sites import Sites
from sandbox.skupper.network.bindings import LISTENER_LABEL, Bindings
from sandbox.skupper.network.network import SiteRecord

_FIRST_PORT = 1024


@dataclass
class Ports:
    """The ports of one Site's router: each new key gets the lowest free one."""

    taken: dict[str, int] = field(default_factory=dict)

    def of(self, key: str) -> int:
        """The port of a listener (or of one of its targets)."""
        if key not in self.taken:
            used = set(self.taken.values())
            self.taken[key] = next(p for p in range(_FIRST_PORT, 65536) if p not in used)
        return self.taken[key]

    def keep(self, keys: set[str]) -> None:
        """Frees all others."""
        for key in set(self.taken) - keys:
            del self.taken[key]


@dataclass(frozen=True)
class Exposed:
    """One port of a Service of a Listener or of one of its targets."""

    host: str
    """The Service's name."""
    listener: str
    address: str
    """The routing key, with a target's name if it is a target's, of the router's port."""
    port: int
    target_port: int
    key: str
    """The key of the router's port, see `Ports`."""


class Exposure:
    """The Services of all Listeners."""

    def __init__(self, sites: Sites, bindings: Bindings) -> None:
        self._sites = sites
        self._bindings = bindings
        self._ports: dict[str, Ports] = {}
        self.exposed: dict[tuple[str, str], list[Exposed]] = {}
        """The Services of each (cluster, namespace)."""

    def step(self, cycle: Cycle, cluster: Cluster, records_by_site: dict[str, list[SiteRecord]]) -> None:
        """Updates the cluster's Services."""
        before = self.exposed
        self.exposed = {key: found for key, found in before.items() if key[0] != cluster.name}
        cycle.for_each(
            self._sites.working(cluster).values(), partial(self._of_site, cycle, cluster, records_by_site, before)
        )

    def _of_site(
        self,
        cycle: Cycle,
        cluster: Cluster,
        records_by_site: dict[str, list[SiteRecord]],
        before: dict[tuple[str, str], list[Exposed]],
        site: Obj,
    ) -> None:
        place = (cluster.name, site["metadata"]["namespace"])
        listeners = self._bindings.valid_listeners.get(place, [])
        records = records_by_site.get(site["metadata"]["uid"]) or []
        wanted = self._wanted(cycle, cluster, site, listeners, records, before.get(place, []))
        self.exposed[place] = wanted
        if "deletionTimestamp" not in site["metadata"]:
            _reconcile(cycle, cluster, site, wanted)

    def _wanted(
        self,
        cycle: Cycle,
        cluster: Cluster,
        site: Obj,
        listeners: Objs,
        records: list[SiteRecord],
        before: list[Exposed],
    ) -> list[Exposed]:
        fault = cycle.faults.get("pod_services", cluster.name, site["metadata"]["namespace"])
        ports = self._ports.setdefault(site["metadata"]["uid"], Ports())
        wanted: list[Exposed] = []
        for listener in listeners:
            spec, name = listener["spec"], listener["metadata"]["name"]
            key, port = spec["routingKey"], spec["port"]
            wanted.append(Exposed(spec["host"], name, key, port, ports.of(name), name))
            if not spec.get("exposePodsByName") or fault == "missing":
                continue
            names = _known_targets(records, f"{key}.")
            if fault == "stale":
                names |= {e.host for e in before if e.listener == name and e.address != key}
            for pod in sorted(names):
                address = f"{key}.{pod}"
                wanted.append(Exposed(pod, name, address, port, ports.of(address), address))
        ports.keep({exposed.key for exposed in wanted})
        return wanted


def _known_targets(records: list[SiteRecord], prefix: str) -> set[str]:
    return {
        address.removeprefix(prefix)
        for record in records
        for address, found in record.services.connectors
        if found and address.startswith(prefix)
    }


def _reconcile(cycle: Cycle, cluster: Cluster, site: Obj, wanted: list[Exposed]) -> None:
    """Creates the wanted Services, takes over existing ones of the same name, deletes own ones that are not wanted."""
    namespace = site["metadata"]["namespace"]
    by_host: dict[str, list[Exposed]] = {}
    for exposed in wanted:
        by_host.setdefault(exposed.host, []).append(exposed)
    for service in cluster.all(SERVICES, namespace):
        if _is_own(service) and service["metadata"]["name"] not in by_host:
            cluster.delete(SERVICES, service)
    # An invalid host name must not stop the other Services.
    services = [_service(site, host, group) for host, group in by_host.items()]
    cycle.for_each(services, lambda service: _ensure_service(cluster, service, by_host[service["metadata"]["name"]]))


def _ensure_service(cluster: Cluster, wanted: Obj, group: list[Exposed]) -> None:
    known = cluster.get(SERVICES, *key_of(wanted))
    if known is None:
        cluster.ensure(SERVICES, wanted)
    elif (taken := _taken_over(known, group)) is not None:
        cluster.replace(SERVICES, taken)


def _is_own(service: Obj) -> bool:
    """Whether it was created here. A Service that was taken over has only the label, and is never deleted."""
    labelled = LISTENER_LABEL in (service["metadata"].get("labels") or {})
    return labelled and "internal.skupper.io/controlled" in (service["metadata"].get("annotations") or {})


def _service(site: Obj, host: str, group: list[Exposed]) -> Obj:
    labels = {LISTENER_LABEL: group[0].listener}
    spec = {"selector": templates.LISTENER_SELECTOR, "ports": _service_ports(group)}
    return {"metadata": templates.meta(site, host, labels=labels, annotations=templates.CONTROLLED), "spec": spec}


def _service_ports(group: list[Exposed]) -> Objs:
    return [templates.port(e.listener, e.port, e.target_port) for e in group]


def _taken_over(service: Obj, group: list[Exposed]) -> Obj | None:
    """The Service with the router's selector and the listener's ports; None when it has them already."""
    fresh = copy.deepcopy(service)
    ports = _service_ports(group)
    kept = [{key: port.get(key) for key in ports[0]} for port in fresh["spec"].get("ports") or []]
    fresh["spec"]["selector"] = templates.LISTENER_SELECTOR
    if sorted(kept, key=str) != sorted(ports, key=str):
        fresh["spec"]["ports"] = ports
    fresh["metadata"].setdefault("labels", {})[LISTENER_LABEL] = group[0].listener
    return fresh if fresh != service else None
