"""Programs in the place of kubectl and skupper, first on the PATH of one run: shell scripts that pass on, or do not."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

PASS_ON = 'exec "$real" "$@"'


@dataclass(frozen=True)
class Shims:
    """The folder that they lie in, and where the real programs are."""

    folder: Path
    real: Path

    def put(self, name: str, script: str) -> None:
        """A program of that name. In the script, `$real` is the real one and `$here` the shims' folder."""
        text = f"#!/bin/sh\nreal={shlex.quote(str(self.real / name))}\nhere={shlex.quote(str(self.folder))}\n{script}\n"
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)

    def path(self, rest: str) -> str:
        """A PATH with these first."""
        return f"{self.folder}{os.pathsep}{rest}"


def changed(verb: str, words: str, *edits: str) -> str:
    """A script that passes on, and edits the standard input of a verb where that has these words in it (by sed)."""
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
    """A script that passes on, but first lets the test do something where a verb's input has these words in it.

    It makes the file `asked` and goes on when there is a file `done`.
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
