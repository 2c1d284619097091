"""Everything that is in a namespace on both API servers, without what differs between any two runs."""

from __future__ import annotations

import json
import re
from typing import Any

from hzlink.model.objects import RESOURCES
from sandbox.api.kinds import Obj, Resource
from tests.sandboxed import Sandbox

State = dict[str, Any]

KINDS = [
    Resource(group, "v2alpha1" if group == "skupper.io" else "v1", plural, kind)
    for kind, resource in RESOURCES.items()
    if kind != "Namespace"
    for plural, _, group in [resource.partition(".")]
]
SERVERS = ("client", "cluster")

# What a value is drawn anew for, and where: in names, addresses, times.
_DRAWN = (
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UID"),
    (r"\b\d{1,3}(\.\d{1,3}){3}\b", "ADDRESS"),
    (r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)", "TIME"),
    (r"(hazelcast-mancenter|skupper-router)-[a-z0-9]{6,10}(-[a-z0-9]{5})?\b(?!-)", r"\1-DRAWN"),
)
# Ports and addresses are given out in the order in which they are asked for; the rest changes with every restart.
_DROPPED = {"clusterIP", "clusterIPs", "nodePort", "targetPort", "nodeName", "healthCheckNodePort"}
_DROPPED_MARKS = {
    "pod-template-hash",
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/restartedAt",
    "sandbox.hzlink.dev/ready-after",
}


def of(sandbox: Sandbox, namespace: str) -> State:
    """The state, by `server Kind/name`."""
    found = {}
    for server in SERVERS:
        for resource in KINDS:
            for item in sandbox.kube(server).list(resource, namespace):
                text = json.dumps(_told(item), sort_keys=True).replace(namespace, "NAMESPACE")
                for pattern, word in _DRAWN:
                    text = re.sub(pattern, word, text)
                told = json.loads(text)
                found[f"{server} {told['kind']}/{told['name']}"] = told
    return found


def left(state: State) -> list[str]:
    """What no run may leave: tokens, grants, and hzlink's own lock."""
    kinds = ("AccessToken/", "AccessGrant/", "Lease/hzlink-")
    return [key for key in state if key.partition(" ")[2].startswith(kinds)]


def difference(one: State, other: State) -> str:
    """How two states differ, in a few lines; empty when they do not."""
    lines = [f"missing: {key}" for key in sorted(one.keys() - other.keys())]
    lines += [f"too many: {key}" for key in sorted(other.keys() - one.keys())]
    for key in sorted(one.keys() & other.keys()):
        lines += [
            f"{key} {part}: {json.dumps(one[key].get(part))[:300]} became {json.dumps(other[key].get(part))[:300]}"
            for part in one[key]
            if one[key].get(part) != other[key].get(part)
        ]
    return "\n".join(lines)


def _told(item: Obj) -> dict[str, Any]:
    metadata = item["metadata"]
    told = {
        "kind": item["kind"],
        "name": metadata["name"],
        "labels": _marks(metadata.get("labels")),
        "annotations": _marks(metadata.get("annotations")),
        "owners": sorted(f"{owner['kind']}/{owner['name']}" for owner in metadata.get("ownerReferences") or []),
        "going": "deletionTimestamp" in metadata,
        "status": (item.get("status") or {}).get("status"),
    }
    if item["kind"] in ("Pod", "Lease"):
        return told
    if item["kind"] in ("Secret", "ConfigMap"):
        # Skupper's hold keys and what it knows of the network.
        mine = "app.kubernetes.io/managed-by" in told["labels"]
        return {**told, "data": item.get("data") if mine else sorted(item.get("data") or {})}
    return {**told, "spec": _kept(item.get("spec") or {})}


def _marks(found: dict[str, str] | None) -> dict[str, str]:
    return {key: value for key, value in (found or {}).items() if key not in _DROPPED_MARKS}


def _kept(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _kept(one) for key, one in value.items() if key not in _DROPPED | _DROPPED_MARKS}
    return [_kept(one) for one in value] if isinstance(value, list) else value
