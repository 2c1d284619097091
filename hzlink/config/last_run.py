"""The record of the last `up`, so that `hzlink status` needs no flags. It has names, UIDs and digests, never a secret.

It contains settings, not state: hzlink always reads the state from the clusters.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

# The key of the contexts' clusters (`hzlink/observe/known_clusters.py`), which are not a setting.
CLUSTERS = "clusters"


def path(environ: Mapping[str, str] = os.environ) -> Path:
    """The file, under the XDG state folder."""
    base = environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "hzlink" / "last.json"


def load(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The record; empty if there is none or if it cannot be read."""
    try:
        recorded = json.loads(path(environ).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return recorded if isinstance(recorded, dict) else {}


def settings(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A record's settings, without the contexts' clusters."""
    return {key: value for key, value in recorded.items() if key != CLUSTERS}


def save(values: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> None:
    """Records `values`."""
    write(path(environ), values)


def write(file: Path, values: Mapping[str, Any]) -> None:
    """Writes `values` to a file in one step, as JSON. Errors of the file system are ignored."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = file.with_suffix(".new")
        new.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        new.replace(file)


def forget(environ: Mapping[str, str] = os.environ) -> None:
    """Removes the record."""
    with suppress(OSError):
        path(environ).unlink(missing_ok=True)
