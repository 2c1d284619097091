"""How the sandbox and the tests call the real kubectl."""

from __future__ import annotations

import shlex
from pathlib import Path

# At each start kubectl loads the texts of its language: in English, a third of the CPU time of a call. In French it has
# only six, all of them in the help of `kubectl config` and `kubectl annotate`.
_SCRIPT = """#!/bin/sh
LC_ALL=fr_FR.UTF-8 exec {kubectl} "$@"
"""


def write_script(path: Path, kubectl: str) -> None:
    """Writes a script that runs the program `kubectl` with less CPU time."""
    path.write_text(_SCRIPT.format(kubectl=shlex.quote(kubectl)))
    path.chmod(0o755)
