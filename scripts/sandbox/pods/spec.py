"""Translates a pod's specification for a process on this machine: environment, files, ports, probes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.api.kinds import Obj

DataKind = Literal["ConfigMap", "Secret"]
Lookup = Callable[[DataKind, str], dict[str, bytes] | None]
"""Returns the data of a ConfigMap or Secret in the pod's namespace, or None."""

_REFS: tuple[tuple[DataKind, str], ...] = (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef"))
_VOLUMES: tuple[tuple[DataKind, str, str], ...] = (
    ("ConfigMap", "configMap", "name"),
    ("Secret", "secret", "secretName"),
)
_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")


class MissingError(Exception):
    """The pod needs an object that does not exist."""


@dataclass(frozen=True)
class Probe:
    """A readiness or startup probe; times in seconds. `path` is None for one that only connects."""

    port: int
    path: str | None
    delay: float
    period: float
    timeout: float
    failures: int
    successes: int


def environment(container: Obj, pod: Obj, address: str, lookup: Lookup) -> dict[str, str]:
    """The container's variables, with $(NAME) expanded from those defined before, as Kubernetes does.

    `status.podIP` becomes `address`, at which the process listens. MissingError for a missing ConfigMap or Secret.
    """
    env: dict[str, str] = {}
    for entry in container.get("env") or []:
        if "valueFrom" in entry:
            value = _from_source(entry["valueFrom"], pod, address, lookup)
            if value is not None:
                env[entry["name"]] = value
        else:
            env[entry["name"]] = expand(entry.get("value", ""), env)
    return env


def expand(text: str, env: Mapping[str, str]) -> str:
    """Replaces $(NAME) by its value; unknown names stay as they are, $$ is an escaped $."""

    def replace(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return env.get(match[1], match[0])

    return _REFERENCE.sub(replace, text)


def _from_source(source: Obj, pod: Obj, address: str, lookup: Lookup) -> str | None:
    if "fieldRef" in source:
        return _field(source["fieldRef"]["fieldPath"], pod, address)
    for kind, key in _REFS:
        if key in source:
            ref = source[key]
            data = lookup(kind, ref["name"])
            if data is not None and ref["key"] in data:
                return data[ref["key"]].decode(errors="replace")
            if ref.get("optional"):
                return None
            raise MissingError(f'{kind.lower()} "{ref["name"]}" not found')
    return None  # resourceFieldRef: no limits are enforced here


def _field(path: str, pod: Obj, address: str) -> str | None:
    meta, spec = pod["metadata"], pod["spec"]
    fields = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.podIP": address,
        "status.hostIP": "127.0.0.1",
    }
    return fields.get(path)


def write_volumes(pod: Obj, folder: Path, lookup: Lookup) -> None:
    """Writes the pod's volumes as folders under `folder`; MissingError as `environment`.

    ConfigMaps and Secrets are written, everything else is an empty folder.
    """
    for volume in pod["spec"].get("volumes") or []:
        target = folder / volume["name"]
        target.mkdir(parents=True, exist_ok=True)
        for kind, key, name_key in _VOLUMES:
            source = volume.get(key)
            if source is None:
                continue
            data = lookup(kind, source[name_key])
            if data is None:
                if source.get("optional"):
                    continue
                raise MissingError(f'{kind.lower()} "{source[name_key]}" not found')
            for file, content in _selected(data, source.get("items")).items():
                path = target / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)


def _selected(data: Mapping[str, bytes], items: list[Obj] | None) -> dict[str, bytes]:
    if items is None:
        return dict(data)
    return {item["path"]: data[item["key"]] for item in items if item["key"] in data}


def local_paths(text: str, container: Obj, folder: Path) -> str:
    """Replaces paths inside the container's volumes by the paths of `write_volumes`."""
    local = {
        mount["mountPath"].rstrip("/"): str(folder / mount["name"] / mount.get("subPath", ""))
        for mount in container.get("volumeMounts") or []
    }
    if not local:
        return text
    # In one pass: the new path may itself be under a mount's path, such as /tmp.
    inside = "|".join(re.escape(path) for path in sorted(local, key=len, reverse=True))
    return re.sub(rf"(?<![\w./-])({inside})(?=[/\s\"']|$)", lambda match: local[match[1]], text)


def ports(pod: Obj) -> dict[str, int]:
    """The containers' declared ports, by name (or by number, as text, for those without a name)."""
    return {
        port.get("name") or str(port["containerPort"]): port["containerPort"]
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or []
    }


def probe(container: Obj, field: Literal["startupProbe", "readinessProbe"], named: Mapping[str, int]) -> Probe | None:
    """The container's probe if it is a TCP or HTTP one, with Kubernetes' defaults."""
    spec = container.get(field)
    if not spec:
        return None
    asked = spec.get("httpGet") or spec.get("tcpSocket")
    if asked is None:
        return None
    port = asked["port"] if isinstance(asked["port"], int) else named[asked["port"]]
    return Probe(
        port=port,
        path=asked.get("path", "/") if "httpGet" in spec else None,
        delay=spec.get("initialDelaySeconds", 0),
        period=spec.get("periodSeconds", 10),
        timeout=spec.get("timeoutSeconds", 1),
        failures=spec.get("failureThreshold", 3),
        successes=spec.get("successThreshold", 1),
    )
