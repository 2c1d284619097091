"""Installs Skupper in a cluster: definitions, the controller's Deployment, the grant server."""

from __future__ import annotations

import time

from sandbox.api.client import Kube
from sandbox.api.kinds import CRDS, DEPLOYMENTS, NAMESPACES, SERVICE_ACCOUNTS, NotFoundError, Obj
from sandbox.skupper import VERSION
from sandbox.skupper.controller import crds, kinds
from sandbox.skupper.controller.cluster import Cluster, owner
from sandbox.skupper.controller.templates import SECURITY

NAMESPACE = "skupper"
CONTROLLER = "skupper-controller"
GRANT_SERVER = "skupper-grant-server"
GRANT_CA = "skupper-grant-server-ca"
GRANT_PORT = 9090
_SERVED_SECONDS = 30.0

_LABELS = {
    "app.kubernetes.io/name": CONTROLLER,
    "app.kubernetes.io/part-of": "skupper",
    "application": CONTROLLER,
    "skupper.io/component": "controller",
}


def install(kube: Kube) -> None:
    """Applies the definitions and the controller's objects, and waits until the kinds are served."""
    wanted = crds.definitions()
    for definition in wanted:
        kube.apply(CRDS, definition, manager="skupper-install")
    kube.apply(NAMESPACES, {"metadata": {"name": NAMESPACE}}, manager="skupper-install")
    account: Obj = {"metadata": {"name": CONTROLLER, "namespace": NAMESPACE, "labels": _own_labels()}}
    kube.apply(SERVICE_ACCOUNTS, account, manager="skupper-install")
    kube.apply(DEPLOYMENTS, _deployment(), manager="skupper-install")
    _wait_until_served(kube, {definition["spec"]["names"]["plural"] for definition in wanted})


def _wait_until_served(kube: Kube, plurals: set[str]) -> None:
    """Waits because a watch of a kind that is not served retries only after a while."""
    deadline = time.monotonic() + _SERVED_SECONDS
    while True:
        try:
            served = kube.request("GET", f"/apis/{kinds.API_VERSION}")["resources"]
        except NotFoundError:
            served = []
        if plurals <= {resource["name"] for resource in served}:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{kube.server} does not serve {kinds.API_VERSION} after {_SERVED_SECONDS:.0f} s")
        time.sleep(0.05)


def grant_server(cluster: Cluster) -> None:
    """Creates the grant server's CA and SecuredAccess, from which the controller makes the rest."""
    deployment = cluster.kube.get(DEPLOYMENTS, NAMESPACE, CONTROLLER)
    owners = owner(deployment) if deployment is not None else []
    authority: Obj = {
        "metadata": {"name": GRANT_CA, "namespace": NAMESPACE, "ownerReferences": owners},
        "spec": {"ca": "", "subject": "SkupperGrantServerCA", "signing": True},
    }
    access: Obj = {
        "metadata": {"name": GRANT_SERVER, "namespace": NAMESPACE, "ownerReferences": owners},
        "spec": {
            "selector": _LABELS,
            "ports": [{"name": "https", "port": GRANT_PORT}],
            "issuer": GRANT_CA,
            "certificate": GRANT_SERVER,
        },
    }
    cluster.ensure(kinds.CERTIFICATES, authority)
    cluster.ensure(kinds.SECURED_ACCESSES, access)


def _own_labels() -> Obj:
    return {"application": CONTROLLER, "app.kubernetes.io/name": CONTROLLER}


def _deployment() -> Obj:
    container: Obj = {
        "name": "controller",
        "image": f"skupper/controller:{VERSION}",
        "args": ["-enable-grants", "-grant-server-autoconfigure"],
        "ports": [{"name": "metrics", "containerPort": 9000}],
        "securityContext": SECURITY,
    }
    pod: Obj = {
        "serviceAccountName": CONTROLLER,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    selector, template = {"matchLabels": {"application": CONTROLLER}}, {"metadata": {"labels": _LABELS}, "spec": pod}
    return {
        "metadata": {"name": CONTROLLER, "namespace": NAMESPACE, "labels": _LABELS},
        "spec": {"replicas": 1, "selector": selector, "template": template},
    }
