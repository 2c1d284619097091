"""Simulated DNS: which names resolve in a namespace, and to which loopback address."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.api.kinds import Obj
from sandbox.layout import replace_text


@dataclass(frozen=True)
class PodName:
    """A pod as DNS sees it. `address` is its process's loopback address."""

    name: str
    labels: Mapping[str, str]
    address: str
    ready: bool
    hostname: str = ""
    subdomain: str = ""


Entry = tuple[str, str]
"""(address, name)"""


def resolve(
    namespace: str,
    services: Iterable[Obj],
    pods: Sequence[PodName],
    relays: Mapping[str, str],
    unreachable: str,
    aliases: Callable[[str], Sequence[str]] = lambda _: (),
) -> list[Entry]:
    """Every name that resolves in the namespace.

    A Service with a relay of the Skupper stand-in resolves to the relay, any other Service to its ready pods (or all,
    with publishNotReadyAddresses). A Service with a cluster IP and no pods resolves to `unreachable`, where nothing
    listens. One of type ExternalName resolves to the addresses that `aliases` has for that name.
    """
    entries: list[Entry] = []
    for service in services:
        name = service["metadata"]["name"]
        if service["spec"].get("type") == "ExternalName":
            target = str(service["spec"].get("externalName", ""))
            entries += [(address, form) for address in aliases(target) for form in _dns_names(name, namespace)]
            continue
        addresses = _addresses(service, pods, relays)
        if not addresses and service["spec"].get("clusterIP") != "None":
            addresses = [unreachable]
        for address in addresses:
            entries += [(address, form) for form in _dns_names(name, namespace)]
        for pod in pods:
            if pod.hostname and pod.subdomain == name:
                entries += [(pod.address, form) for form in _dns_names(f"{pod.hostname}.{name}", namespace)]
    return entries


def namespace_of(service: Obj) -> str:
    """The namespace that a Service of type ExternalName leads to; empty for any other Service or name."""
    if service["spec"].get("type") != "ExternalName":
        return ""
    name, suffix, _ = str(service["spec"].get("externalName", "")).partition(".svc.")
    return name.rpartition(".")[2] if suffix else ""


def relays_by_target_port(
    services: Iterable[Obj], relays: Mapping[str, str], routers: Mapping[int, str]
) -> Mapping[str, str]:
    """The relay that each Service with one really leads to: the relay of its target port.

    The port may have been changed since the stand-in created the Service.
    """
    found = dict(relays)
    for service in services:
        name, ports = service["metadata"]["name"], service["spec"].get("ports") or [{}]
        target = ports[0].get("targetPort")
        if name in relays and isinstance(target, int):
            found[name] = routers.get(target, relays[name])
    return found


def _addresses(service: Obj, pods: Sequence[PodName], relays: Mapping[str, str]) -> list[str]:
    relay = relays.get(service["metadata"]["name"])
    if relay is not None:
        return [relay]
    spec = service["spec"]
    selector = spec.get("selector")
    if not selector:
        return []
    early = spec.get("publishNotReadyAddresses", False)
    matching = [p for p in pods if selector.items() <= p.labels.items()]
    return [p.address for p in matching if p.ready or early]


def _dns_names(name: str, namespace: str) -> list[str]:
    return [name, f"{name}.{namespace}", f"{name}.{namespace}.svc", f"{name}.{namespace}.svc.cluster.local"]


def write_hosts(path: Path, entries: Iterable[Entry], own: PodName) -> None:
    """Writes the names as one pod sees them, its own included, in the form of /etc/hosts."""
    lines = [f"{own.address} {own.hostname or own.name}", *(f"{address} {name}" for address, name in entries)]
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, "\n".join(["127.0.0.1 localhost", *lines, ""]))


def read_hosts(path: Path, name: str) -> list[str]:
    """The addresses of a name in such a file, in order; empty if it does not resolve."""
    wanted = name.lower().rstrip(".")
    found = []
    for line in path.read_text().splitlines():
        address, *names = line.split()
        if wanted in names:
            found.append(address)
    return found


def address_of(path: Path, host: str) -> str | None:
    """The address of `host`, which is an address or a name in such a file; None if it does not resolve."""
    try:
        socket.inet_aton(host)
    except OSError:
        return next(iter(read_hosts(path, host)), None)
    return host


def use_names(hosts: Path) -> None:
    """From now on IPv4 sockets in this process connect to the names of that file, and to no other name."""

    def by_name(real: Callable[..., Any]) -> Callable[..., Any]:
        def connect(self: socket.socket, address: Any) -> Any:
            if self.family != socket.AF_INET:
                return real(self, address)
            host, port = address
            found = address_of(hosts, host)
            if found is None:
                raise socket.gaierror(socket.EAI_NONAME, f"Name or service not known: {host}")
            return real(self, (found, port))

        return connect

    patched: Any = socket.socket
    patched.connect, patched.connect_ex = by_name(patched.connect), by_name(patched.connect_ex)
