"""Creates programs for tests: shell scripts, some of which record their calls."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call of a recorded program."""

    argv: list[str]
    stdin: str
    kubeconfig: str
    folder: str


class Programs:
    """Programs in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def script(self, name: str, body: str) -> str:
        """Creates a shell script. Returns its path."""
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return str(path)

    def recorder(self, name: str, *, out: str = "", err: str = "", code: int = 0) -> str:
        """Creates a program that records its calls (see Call), prints `out` and `err`, and exits with `code`."""
        for stream, text in (("out", out), ("err", err)):
            (self.folder / f"{name}.{stream}").write_text(text)
        notes = quote(str(self.folder / f"{name}.calls"))
        here = quote(str(self.folder / name))
        return self.script(
            name,
            f'{{ printf \'%s\\0\' "$KUBECONFIG" "$PWD" "$(cat)" "$#" "$@"; }} >> {notes}\n'
            f"cat {here}.out\ncat {here}.err >&2\nexit {code}",
        )

    def calls(self, name: str) -> list[Call]:
        """The calls of a recorded program, in order."""
        notes = self.folder / f"{name}.calls"
        words = notes.read_text().split("\0")[:-1] if notes.exists() else []
        calls = []
        while words:
            kubeconfig, folder, stdin, count, *words = words
            argv, words = words[: int(count)], words[int(count) :]
            calls.append(Call(argv, stdin, kubeconfig, folder))
        return calls

    def call(self, name: str) -> Call:
        """The only call of a recorded program."""
        [one] = self.calls(name)
        return one


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except OSError:
        return False
    return state not in ("Z", "X")


def gone(pid: int, seconds: float = 5.0) -> bool:
    """Whether the process has ended, or ends within `seconds`."""
    until = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


def pid_in(path: Path, seconds: float = 5.0) -> int:
    """The pid that a program writes into a file; waits for it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if path.exists() and (text := path.read_text()).endswith("\n"):
            return int(text)
        time.sleep(0.02)
    raise AssertionError(f"nothing was written to {path}")


def items(*objects: dict[str, Any]) -> str:
    """A list as `kubectl get -o json` prints it."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def without_path(*keep: str) -> str:
    """A PATH of only these folders."""
    return os.pathsep.join(keep)
