"""The targets of Connectors, and the state of each Site for the network."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.api.kinds import PODS, SECRETS, Obj, Objs
from sandbox.skupper.controller import kinds, pki, templates
from sandbox.skupper.controller.cluster import Cluster
from sandbox.skupper.controller.host_names import HostNames
from sandbox.skupper.controller.leader_election import LeaderElection
from sandbox.skupper.controller.links import Links
from sandbox.skupper.controller.reconcile import Cycle
from sandbox.skupper.controller.sites import Sites, is_ready, ready_groups, router_is_ready, router_pods
from sandbox.skupper.network.addresses import router_addresses
from sandbox.skupper.network.adoption import Adoption
from sandbox.skupper.network.network import LinkState, Services, SiteState


@dataclass(frozen=True)
class Target:
    """One target of a routing key: a pod's port or, for a Connector with a host, any address."""

    address: str
    """The routing key, or the routing key and the pod's name."""
    name: str
    """`cluster/namespace/pod`, or the host."""
    ip: str
    port: int


def matches(selector: str, pod: Obj) -> bool:
    """Whether a pod has the labels of a selector such as `app=hazelcast,tier!=test`."""
    labels = pod["metadata"].get("labels") or {}
    return bool(selector.strip()) and all(_term(term.strip(), labels) for term in selector.split(","))


def _term(term: str, labels: Obj) -> bool:
    if "!=" in term:
        key, value = term.split("!=", 1)
        return bool(labels.get(key.strip()) != value.strip())
    if "=" in term:
        key, value = term.split("=", 1)
        return bool(labels.get(key.strip()) == value.lstrip("=").strip())
    return (term.removeprefix("!").strip() in labels) != term.startswith("!")


def matching_pods(cluster: Cluster, connector: Obj) -> Objs:
    """Every pod with the Connector's labels, ready or not."""
    selector = connector["spec"].get("selector", "")
    pods = cluster.all(PODS, connector["metadata"]["namespace"])
    return [pod for pod in pods if matches(selector, pod)]


def selected_pods(cluster: Cluster, connector: Obj) -> Objs:
    """Those that get traffic: running, not being deleted and, unless includeNotReadyPods is set, ready."""
    return [pod for pod in matching_pods(cluster, connector) if _selected(connector, pod)]


def _selected(connector: Obj, pod: Obj) -> bool:
    if pod.get("status", {}).get("phase") != "Running" or "deletionTimestamp" in pod["metadata"]:
        return False
    return is_ready(pod) or bool(connector["spec"].get("includeNotReadyPods"))


def targets(cluster: Cluster, site: Obj, adoption: Adoption) -> list[Target]:
    """The targets of the Site's Connectors."""
    found: list[Target] = []
    namespace = site["metadata"]["namespace"]
    for connector in cluster.all(kinds.CONNECTORS, namespace):
        if not adoption.knows(site, connector):
            continue
        spec = connector["spec"]
        key, port = spec["routingKey"], int(spec["port"])
        if spec.get("host"):
            found.append(Target(key, spec["host"], spec["host"], port))
        for pod in selected_pods(cluster, connector):
            name, ip = pod["metadata"]["name"], pod["status"].get("podIP", "")
            place = f"{cluster.name}/{namespace}/{name}"
            found.append(Target(key, place, ip, port))
            if spec.get("exposePodsByName"):
                found.append(Target(f"{key}.{name}", place, ip, port))
    return found


@dataclass(frozen=True)
class StateCollector:
    """Collects the states of the Sites for the network."""

    sites: Sites
    links: Links
    leader_election: LeaderElection
    adoption: Adoption
    names: HostNames

    def states(self, cycle: Cycle, cluster: Cluster) -> list[SiteState]:
        """The states of the cluster's working Sites."""
        return [self._state(cycle, cluster, site) for site in self.sites.working(cluster).values()]

    def _state(self, cycle: Cycle, cluster: Cluster, site: Obj) -> SiteState:
        namespace, uid = site["metadata"]["namespace"], site["metadata"]["uid"]
        ready = router_is_ready(cycle, cluster, namespace)
        routers = [pod["metadata"] for pod in router_pods(cluster, namespace) if is_ready(pod)]
        pod = next((router["name"] for router in routers), "")
        groups = ready_groups(cluster, namespace)
        return SiteState(
            uid=uid,
            name=site["metadata"]["name"],
            cluster=cluster.name,
            namespace=namespace,
            ready_since=cycle.since("ready", uid) if ready else None,
            reports_from=self.leader_election.reports_from(cycle, cluster, site, pod) if ready else cycle.now,
            access=router_addresses(cluster, namespace, groups),
            ca=pki.ca_of(cluster.get(SECRETS, namespace, templates.SITE_CA)),
            server_ca=pki.ca_of(cluster.get(SECRETS, namespace, templates.SITE_SERVER)),
            links=tuple(_links(cycle, cluster, namespace, self.links, self.names)),
            services=self._services(cluster, site),
            router=next((router["uid"] for router in routers), ""),
        )

    def _services(self, cluster: Cluster, site: Obj) -> Services:
        connectors: dict[str, set[str]] = {}
        for target in targets(cluster, site, self.adoption):
            connectors.setdefault(target.address, set()).add(target.ip)
        listeners: dict[str, set[str]] = {}
        for listener in cluster.all(kinds.LISTENERS, site["metadata"]["namespace"]):
            if self.adoption.knows(site, listener):
                name = f"listener/{listener['metadata']['name']}"
                listeners.setdefault(listener["spec"]["routingKey"], set()).add(name)
        return Services(_frozen(connectors), _frozen(listeners))


def _links(cycle: Cycle, cluster: Cluster, namespace: str, links: Links, names: HostNames) -> list[LinkState]:
    """The configured Links of a namespace whose endpoint's host, if it is a name, resolves here."""
    found = []
    for link in cluster.all(kinds.LINKS, namespace):
        configured_at = links.configured_at(link)
        endpoint = next((e for e in link["spec"]["endpoints"] if e.get("name") == "inter-router"), None)
        secret = cluster.get(SECRETS, namespace, link["spec"].get("tlsCredentials", ""))
        if configured_at is None or endpoint is None or secret is None:
            continue
        if names.cluster_of(endpoint["host"]) and not names.resolves(cycle, cluster.name, endpoint["host"]):
            continue
        name = link["metadata"]["name"]
        found.append(LinkState(name, endpoint["host"], endpoint["port"], pki.ca_of(secret), configured_at))
    return found


def _frozen(table: dict[str, set[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((key, tuple(sorted(values))) for key, values in sorted(table.items()))
