"""Removes fields of unexpected types from objects that a cluster returned. Pure.

Anyone who may write to the namespace controls the content of its objects, and hzlink cannot rely on the cluster's
schema for a custom resource. A field of an unexpected type is removed; the rest of the object is unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hzlink.model.objects import Object

# A shape: a type, a mapping of fields to shapes, or a list of one shape.
_TEXTS = {"": str}
_STATES = {
    "waiting": {"reason": str, "message": str},
    "running": {"startedAt": str},
    "terminated": {"exitCode": int, "reason": str, "message": str},
}
_CONTAINERS = [{"name": str, "ready": bool, "restartCount": int, "state": _STATES, "lastState": _STATES}]
_ENDPOINTS = [{"name": str, "host": str, "port": str, "group": str}]
_NETWORK = [
    {
        "id": str,
        "name": str,
        "namespace": str,
        "links": [{"name": str, "operational": bool}],
        "services": [{"routingKey": str, "connectors": [str]}],
    }
]
_OBJECT: dict[str, Any] = {
    "kind": str,
    "apiVersion": str,
    "metadata": {
        "name": str,
        "uid": str,
        "creationTimestamp": str,
        "generation": int,
        "labels": _TEXTS,
        "annotations": _TEXTS,
        "ownerReferences": [{"kind": str, "uid": str}],
    },
    "spec": {
        "replicas": int,
        "ports": [{"port": int, "nodePort": int}],
        "roles": [{"name": str, "port": int}],
        "hosts": [str],
        "type": str,
        "linkAccess": str,
        "tlsCredentials": str,
        "routingKey": str,
        "endpoints": _ENDPOINTS,
    },
    "status": {
        "status": str,
        "message": str,
        "phase": str,
        "reason": str,
        "remoteSiteId": str,
        "remoteSiteName": str,
        "url": str,
        "code": str,
        "ca": str,
        "conditions": [{"type": str, "status": str, "reason": str, "message": str}],
        "endpoints": _ENDPOINTS,
        "network": _NETWORK,
        "podIP": str,
        "controller": {"version": str},
        "loadBalancer": {"ingress": [{"ip": str, "hostname": str}]},
        "initContainerStatuses": _CONTAINERS,
        "containerStatuses": _CONTAINERS,
        **dict.fromkeys(("observedGeneration", "updatedReplicas", "readyReplicas", "replicas"), int),
    },
}
# The maximum of Kubernetes for counts and ports (int32).
_MAX = 2**31 - 1


def fitted(item: Any) -> Object | None:
    """The object without the fields of unexpected types; None if it has no kind."""
    found = _fit(item, _OBJECT)
    return found if isinstance(found, Mapping) and found.get("kind") else None


def _fit(value: Any, shape: Any) -> Any:
    """The parts of the value that match the shape; None if nothing matches."""
    if isinstance(shape, list):
        fits = [_fit(one, shape[0]) for one in value] if isinstance(value, list) else []
        return [one for one in fits if one is not None]
    if isinstance(shape, dict):
        return _fit_fields(value, shape) if isinstance(value, Mapping) else None
    if shape is int:
        return value if type(value) is int and 0 <= value <= _MAX else None
    return value if isinstance(value, shape) else None


def _fit_fields(value: Mapping[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    fitted_fields = {}
    for key, inner in value.items():
        # The empty key stands for all fields of a mapping.
        wanted = shape.get(key, shape.get(""))
        fits = inner if wanted is None else _fit(inner, wanted)
        if fits is not None or wanted is None:
            fitted_fields[key] = fits
    return fitted_fields
