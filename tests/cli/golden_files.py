"""Compares text with files in tests/cli/golden/, or writes them: `HZLINK_UPDATE_GOLDEN=1 pytest tests/cli`.

The files are at golden/COMMAND/OUTPUT/SITUATION, such as golden/status/tree/member-down.txt. Those of a terminal hold
four variants: 80 and 160 columns, with and without colours. Read what `git diff` shows before committing it: the
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
# Renders the output for a number of columns, with or without colours.
Render = Callable[[int, bool], str]
FOLDER = Path(__file__).resolve().parent / "golden"
# Read at import, because the tests' fixtures remove every HZLINK_ variable.
UPDATE = bool(os.environ.get("HZLINK_UPDATE_GOLDEN"))


def check(name: str, text: str) -> None:
    """Fails with a diff if `text` differs from golden/`name`. Trailing blanks are ignored."""
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
        raise AssertionError("\n".join(["the output differs from the golden file:", *diff]))


def check_variants(name: str, render: Render) -> None:
    """Compares all four variants with golden/`name`.txt; equal variants share one heading.

    Colours must not change the text. Their escape sequences are written as text, so that the file is readable.
    """
    same: dict[str, list[str]] = {}
    for columns in WIDTHS:
        plain, coloured = render(columns, False), render(columns, True)
        assert "\x1b" not in plain
        assert ESCAPE.sub("", coloured) == plain, "colours do not change the text"
        same.setdefault(plain, []).append(f"{columns} columns")
        same.setdefault(coloured, []).append(f"{columns} columns in colour")
    sections = [f"# {', '.join(variants)}\n{text.rstrip()}\n" for text, variants in same.items()]
    check(f"{name}.txt", "\n\n".join(sections).replace("\x1b[", "␛["))


def ended(out: str, err: str, code: int) -> str:
    """Both output streams of a command and its exit code, as one text."""
    said = f"# standard error\n{err}" if err else ""
    return f"{out}{said}# exit code {code}"
