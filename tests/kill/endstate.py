"""All objects in a namespace on both API servers, without the parts that differ between runs."""

from __future__ import annotations

import json
import re
from collections.abc import Set
from typing import Any

from sandbox.api.kinds import Obj
from tests.sandboxed import RESOURCES, Sandbox

State = dict[str, Any]

SERVERS = ("client", "cluster")

# Generated values, which differ between runs: UIDs, addresses, times, suffixes of names.
_GENERATED = (
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UID"),
    (r"\b\d{1,3}(\.\d{1,3}){3}\b", "ADDRESS"),
    (r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)", "TIME"),
    (r"(hazelcast-mancenter|skupper-router)-[a-z0-9]{6,10}(-[a-z0-9]{5})?\b(?!-)", r"\1-GENERATED"),
)
# Ports and addresses are assigned in the order of requests; the others change with every restart.
_DROPPED = {"clusterIP", "clusterIPs", "nodePort", "targetPort", "nodeName", "healthCheckNodePort"}
_DROPPED_MARKS = {
    "pod-template-hash",
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/restartedAt",
    "sandbox.hzlink.dev/ready-after",
}


def of(sandbox: Sandbox, namespace: str, places: Set[str] | None = None) -> State:
    """The state, by `server Kind/name`; with `places`, only of those: each is `server Kind`."""
    found = {}
    for server in SERVERS:
        for resource in RESOURCES:
            if places is not None and f"{server} {resource.kind}" not in places:
                continue
            for item in sandbox.kube(server).list(resource, namespace):
                text = json.dumps(_comparable(item), sort_keys=True).replace(namespace, "NAMESPACE")
                for pattern, word in _GENERATED:
                    text = re.sub(pattern, word, text)
                compared = json.loads(text)
                found[f"{server} {compared['kind']}/{compared['name']}"] = compared
    return found


def left(state: State) -> list[str]:
    """Objects that no run may leave: tokens, grants, and hzlink's lock."""
    kinds = ("AccessToken/", "AccessGrant/", "Lease/hzlink")
    return [key for key in state if key.partition(" ")[2].startswith(kinds)]


def places(difference: str) -> set[str]:
    """The places, as `server Kind`, of the objects that a difference names."""
    return {key.partition("/")[0] for key in re.findall(r"\b(?:client|cluster) [A-Z]\w+/", difference)}


def part(state: State, places: Set[str]) -> State:
    """The objects of a state in these places."""
    return {key: value for key, value in state.items() if key.partition("/")[0] in places}


def difference(one: State, other: State) -> str:
    """The differences between two states, one per line; empty if there are none."""
    lines = [f"missing: {key}" for key in sorted(one.keys() - other.keys())]
    lines += [f"too many: {key}" for key in sorted(other.keys() - one.keys())]
    for key in sorted(one.keys() & other.keys()):
        lines += [
            f"{key} {part}: {json.dumps(one[key].get(part))[:300]} became {json.dumps(other[key].get(part))[:300]}"
            for part in one[key]
            if one[key].get(part) != other[key].get(part)
        ]
    return "\n".join(lines)


def _comparable(item: Obj) -> dict[str, Any]:
    metadata = item["metadata"]
    compared = {
        "kind": item["kind"],
        "name": metadata["name"],
        "labels": _marks(metadata.get("labels")),
        "annotations": _marks(metadata.get("annotations")),
        "owners": sorted(f"{owner['kind']}/{owner['name']}" for owner in metadata.get("ownerReferences") or []),
        "going": "deletionTimestamp" in metadata,
        "status": (item.get("status") or {}).get("status"),
    }
    if item["kind"] in ("Pod", "Lease"):
        return compared
    if item["kind"] in ("Secret", "ConfigMap"):
        # Those of Skupper contain keys and its view of the network.
        mine = "app.kubernetes.io/managed-by" in compared["labels"]
        return {**compared, "data": item.get("data") if mine else sorted(item.get("data") or {})}
    return {**compared, "spec": _without_generated(item.get("spec") or {})}


def _marks(found: dict[str, str] | None) -> dict[str, str]:
    return {key: value for key, value in (found or {}).items() if key not in _DROPPED_MARKS}


def _without_generated(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_generated(one) for key, one in value.items() if key not in _DROPPED | _DROPPED_MARKS}
    return [_without_generated(one) for one in value] if isinstance(value, list) else value
