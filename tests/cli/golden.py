"""Compares text with files in tests/cli/golden/, or writes them: `HZLINK_UPDATE_GOLDEN=1 pytest tests/cli`.

Read what `git diff` then shows before committing it: the files are what a user sees.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

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


def visible(text: str) -> str:
    """Escape sequences spelled out, so that a file with colours can be read and compared."""
    return text.replace("\x1b[", "␛[")
