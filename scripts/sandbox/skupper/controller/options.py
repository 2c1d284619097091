"""The controller's options, from the environment of its Deployment: enabled access types and the cluster's host.

A Deployment in the Site's own namespace takes precedence, as with a controller that manages only its namespace.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.api.kinds import DEPLOYMENTS, Obj
from sandbox.skupper.controller.cluster import Cluster
from sandbox.skupper.controller.install import CONTROLLER, NAMESPACE

DEFAULT_TYPES = ("local", "loadbalancer", "route")
"""The access types that are enabled by default."""
SERVICE_TYPES = {"loadbalancer": "LoadBalancer", "nodeport": "NodePort"}
"""The type of the Service of each access type; ClusterIP for the others."""


@dataclass(frozen=True)
class Options:
    """A controller's options. `host`: of the cluster's nodes, for the access type `nodeport`."""

    enabled: tuple[str, ...] = DEFAULT_TYPES
    default: str = ""
    host: str = ""

    def type_of(self, access: Obj) -> str:
        """The access type of a SecuredAccess or RouterAccess, with the default applied."""
        first = "loadbalancer" if "loadbalancer" in self.enabled else next(iter(self.enabled), "")
        return str(access["spec"].get("accessType") or self.default or first)


def of(cluster: Cluster, namespace: str) -> Options:
    """The options of the controller that manages a namespace."""
    own = cluster.get(DEPLOYMENTS, namespace, CONTROLLER)
    deployment = own or cluster.get(DEPLOYMENTS, NAMESPACE, CONTROLLER)
    containers = ((deployment or {}).get("spec") or {}).get("template", {}).get("spec", {}).get("containers") or [{}]
    env = {entry["name"]: entry.get("value", "") for entry in containers[0].get("env") or []}
    listed = env.get("SKUPPER_ENABLED_ACCESS_TYPES")
    return Options(
        enabled=DEFAULT_TYPES if listed is None else tuple(listed.split(",")),
        default=env.get("SKUPPER_DEFAULT_ACCESS_TYPE", ""),
        host=env.get("SKUPPER_CLUSTER_HOST", ""),
    )
