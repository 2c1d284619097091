"""The objects that the controller creates in a Site's namespace. Pure.

Names, labels, ports and owners are the real ones; the router's configuration and container details that nothing in
the sandbox reads are left out.
"""

from __future__ import annotations

import json

from sandbox.api.kinds import ROLE_BINDINGS, ROLES, SERVICE_ACCOUNTS, Obj, Objs, Resource
from sandbox.skupper import VERSION
from sandbox.skupper.controller.cluster import owner

ROUTER = "skupper-router"
LOCAL = "skupper-router-local"
NETWORK_STATUS = "skupper-network-status"
LEASE = "skupper-site-leader"
SITE_CA = "skupper-site-ca"
SITE_SERVER = "skupper-site-server"
READY_AFTER = "sandbox.hzlink.dev/ready-after"
"""Pod annotation: seconds from its start until it is ready, see sandbox.pods.record."""

CONTROLLED = {"internal.skupper.io/controlled": "true"}
ROUTER_LABELS = {
    "app.kubernetes.io/name": ROUTER,
    "app.kubernetes.io/part-of": "skupper",
    "application": ROUTER,
    "skupper.io/component": "router",
}
LISTENER_SELECTOR = {"application": ROUTER, "skupper.io/component": "router"}
"""Selector of every listener's Service."""

SECURITY = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True}
"""Every container's securityContext."""

ROUTER_IMAGE = "skupper/skupper-router:3.5.1"
ADAPTOR_IMAGE = f"skupper/kube-adaptor:{VERSION}"


def _rule(verbs: str, resources: str, group: str = "") -> Obj:
    return {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split()}


_READ = "get list watch"
_RULES = [
    _rule(_READ, "secrets pods"),
    _rule(f"{_READ} create update delete", "configmaps"),
    _rule("get", "deployments", "apps"),
    _rule("update delete", "secrets"),
    _rule(_READ, "services"),
    _rule(f"{_READ} create update delete", "leases", "coordination.k8s.io"),
]


def meta(owning: Obj, name: str, **more: Obj) -> Obj:
    """Metadata of an object in the namespace of its owner, with which it is removed."""
    return {"name": name, "namespace": owning["metadata"]["namespace"], "ownerReferences": owner(owning), **more}


def certificate_meta(owning: Obj, name: str) -> Obj:
    """Metadata of a Certificate."""
    return meta(owning, name, labels={"internal.skupper.io/certificate": "true"}, annotations=CONTROLLED)


def port(name: str, number: int, target: int | None = None) -> Obj:
    """A port of a Service."""
    return {"name": name, "port": number, "targetPort": target or number, "protocol": "TCP"}


def router_config(site: Obj) -> Obj:
    """The router's configuration."""
    mode = "edge" if site["spec"].get("edge") else "interior"
    router = {"id": f"{site['metadata']['name']}-${{HOSTNAME}}", "mode": mode}
    return {
        "metadata": meta(site, ROUTER, labels={"internal.skupper.io/router-config": ""}),
        "data": {"skrouterd.json": json.dumps([["router", router]])},
    }


def account_and_rights(site: Obj) -> list[tuple[Resource, Obj]]:
    """The router's ServiceAccount, the rights of its adaptor, and their binding."""
    metadata = meta(site, ROUTER)
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ROUTER}
    binding = {"metadata": metadata, "subjects": [{"kind": "ServiceAccount", "name": ROUTER}], "roleRef": role}
    account = {"metadata": metadata}
    return [(ROLES, {"metadata": metadata, "rules": _RULES}), (SERVICE_ACCOUNTS, account), (ROLE_BINDINGS, binding)]


def local_service(site: Obj) -> Obj:
    """The router's Service inside the cluster."""
    spec = {"type": "ClusterIP", "selector": ROUTER_LABELS, "ports": [port("amqps", 5671)]}
    return {"metadata": meta(site, LOCAL), "spec": spec}


def groups(site: Obj) -> list[str]:
    """The groups of the Site's routers, which name their Deployments and Services: with `ha` there are two."""
    return [ROUTER, f"{ROUTER}-2"] if site["spec"].get("ha") else [ROUTER]


def deployment(site: Obj, ready_after: float, group: str = ROUTER) -> Obj:
    """The Deployment of one router; its pods get ready after `ready_after` seconds."""
    account = site["spec"].get("serviceAccount") or ROUTER
    site_id = {"name": "SKUPPER_SITE_ID", "value": site["metadata"]["uid"]}
    containers: Objs = [
        _container("router", ROUTER_IMAGE, 9090, [site_id], _ROUTER_PORTS),
        _container("kube-adaptor", ADAPTOR_IMAGE, 9191, [site_id], {"metrics": 9000}),
    ]
    labels = {**ROUTER_LABELS, "skupper.io/group": group, "skupper.io/type": "site"}
    pod = {"serviceAccountName": account, "securityContext": {"runAsNonRoot": True}, "containers": containers}
    annotations = {READY_AFTER: f"{ready_after:.2f}"}
    template: Obj = {"metadata": {"labels": labels, "annotations": annotations}, "spec": pod}
    selector = {"skupper.io/component": "router"} | ({} if group == ROUTER else {"skupper.io/group": group})
    return {
        "metadata": meta(site, group, labels={**ROUTER_LABELS, "skupper.io/type": "site"}),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": selector},
            "template": template,
        },
    }


_ROUTER_PORTS = {"amqps": 5671, "http": 9090, "inter-router": 55671, "edge": 45671}


def _container(name: str, image: str, health: int, env: Objs, ports: dict[str, int]) -> Obj:
    probe = {"httpGet": {"path": "/healthz", "port": health}, "initialDelaySeconds": 1, "periodSeconds": 10}
    return {
        "name": name,
        "image": image,
        "env": env,
        "ports": [{"name": key, "containerPort": number, "protocol": "TCP"} for key, number in ports.items()],
        "readinessProbe": probe,
        "securityContext": SECURITY,
    }


def router_access(site: Obj) -> Obj:
    """The RouterAccess of a Site's `linkAccess`."""
    access = site["spec"]["linkAccess"]
    spec: Obj = {
        "roles": [{"name": "inter-router", "port": 55671}, {"name": "edge", "port": 45671}],
        "tlsCredentials": SITE_SERVER,
        "generateTlsCredentials": True,
        "issuer": SITE_CA,
    }
    if access != "default":
        spec["accessType"] = access
    return {"metadata": meta(site, ROUTER, annotations=CONTROLLED), "spec": spec}


def certificates(site: Obj) -> Objs:
    """The Site's two CAs and the local server's certificate."""
    name, namespace = site["metadata"]["name"], site["metadata"]["namespace"]
    local: Obj = {
        "ca": "skupper-local-ca",
        "subject": LOCAL,
        "server": True,
        "hosts": [LOCAL, f"{LOCAL}.{namespace}", f"{LOCAL}.{namespace}.svc.cluster.local"],
    }
    wanted = {
        SITE_CA: {"ca": "", "subject": f"{name} site CA", "signing": True},
        "skupper-local-ca": {"ca": "", "subject": f"{name} local CA", "signing": True},
        "skupper-local-server": local,
    }
    return [{"metadata": certificate_meta(site, key), "spec": spec} for key, spec in wanted.items()]
