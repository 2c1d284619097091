"""Small objects for the sandbox's tests."""

from __future__ import annotations

from pathlib import Path

from sandbox.api.kinds import Obj
from sandbox.layout import ROOT

MEMBER_CONFIG = (ROOT / "manifests" / "cluster" / "hazelcast.yaml").read_text()
CLIENT_CONFIG = (ROOT / "manifests" / "client" / "hazelcast-client.yaml").read_text()
WAIT_SCRIPT = (ROOT / "manifests" / "client" / "wait-for-members.sh").read_text()
MANIFESTS: Path = ROOT / "manifests"


def pod(name: str, namespace: str, *, app: str = "", **more: Obj) -> Obj:
    """A pod with one container."""
    labels = {"app": app} if app else {}
    spec = {"containers": [{"name": "main", "image": "example/main:1"}], **more.get("spec", {})}
    metadata = {"name": name, "namespace": namespace, "labels": labels, **more.get("metadata", {})}
    return {"metadata": metadata, "spec": spec}


def service(name: str, namespace: str, **spec: object) -> Obj:
    """A Service with one port."""
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ports": [{"port": 5701}], **spec},
    }


def config_map(name: str, namespace: str, **data: str) -> Obj:
    """A ConfigMap; underscores in the keys become dots."""
    return {
        "metadata": {"name": name, "namespace": namespace},
        "data": {key.replace("__", "."): value for key, value in data.items()},
    }


def condition(obj: Obj | None, kind: str) -> str:
    """The status of a condition; empty if there is none."""
    conditions = (obj or {}).get("status", {}).get("conditions") or []
    return next((str(c["status"]) for c in conditions if c["type"] == kind), "")
