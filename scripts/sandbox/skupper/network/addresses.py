"""The addresses where a Site's router accepts Links: of its RouterAccesses, and of Services of users in front of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sandbox.api.kinds import SERVICES, Obj, Objs
from sandbox.skupper.controller import kinds, options
from sandbox.skupper.controller.cluster import Cluster, labels_match
from sandbox.skupper.controller.options import Options
from sandbox.skupper.controller.sites import is_ready, router_pods
from sandbox.skupper.network.network import RouterAddress

_ROLE = "inter-router"


def router_addresses(cluster: Cluster, namespace: str, groups: Collection[str]) -> tuple[RouterAddress, ...]:
    """The addresses, for the routers of these groups, which are ready.

    None if two accesses have a role at the same port: then the real router crashes, and its Links stay down although
    Site and accesses are Ready.
    """
    accesses, chosen = cluster.all(kinds.ROUTER_ACCESSES, namespace), options.of(cluster, namespace)
    ports = [role["port"] for access in accesses for role in access["spec"]["roles"]]
    if len(ports) != len(set(ports)):
        return ()
    found = [*_of_accesses(cluster, accesses, groups, chosen), *_in_front(cluster, namespace, accesses, chosen)]
    return tuple(dict.fromkeys(found))


def _of_accesses(cluster: Cluster, accesses: Objs, groups: Collection[str], chosen: Options) -> Iterator[RouterAddress]:
    for access in accesses:
        local, names = chosen.type_of(access) == "local", _names(cluster, access)
        for endpoint in (access.get("status") or {}).get("endpoints") or []:
            if endpoint["name"] == _ROLE and endpoint.get("group") in groups:
                yield RouterAddress(endpoint["host"], endpoint["port"], local, names)


def _in_front(cluster: Cluster, namespace: str, accesses: Objs, chosen: Options) -> Iterator[RouterAddress]:
    """The addresses of Services that users made for the router's pods, outside the cluster."""
    names = {
        role["port"]: _names(cluster, access)
        for access in accesses
        for role in access["spec"]["roles"]
        if role["name"] == _ROLE
    }
    pods = [pod for pod in router_pods(cluster, namespace) if is_ready(pod)]
    for service in cluster.all(SERVICES, namespace):
        if not any(labels_match(service["spec"].get("selector") or {}, pod) for pod in pods):
            continue
        for port in service["spec"]["ports"]:
            target = port.get("targetPort") or port["port"]
            if target not in names:
                continue
            for ingress in ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []:
                host = ingress.get("ip") or ingress["hostname"]
                yield RouterAddress(host, str(port["port"]), names=names[target])
            if chosen.host and port.get("nodePort"):
                yield RouterAddress(chosen.host, str(port["nodePort"]), names=names[target])


def _names(cluster: Cluster, access: Obj) -> frozenset[str] | None:
    """The hosts in the certificate of an access. Its subject counts, too (tried on the real router)."""
    certificate = cluster.get(kinds.CERTIFICATES, access["metadata"]["namespace"], access["spec"]["tlsCredentials"])
    if certificate is None:
        return None
    return frozenset({certificate["spec"]["subject"], *(certificate["spec"].get("hosts") or [])})
