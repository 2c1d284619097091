"""Objects, kinds and errors of an API server, for `client` and its users."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

Obj = dict[str, Any]
"""A Kubernetes object (or a part of one), as decoded from JSON."""

Objs = list[Obj]

EventType = Literal["ADDED", "MODIFIED", "DELETED", "SYNCED"]


@dataclass(frozen=True)
class Resource:
    """One kind of object, as the API server's paths name it."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """What goes into an object's `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str = "") -> str:
        """The URL path of a collection, an object or a subresource; no namespace means all of them."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if namespace and self.namespaced:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name:
            parts.append(name)
        if subresource:
            parts.append(subresource)
        return "/" + "/".join(quote(part, safe="") for part in parts)


NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
PODS = Resource("", "v1", "pods", "Pod")
SERVICES = Resource("", "v1", "services", "Service")
SECRETS = Resource("", "v1", "secrets", "Secret")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
EVENTS = Resource("", "v1", "events", "Event")
ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet")
ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
CRDS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False)
PORT_FORWARDS = Resource("kwok.x-k8s.io", "v1alpha1", "portforwards", "PortForward")
POD_LOGS = Resource("kwok.x-k8s.io", "v1alpha1", "logs", "Logs")


class KubeError(Exception):
    """The API server refused a call, or did not answer (`code` 0)."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(f"{reason} ({code}): {message}")
        self.code = code
        self.reason = reason
        self.message = message


class NotFoundError(KubeError):
    """404: the object, its namespace or its kind does not exist."""


class ConflictError(KubeError):
    """409: the object exists already, or was changed since it was read."""


class UnreachableError(KubeError):
    """No answer from the API server."""


@dataclass(frozen=True)
class WatchEvent:
    """One change. `SYNCED` (with an empty object) follows a complete list."""

    type: EventType
    object: Obj


def timestamp(when: datetime | None = None) -> str:
    """A time (now, if none is given) as the API writes it: UTC, whole seconds."""
    return (when or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def key_of(obj: Mapping[str, Any]) -> tuple[str, str]:
    """The object's (namespace, name); the namespace is empty for cluster-scoped kinds."""
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


def error_from(code: int, raw: bytes) -> KubeError:
    """The error for an answer's HTTP status and body."""
    reason, message = "Error", raw[:200].decode(errors="replace")
    with suppress(ValueError, KeyError, TypeError):
        status = json.loads(raw)
        reason, message = status.get("reason", reason), status["message"]
    kinds: dict[int, type[KubeError]] = {404: NotFoundError, 409: ConflictError}
    return kinds.get(code, KubeError)(code, reason, message)
