#!/usr/bin/env python3
"""Writes docs/failures.md from the fault table of the tests: what you see, what it means, what to do.

.venv/bin/python scripts/failures.py           write it
.venv/bin/python scripts/failures.py --check   exit 1 if it differs from the table
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "failures.md"
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from tests.faults.fault import Fault, Part, Where  # noqa: E402 - found by the path above
from tests.faults.table import FAULTS  # noqa: E402

INTRODUCTION = """# What hzlink says when something is wrong

`scripts/failures.py` writes this page from the fault table in `tests/faults`. The tests cause each failure on the
sandbox and compare hzlink's answer with this page. Search for the message, without the site in front of it.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a prerequisite is missing, 4 timed out, 5 another run holds the lock,
130 interrupted. After any failure, run the same command again: it continues. No run leaves a token, a grant or a token
file behind, unless their API server could not be reached; then the next run removes them.

NAMESPACE, CLIENT and CLUSTER stand for your namespace and for the contexts of the two sites. Only exit code 4 waits for
the whole --timeout: hzlink stops waiting as soon as a failure cannot resolve itself.
"""
SHOWN = {"namespace": "NAMESPACE", "client": "CLIENT", "cluster": "CLUSTER"}
WIDTH = 120
KINDS = {
    Where.ERROR: "an error",
    Where.HOP: "the first broken hop in `hzlink status`",
    Where.WARNING: "a warning under a healthy status",
    Where.TALK: "a line of progress in a run that succeeds",
}


def page(faults: list[Fault]) -> str:
    """The whole page: a part for each part of the table, an entry for each message in it."""
    lines = [INTRODUCTION]
    for part in Part:
        lines.append(f"## {part}\n")
        entries = _grouped(
            [fault for fault in faults if fault.part is part], lambda fault: (fault.message, fault.where)
        )
        lines += [_entry(rows) for rows in entries]
    return "\n".join(lines)


def _grouped(faults: list[Fault], key: Callable[[Fault], object]) -> list[list[Fault]]:
    """Groups of faults with the same key, in the order of each group's first fault."""
    found: dict[object, list[Fault]] = {}
    for fault in faults:
        found.setdefault(key(fault), []).append(fault)
    return list(found.values())


def _entry(rows: list[Fault]) -> str:
    """One message and its possible causes."""
    first = rows[0]
    hop = f"{first.subject}: " if first.where is Where.HOP else ""
    lines = [f"### `{hop}{_shown(first.message)}`", "", f"This is {KINDS[first.where]}.", ""]
    for causes in _grouped(rows, lambda fault: (fault.means, fault.do, fault.code, fault.next)):
        lines += [_cause(causes), ""]
    return "\n".join(lines)


def _cause(rows: list[Fault]) -> str:
    """One cause, or several that look the same to the user: title, meaning, remedy."""
    fault = rows[0]
    title = "; ".join(row.title for row in rows)
    text = f"- **{title[0].upper()}{title[1:]}.** {fault.means} *What to do:* {fault.do} *Exit code:* {fault.code}."
    if fault.next:
        text += f" *hzlink proposes:* `{_shown(fault.next)}`"
    return textwrap.fill(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _shown(text: str) -> str:
    """The text with placeholders for namespace and contexts, also in place of the sandbox's own contexts."""
    shown = text.format_map(SHOWN)
    return shown.replace("--context client ", "--context CLIENT ").replace("--context cluster ", "--context CLUSTER ")


def main() -> int:
    """Writes or checks the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    wanted = page(FAULTS)
    if not parser.parse_args().check:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == wanted:
        return 0
    print(f"{PAGE.relative_to(ROOT)} differs from the fault table; run: .venv/bin/python scripts/failures.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
