"""Which API server, with which credentials: read from kubeconfig files as client-go does."""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.api.kinds import Obj

_NONE = "invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable"


class ConfigError(Exception):
    """There is no such configuration; the text is what the real command says."""


@dataclass(frozen=True)
class Access:
    """One API server and how to prove to it who we are."""

    server: str
    namespace: str
    tls: ssl.SSLContext | None
    token: str


def load(explicit: str, context: str) -> Access:
    """The context's server; the current context's when none is named. ConfigError."""
    merged = _merged(_files(explicit))
    name = context or merged.get("current-context", "")
    if not merged["contexts"]:
        raise ConfigError(f'context "{name}" does not exist' if name else _NONE)
    if name not in merged["contexts"]:
        raise ConfigError(f'context "{name}" does not exist' if name else _NONE)
    chosen = merged["contexts"][name]
    cluster = merged["clusters"].get(chosen.get("cluster", ""))
    if cluster is None:
        raise ConfigError(_NONE)
    user = merged["users"].get(chosen.get("user", ""), {})
    return Access(
        cluster["server"].rstrip("/"), chosen.get("namespace") or "default", _tls(cluster, user), _token(user)
    )


def _files(explicit: str) -> list[Path]:
    if explicit:
        if not Path(explicit).exists():
            raise ConfigError(f"stat {explicit}: no such file or directory")
        return [Path(explicit)]
    listed = os.environ.get("KUBECONFIG", "")
    paths = [Path(part) for part in listed.split(os.pathsep) if part] or [Path.home() / ".kube" / "config"]
    return [path for path in paths if path.exists()]


def _merged(paths: list[Path]) -> dict[str, Any]:
    """All files in one; the first that sets a thing wins. Relative paths are the file's own."""
    merged: dict[str, Any] = {"contexts": {}, "clusters": {}, "users": {}}
    for path in paths:
        config = yaml.safe_load(path.read_text()) or {}
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
