"""Access to a Site and to the grant server: RouterAccess, SecuredAccess, their Services and certificates."""

from __future__ import annotations

from functools import partial

from sandbox.api.kinds import SECRETS, SERVICES, Obj, Objs
from sandbox.skupper.controller import kinds, options, pki, status, templates
from sandbox.skupper.controller.cluster import Cluster
from sandbox.skupper.controller.options import Options
from sandbox.skupper.controller.reconcile import Cycle
from sandbox.skupper.controller.sites import Sites, set_endpoints

_HOSTS_ANNOTATION = "internal.skupper.io/hosts"
"""Annotation of a certificate's Secret: the hosts that it names."""


def certificates(cycle: Cycle, cluster: Cluster) -> None:
    """Creates a Secret for every Certificate."""
    cycle.for_each(cluster.all(kinds.CERTIFICATES), partial(_certificate, cluster))


def _certificate(cluster: Cluster, certificate: Obj) -> None:
    problem = _issue(cluster, certificate)
    with cluster.status_of(kinds.CERTIFICATES, certificate) as fresh:
        status.set_condition(fresh, status.READY, status.ok_or_error(problem))


def _issue(cluster: Cluster, certificate: Obj) -> str:
    """Creates the Secret, or renews it for other hosts; returns why that fails, or an empty text."""
    namespace, name = certificate["metadata"]["namespace"], certificate["metadata"]["name"]
    spec, known = certificate["spec"], cluster.get(SECRETS, namespace, name)
    hosts = ",".join(spec.get("hosts") or [])
    present = ((known or {}).get("metadata") or {}).get("annotations") or {}
    if known is not None and present.get(_HOSTS_ANNOTATION, hosts) == hosts:
        return ""
    ca = ""
    if not spec.get("signing"):
        ca = pki.ca_of(cluster.get(SECRETS, namespace, spec["ca"]))
        if not ca:
            return f'CA "{namespace}/{spec["ca"]}" not found'
    annotations = {
        **templates.CONTROLLED,
        "internal.skupper.io/certificate": "true",
        _HOSTS_ANNOTATION: hosts,
    }
    meta = templates.meta(certificate, name, annotations=annotations)
    data = pki.secret_data(spec["subject"], ca)
    if known is not None:
        renewed = {**known["metadata"], "annotations": {**present, _HOSTS_ANNOTATION: hosts}}
        cluster.replace(SECRETS, {**known, "metadata": renewed, "data": data})
        return ""
    cluster.ensure(SECRETS, {"metadata": meta, "type": "kubernetes.io/tls", "data": data})
    return ""


def router_accesses(cycle: Cycle, cluster: Cluster, sites: Sites) -> None:
    """Creates a SecuredAccess for every RouterAccess; copies its endpoints to the RouterAccess and the Site."""
    cycle.for_each(sites.working(cluster).values(), partial(_of_site, cycle, cluster))


def _of_site(cycle: Cycle, cluster: Cluster, site: Obj) -> None:
    found: Objs = []
    namespace = site["metadata"]["namespace"]
    for access in cluster.all(kinds.ROUTER_ACCESSES, namespace):
        found += _router_access(cycle, cluster, access, templates.groups(site))
    accesses = cluster.all(kinds.ROUTER_ACCESSES, namespace)
    current = cluster.get(kinds.SITES, namespace, site["metadata"]["name"])
    if current is not None and any(status.find(access, status.CONFIGURED) for access in accesses):
        set_endpoints(cluster, current, found)


def _router_access(cycle: Cycle, cluster: Cluster, access: Obj, groups: list[str]) -> Objs:
    namespace, uid = access["metadata"]["namespace"], access["metadata"]["uid"]
    if not cycle.elapsed("access", cycle.delays.access, cluster.name, namespace, of=uid):
        return []
    endpoints: Objs = []
    for group in groups:
        wanted = _secured_access(access, group)
        secured = cluster.ensure_spec(kinds.SECURED_ACCESSES, wanted)
        found = ((secured or {}).get("status") or {}).get("endpoints") or []
        endpoints += [{**endpoint, "group": group} for endpoint in found]
    with cluster.status_of(kinds.ROUTER_ACCESSES, access) as fresh:
        status.mark(fresh, status.CONFIGURED, status.OK, status.ACCESS_NEEDS)
        status.set_field(fresh, "endpoints", endpoints)
        status.mark(fresh, status.RESOLVED, status.ok_or_pending(bool(endpoints)), status.ACCESS_NEEDS)
    return endpoints


