"""The RouterAccess and the Certificate that hzlink makes at the issuing Site for --link-host. Pure.

Skupper makes a Service from the RouterAccess, to which the user's own load balancer, proxy or VPN has to lead. The
certificate of the Site's own link access names only the hosts of its endpoints, so that a router that connects to
another name refuses it (Skupper 2.2.1, tried). Neither object is deleted with the Site: `down` deletes both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hzlink.model import link_host, objects
from hzlink.model.choices import LinkAccess
from hzlink.model.link_host import ACCESS, ACCESS_PORT, ANNOTATION, LinkHost
from hzlink.model.objects import RESOURCES, Object, Ref
from hzlink.model.topology import Site, Topology, labels
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.programs import hints

CERTIFICATE, ROUTER_ACCESS = Ref(RESOURCES["Certificate"], ACCESS), Ref(RESOURCES["RouterAccess"], ACCESS)
# The access first: it uses the certificate.
REFS = (ROUTER_ACCESS, CERTIFICATE)
# The CA of a Site.
_CA = "skupper-site-ca"
_API = "skupper.io/v2alpha1"


def wanted(topology: Topology, site: Site, port: int = ACCESS_PORT) -> list[Object]:
    """The objects at the issuing site, without fingerprints; none without a --link-host."""
    host = topology.settings.link_host
    if host is None:
        return []
    names = (host.host, ACCESS, f"{ACCESS}.{site.namespace}")
    certificate = {
        "apiVersion": _API,
        "kind": "Certificate",
        "metadata": {"name": ACCESS, "labels": labels(topology.name), "annotations": {ANNOTATION: str(host)}},
        # Each host once: Skupper renews a certificate for ever if one is repeated (read in 2.2.1).
        "spec": {"ca": _CA, "server": True, "subject": ACCESS, "hosts": list(dict.fromkeys(names))},
    }
    access = {
        "apiVersion": _API,
        "kind": "RouterAccess",
        "metadata": {"name": ACCESS, "labels": labels(topology.name)},
        "spec": {
            "accessType": "local",
            "generateTlsCredentials": False,
            "roles": [{"name": "inter-router", "port": port}],
            "tlsCredentials": ACCESS,
        },
    }
    return [certificate, access]


def port(snapshot: Snapshot) -> int:
    """The port of the access at a site: its present one, or a free one. Two accesses with one port crash the router."""
    accesses = {objects.name(item): _ports(item) for item in snapshot.of("RouterAccess")}
    own = accesses.pop(ACCESS, [])
    taken = {number for ports in accesses.values() for number in ports}
    chosen = own[0] if own else ACCESS_PORT
    while chosen in taken:
        chosen += 1
    return chosen


def _ports(access: Object) -> list[int]:
    return [role["port"] for role in objects.spec(access).get("roles") or [] if "port" in role]


def mismatch(topology: Topology, found: Sequence[Object]) -> str:
    """Why Links do not lead where --link-host says; empty if they do, or if hzlink did not make them for the topology.

    Without a --link-host, they must not lead to a former one.
    """
    host = topology.settings.link_host
    former = [link_host.of(link) for link in found if objects.is_ours(link, topology.name)]
    if not former or all(one == host for one in former):
        return ""
    old = next((one for one in former if one != host), None)
    where = f"{old}, as --link-host said before" if old else "the Site's own address"
    return f"its link leads to {where}" + (f", not to {host}" if host else "")


def with_current(topology: Topology, snapshots: Snapshots) -> Topology:
    """The topology with the --link-host of its objects, if the settings say nothing else."""
    settings = topology.settings
    if settings.link_host_given or settings.link_access is not LinkAccess.AUTO:
        return topology
    items = [item for snapshot in snapshots.values() for item in snapshot.items]
    for kind in ("Certificate", "Link"):
        for item in items:
            if item.get("kind") == kind and objects.is_ours(item, topology.name) and (host := link_host.of(item)):
                return replace(topology, settings=replace(settings, link_host=host))
    return topology


def in_front(site: Site, host: LinkHost, number: int = ACCESS_PORT) -> str:
    """What the user's own network has to do, as text."""
    service = f"Service {ACCESS}, port {number}, in namespace {site.namespace} of {site.short_context}"
    return f"{host} has to lead to {service} (TCP, without ending TLS)"


def remedy(site: Site, host: LinkHost, said: str) -> str:
    """The next command after a Link to the host failed. `said`: why, in the router's words."""
    if "certificate verify failed" in said:
        why = f"the certificate has to name {host.host}, and TLS must not end before the router"
        return f"{hints.hzlink(f'up --link-host {host}')}   ({why})"
    show = hints.kubectl(site, f"get service {ACCESS}")
    return f"{show}   ({host} has to lead to its port, without ending TLS)"
