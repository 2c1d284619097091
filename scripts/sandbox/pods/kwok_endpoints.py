"""The objects that tell KWOK, which answers as the kubelet, where a pod's logs and ports are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox.api import kinds
from sandbox.api.client import Kube
from sandbox.api.kinds import Obj, key_of


def publish_logs(kube: Kube, pod: Obj, files: Mapping[str, tuple[Path, Path | None]]) -> None:
    """`kubectl logs` reads these: container name -> (log, log of the previous run)."""
    logs = []
    for container, (current, previous) in files.items():
        entry: Obj = {"containers": [container], "logsFile": str(current), "follow": True}
        if previous is not None:
            entry["previousLogsFile"] = str(previous)
        logs.append(entry)
    kube.apply(kinds.POD_LOGS, {"metadata": _metadata(pod), "spec": {"logs": logs}})


def publish_ports(kube: Kube, pod: Obj, address: str, ports: Iterable[int]) -> None:
    """`kubectl port-forward` to these ports of the pod leads to the same ports of `address`."""
    forwards = [{"ports": [port], "target": {"address": address, "port": port}} for port in sorted(set(ports))]
    kube.apply(kinds.PORT_FORWARDS, {"metadata": _metadata(pod), "spec": {"forwards": forwards}})


def remove(kube: Kube, pod: Obj) -> None:
    """Deletes both, unless they belong to a later pod of the same name."""
    namespace, name = key_of(pod)
    for resource in (kinds.PORT_FORWARDS, kinds.POD_LOGS):
        published = kube.get(resource, namespace, name)
        owners = published["metadata"].get("ownerReferences", []) if published else []
        if published and any(owner["uid"] == pod["metadata"]["uid"] for owner in owners):
            kube.delete(resource, namespace, name, version=published["metadata"]["resourceVersion"])


def _metadata(pod: Obj) -> Obj:
    meta = pod["metadata"]
    # The owner lets the garbage collector remove it if the sandbox is killed.
    owner = {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}
    return {"name": meta["name"], "namespace": meta["namespace"], "ownerReferences": [owner]}
