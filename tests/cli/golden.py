"""Compares text with files in tests/cli/golden/, or writes them: `HZLINK_UPDATE_GOLDEN=1 pytest tests/cli`.

The files are at golden/COMMAND/OUTPUT/SITUATION, such as golden/status/tree/member-down.txt. Those of a terminal hold
all four looks: at 80 and 160 columns, with and without colours. Read what `git diff` shows before committing it: the
files are what a user sees.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable
from pathlib import Path

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
WIDTHS = (80, 160)
# What a terminal shows, by its columns and whether it has colours.
Render = Callable[[int, bool], str]
FOLDER = Path(__file__).resolve().parent / "golden"
# Read at import: the tests' fixtures take every HZLINK_ variable away.
UPDATE = bool(os.environ.get("HZLINK_UPDATE_GOLDEN"))


def check(name: str, text: str) -> None:
    """Fails with a diff when `text` is not what golden/`name` holds. Blanks at a line's end do not count."""
    seen = "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n") + "\n"
    file = FOLDER / name
    if UPDATE:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(seen, encoding="utf-8")
        return
    assert file.is_file(), f"there is no golden file {name}: HZLINK_UPDATE_GOLDEN=1 pytest tests/cli"
    wanted = file.read_text(encoding="utf-8")
    if seen != wanted:
        diff = difflib.unified_diff(wanted.splitlines(), seen.splitlines(), f"golden/{name}", "now", lineterm="")
        raise AssertionError("\n".join(["the output is no longer the golden file's:", *diff]))


def check_looks(name: str, render: Render) -> None:
    """Compares all four looks with golden/`name`.txt; those that are the same stand under one heading.

    Colours must change nothing else. Their escape sequences are spelled out, so that the file can be read.
    """
    same: dict[str, list[str]] = {}
    for columns in WIDTHS:
        plain, coloured = render(columns, False), render(columns, True)
        assert "\x1b" not in plain
        assert ESCAPE.sub("", coloured) == plain, "colours change nothing else"
        same.setdefault(plain, []).append(f"{columns} columns")
        same.setdefault(coloured, []).append(f"{columns} columns in colour")
    sections = [f"# {', '.join(looks)}\n{text.rstrip()}\n" for text, looks in same.items()]
    check(f"{name}.txt", "\n\n".join(sections).replace("\x1b[", "␛["))


def ended(out: str, err: str, code: int) -> str:
    """What a command wrote to both streams, and its exit code, as one text."""
    said = f"# standard error\n{err}" if err else ""
    return f"{out}{said}# exit code {code}"
