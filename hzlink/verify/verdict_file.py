"""Saves the last verdict of `hzlink verify` for each topology under the XDG state folder: only names and times."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from hzlink.config import last_run
from hzlink.model.topology import Topology
from hzlink.verify import saved_verdict


def path(topology: Topology, environ: Mapping[str, str] = os.environ) -> Path:
    """The topology's file. Topologies with equal names but different sites have different files."""
    places = [(site.context, site.namespace, site.kubeconfig) for site in topology.sites]
    digest = hashlib.sha256(repr(places).encode()).hexdigest()[:12]
    return last_run.path(environ).parent / f"verified-{topology.name}-{digest}.json"


def load(topology: Topology, environ: Mapping[str, str] = os.environ) -> saved_verdict.Record | None:
    """The last verdict; None if there is none, or if it cannot be read."""
    try:
        return saved_verdict.from_dict(json.loads(path(topology, environ).read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return None


def save(topology: Topology, record: saved_verdict.Record, environ: Mapping[str, str] = os.environ) -> None:
    """Saves a verdict."""
    last_run.write(path(topology, environ), saved_verdict.to_dict(record))


def forget(topology: Topology, environ: Mapping[str, str] = os.environ) -> None:
    """Removes the verdict of a topology that was removed."""
    with suppress(OSError):
        path(topology, environ).unlink(missing_ok=True)
