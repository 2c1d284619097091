"""The record of the last `up` of each topology, so that `hzlink status` needs no flags.

It has names, UIDs and digests, never a secret. The file has the values of the last `up`, and those of other topologies
below EARLIER.

It contains settings, not state: hzlink always reads the state from the clusters.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hzlink.model.topology import DEFAULT_SERVICE

# The key of the contexts' clusters (`hzlink/observe/known_clusters.py`), which are not a setting.
CLUSTERS = "clusters"
# The key of the records of other topologies.
EARLIER = "earlier"
MAX_RECORDS = 20


def path(environ: Mapping[str, str] = os.environ) -> Path:
    """The file, under the XDG state folder."""
    base = environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "hzlink" / "last.json"


def load(environ: Mapping[str, str] = os.environ) -> list[dict[str, Any]]:
    """The records, that of the last `up` first; empty if there are none or if they cannot be read."""
    try:
        last = json.loads(path(environ).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    if not isinstance(last, dict) or not last:
        return []
    earlier = last.pop(EARLIER, [])
    return [last, *(one for one in (earlier if isinstance(earlier, list) else []) if isinstance(one, dict))]


def settings(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A record's settings, without the contexts' clusters."""
    return {key: value for key, value in recorded.items() if key != CLUSTERS}


def save(values: Mapping[str, Any], namespace: str, environ: Mapping[str, str] = os.environ) -> None:
    """Records `values`, instead of an earlier record of the same topology.

    `namespace`: the one of the cluster site's context, which counts if `values` has none.
    """
    _write([values, *_others(values, namespace, environ)], environ)


def _others(values: Mapping[str, Any], namespace: str, environ: Mapping[str, str]) -> list[dict[str, Any]]:
    """The records of other topologies."""
    return [one for one in load(environ) if identity(one, namespace) != identity(values, namespace)]


def identity(values: Mapping[str, Any], namespace: str) -> tuple[Any, ...]:
    """What a topology is known by: its name and its cluster site. It may get more client sites."""
    where = values.get("cluster_ns") or values.get("namespace") or namespace
    file = values.get("cluster_kubeconfig") or values.get("kubeconfig")
    return name_of(values), values.get("cluster_ctx"), where, file


def name_of(values: Mapping[str, Any]) -> Any:
    """The name of a record's topology."""
    return values.get("name", values.get("service", DEFAULT_SERVICE))


def choose(records: Sequence[dict[str, Any]], given: Mapping[str, Any], places: Sequence[str]) -> dict[str, Any]:
    """The record that the user means; the last one if several match equally, {} if there is none.

    A record with other contexts is not chosen if another one matches. `given`: what the user gave; `places`: the
    settings that say where the sites are.
    """

    def unlike(values: dict[str, Any]) -> tuple[bool, bool, int]:
        named = {"name": name_of(values), "service": values.get("service", DEFAULT_SERVICE)}
        differ = [key for key in places if key in given and given[key] != values.get(key)]
        elsewhere = "client_ctx" in differ or "cluster_ctx" in differ
        return elsewhere, any(given.get(key) not in (None, value) for key, value in named.items()), len(differ)

    return min(records, key=unlike, default={})


def _write(records: Sequence[Mapping[str, Any]], environ: Mapping[str, str]) -> None:
    last, *earlier = records
    write(path(environ), {**last, EARLIER: earlier[: MAX_RECORDS - 1]} if earlier else last)


def write(file: Path, values: Mapping[str, Any]) -> None:
    """Writes `values` to a file in one step, as JSON. Errors of the file system are ignored."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = file.with_suffix(".new")
        new.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        new.replace(file)


def forget(values: Mapping[str, Any], namespace: str, environ: Mapping[str, str] = os.environ) -> None:
    """Removes the record of the topology of `values`; see `save`."""
    if others := _others(values, namespace, environ):
        _write(others, environ)
        return
    with suppress(OSError):
        path(environ).unlink(missing_ok=True)
