"""The settings of the last `up`, so that `hzlink status` needs no flags. Names, UIDs and digests, never a secret.

It is a convenience, not a journal: nothing in it is taken as the state of a cluster.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

# The key of what is no setting: which clusters the contexts led to (`hzlink/observe/known_clusters.py`).
CLUSTERS = "clusters"


def path(environ: Mapping[str, str] = os.environ) -> Path:
    """The file, under the XDG state folder."""
    base = environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "hzlink" / "last.json"


def load(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """What was recorded; empty where nothing was, or where it cannot be read (then flags are asked for)."""
    try:
        recorded = json.loads(path(environ).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return recorded if isinstance(recorded, dict) else {}


def settings(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A record's settings, without the clusters that its contexts led to."""
    return {key: value for key, value in recorded.items() if key != CLUSTERS}


def save(values: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> None:
    """Records `values`."""
    write(path(environ), values)


def write(file: Path, values: Mapping[str, Any]) -> None:
    """Puts `values` into a file of this folder, in one step. A file system that refuses is no reason to fail."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = file.with_suffix(".new")
        new.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        new.replace(file)


def forget(environ: Mapping[str, str] = os.environ) -> None:
    """Removes the record."""
    with suppress(OSError):
        path(environ).unlink(missing_ok=True)
