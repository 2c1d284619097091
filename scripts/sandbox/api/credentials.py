"""Reads a kubeconfig: where a context's API server is, and how to prove to it who we are."""

from __future__ import annotations

import base64
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Access:
    """One kubeconfig context. `tls` is None for a plain http server (never so in the sandbox)."""

    server: str
    tls: ssl.SSLContext | None
    namespace: str


def access_from(kubeconfig: Path, context: str) -> Access:
    """The named context, with its client certificate. KeyError when the file has no such context."""
    config = yaml.safe_load(kubeconfig.read_text())
    ctx = _named(config, "contexts", context)["context"]
    cluster = _named(config, "clusters", ctx["cluster"])["cluster"]
    user = _named(config, "users", ctx["user"])["user"]
    return Access(cluster["server"], _tls(cluster, user), ctx.get("namespace", "default"))


def _named(config: Mapping[str, Any], kind: str, name: str) -> dict[str, Any]:
    for entry in config.get(kind) or []:
        if entry["name"] == name:
            return dict(entry)
    raise KeyError(f"no {name!r} among the kubeconfig's {kind}")


def _tls(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext | None:
    """The TLS settings of a kubeconfig's cluster and user, whose parts may be inline or in files."""
    if not str(cluster["server"]).startswith("https:"):
        return None
    context = ssl.create_default_context(cadata=_pem(cluster, "certificate-authority"))
    with tempfile.TemporaryDirectory(prefix="kubeapi-") as folder:  # 0700; the ssl module reads files only
        cert, key = Path(folder, "cert.pem"), Path(folder, "key.pem")
        cert.write_text(_pem(user, "client-certificate"))
        key.write_text(_pem(user, "client-key"))
        context.load_cert_chain(cert, key)
    return context


def _pem(entry: Mapping[str, Any], field: str) -> str:
    if f"{field}-data" in entry:
        return base64.b64decode(entry[f"{field}-data"]).decode()
    return Path(entry[field]).read_text()