def _secured_access(access: Obj, group: str) -> Obj:
    spec = access["spec"]
    wanted: Obj = {
        "selector": {"skupper.io/component": "router", "skupper.io/group": group},
        "ports": [templates.port(role["name"], role["port"]) for role in spec["roles"]],
        "certificate": spec["tlsCredentials"],
    }
    if spec.get("accessType"):
        wanted["accessType"] = spec["accessType"]
    if spec.get("generateTlsCredentials"):
        wanted["issuer"] = spec.get("issuer") or templates.SITE_CA
    name = access["metadata"]["name"]
    annotations = {**templates.CONTROLLED, "internal.skupper.io/routeraccess": name}
    own = name if group == templates.ROUTER else name + group.removeprefix(templates.ROUTER)
    return {"metadata": templates.meta(access, own, annotations=annotations), "spec": wanted}


def secured_accesses(cycle: Cycle, cluster: Cluster) -> None:
    """Creates a Service and a Certificate for every SecuredAccess, and sets its endpoints."""
    cycle.for_each(cluster.all(kinds.SECURED_ACCESSES), partial(_secure, cluster))


def _secure(cluster: Cluster, access: Obj) -> None:
    if "deletionTimestamp" in access["metadata"]:
        return
    chosen = options.of(cluster, access["metadata"]["namespace"])
    service = cluster.ensure(SERVICES, wanted := _service(access, chosen))
    if service is None:
        return
    if service["spec"].get("type") != wanted["spec"]["type"]:
        service = cluster.replace(SERVICES, {**service, "spec": {**service["spec"], "type": wanted["spec"]["type"]}})
        if service is None:
            return
    endpoints, problem = _endpoints(access, service, chosen)
    with cluster.status_of(kinds.SECURED_ACCESSES, access) as fresh:
        status.set_field(fresh, "endpoints", endpoints)
        status.set_condition(fresh, status.RESOLVED, status.ok_or_pending(bool(endpoints)))
        status.set_ready(fresh, status.ACCESS_NEEDS)
        status.mark(fresh, status.CONFIGURED, status.ok_or_error(problem), status.ACCESS_NEEDS)
    _certify(cluster, fresh)


def _service(access: Obj, chosen: Options) -> Obj:
    spec = access["spec"]
    kind = options.SERVICE_TYPES.get(chosen.type_of(access), "ClusterIP")
    ports = [templates.port(port["name"], port["port"], port.get("targetPort")) for port in spec["ports"]]
    labels = {"internal.skupper.io/secured-access": "true"}
    meta = templates.meta(access, access["metadata"]["name"], labels=labels, annotations=templates.CONTROLLED)
    return {"metadata": meta, "spec": {"type": kind, "selector": spec["selector"], "ports": ports}}


def _endpoints(access: Obj, service: Obj, chosen: Options) -> tuple[Objs, str]:
    """The endpoints, and the error if the access type is not supported."""
    kind = chosen.type_of(access)
    name, namespace = access["metadata"]["name"], access["metadata"]["namespace"]
    if kind == "nodeport" and kind in chosen.enabled:
        ports = [{**port, "port": port["nodePort"]} for port in service["spec"]["ports"] if port.get("nodePort")]
        return _at(chosen.host, ports), ""
    if kind == "local":
        return _at(f"{name}.{namespace}", access["spec"]["ports"]), ""
    if kind != "loadbalancer":
        return [], "unsupported access type"
    addresses = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    found: Objs = []
    for address in addresses:
        found += _at(address.get("ip") or address["hostname"], service["spec"]["ports"])
    return found, ""


def _at(host: str, ports: Objs) -> Objs:
    return [{"name": port["name"], "host": host, "port": str(port["port"])} for port in ports]


def _certify(cluster: Cluster, access: Obj) -> None:
    spec, name, namespace = access["spec"], access["metadata"]["name"], access["metadata"]["namespace"]
    if not spec.get("issuer"):
        return
    certificate = spec.get("certificate") or name
    # The accesses of several routers share a certificate, which names the hosts of all of them.
    others = [one for one in cluster.all(kinds.SECURED_ACCESSES, namespace) if one["metadata"]["name"] != name]
    sharing = [access, *(one for one in others if one["spec"].get("certificate") == certificate)]
    wanted: Obj = {
        "ca": spec["issuer"],
        "subject": min(one["metadata"]["name"] for one in sharing),
        "server": True,
        "hosts": sorted(set().union(*map(_hosts, sharing))),
    }
    meta = templates.certificate_meta(access, certificate)
    made = cluster.ensure(kinds.CERTIFICATES, {"metadata": meta, "spec": wanted})
    if made is not None and sorted(made["spec"].get("hosts") or []) != wanted["hosts"]:
        cluster.replace(kinds.CERTIFICATES, {**made, "spec": wanted})


def _hosts(access: Obj) -> set[str]:
    """The hosts that a SecuredAccess needs in its certificate."""
    name, namespace = access["metadata"]["name"], access["metadata"]["namespace"]
    endpoints = (access.get("status") or {}).get("endpoints") or []
    return {name, f"{name}.{namespace}", *(endpoint["host"] for endpoint in endpoints)}
