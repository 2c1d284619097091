"""Reads kubeconfig files as client-go does: a context's API server, namespace and credentials."""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.api.kinds import Obj

# A kubeconfig is long; the loader in C, where there is one, reads it ten times faster.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NONE = "invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable"


class ConfigError(Exception):
    """There is no such configuration; the text is client-go's."""


@dataclass(frozen=True)
class Access:
    """One context. `tls` is None for a plain http server."""

    server: str
    namespace: str
    tls: ssl.SSLContext | None
    token: str


def load(paths: Sequence[Path], context: str = "") -> Access:
    """The named context, or else the current one. ConfigError when there is none."""
    merged = _merged(paths)
    name = context or merged.get("current-context", "")
    if name not in merged["contexts"]:
        raise ConfigError(f'context "{name}" does not exist' if name else _NONE)
    chosen = merged["contexts"][name]
    cluster = merged["clusters"].get(chosen.get("cluster", ""))
    if cluster is None:
        raise ConfigError(_NONE)
    user = merged["users"].get(chosen.get("user", ""), {})
    namespace = chosen.get("namespace") or "default"
    return Access(cluster["server"].rstrip("/"), namespace, _tls(cluster, user), _token(user))


def default_paths(explicit: str) -> list[Path]:
    """The `--kubeconfig` file, or the existing files of KUBECONFIG, or ~/.kube/config. ConfigError if missing."""
    if explicit:
        if not Path(explicit).exists():
            raise ConfigError(f"stat {explicit}: no such file or directory")
        return [Path(explicit)]
    listed = os.environ.get("KUBECONFIG", "")
    paths = [Path(part) for part in listed.split(os.pathsep) if part] or [Path.home() / ".kube" / "config"]
    return [path for path in paths if path.exists()]


def _merged(paths: Sequence[Path]) -> dict[str, Any]:
    """All files in one; the first file that sets a value wins. Relative paths are relative to their file."""
    merged: dict[str, Any] = {"contexts": {}, "clusters": {}, "users": {}}
    for path in paths:
        config = yaml.load(path.read_text(), _LOADER) or {}  # noqa: S506 the loader is a safe one
        for kind, singular in (("contexts", "context"), ("clusters", "cluster"), ("users", "user")):
            for entry in config.get(kind) or []:
                merged[kind].setdefault(entry["name"], {**(entry.get(singular) or {}), "_folder": path.parent})
        if config.get("current-context"):
            merged.setdefault("current-context", config["current-context"])
    return merged


def _token(user: Obj) -> str:
    if user.get("token"):
        return str(user["token"])
    if user.get("tokenFile"):
        return Path(user["_folder"], user["tokenFile"]).read_text().strip()
    return ""


def _tls(cluster: Obj, user: Obj) -> ssl.SSLContext | None:
    if not cluster["server"].startswith("https:"):
        return None
    context = ssl.create_default_context(cadata=_pem(cluster, "certificate-authority") or None)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = _pem(user, "client-certificate"), _pem(user, "client-key")
    if certificate and key:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as both:  # the ssl module reads files only
            both.write(f"{certificate}\n{key}")
            both.flush()
            context.load_cert_chain(both.name)
    return context


def _pem(entry: Obj, field: str) -> str:
    if entry.get(f"{field}-data"):
        return base64.b64decode(entry[f"{field}-data"]).decode()
    if entry.get(field):
        return Path(entry["_folder"], entry[field]).read_text()
    return ""
