"""Shell scripts that replace kubectl and skupper on the PATH of one run; most call the real program."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

PASS_ON = 'exec "$real" "$@"'


@dataclass(frozen=True)
class Shims:
    """The folder of the scripts, and that of the real programs."""

    folder: Path
    real: Path

    def put(self, name: str, script: str) -> None:
        """Writes a script with that name. `$real` is the real program and `$here` the scripts' folder."""
        text = f"#!/bin/sh\nreal={shlex.quote(str(self.real / name))}\nhere={shlex.quote(str(self.folder))}\n{script}\n"
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)

    def path(self, rest: str) -> str:
        """A PATH with the scripts' folder first."""
        return f"{self.folder}{os.pathsep}{rest}"


def changed(verb: str, words: str, *edits: str) -> str:
    """A script that edits a verb's standard input with sed, if that contains `words`, and calls the real program."""
    wanted = " ".join(f"-e {shlex.quote(edit)}" for edit in edits)
    return f"""
case " $* " in
*" {verb} "*)
  body=$(cat)
  case "$body" in
  *{shlex.quote(words)}*) body=$(printf '%s\\n' "$body" | sed {wanted}) ;;
  esac
  printf '%s\\n' "$body" | "$real" "$@"
  exit ;;
esac
{PASS_ON}"""


def asked(verb: str, words: str) -> str:
    """A script that waits for the test, if a verb's input contains `words`, and then calls the real program.

    It creates the file `asked` and continues when the file `done` exists.
    """
    return f"""
case " $* " in
*" {verb} "*)
  body=$(cat)
  case "$body" in
  *{shlex.quote(words)}*)
    : >"$here/asked"
    while ! [ -e "$here/done" ]; do sleep 0.02; done ;;
  esac
  printf '%s\\n' "$body" | "$real" "$@"
  exit ;;
esac
{PASS_ON}"""
