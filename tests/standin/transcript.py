"""Reads the transcript of commands that ran against the real Skupper, and normalizes outputs."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

FILE = Path(
    os.environ.get("SKUPPER_TRANSCRIPT") or Path(__file__).resolve().parents[3] / "shared" / "skupper-transcript.txt"
)
"""Beside the checkout, or the path of the variable."""

_SECTION = re.compile(r"#{8} (?P<title>.*?)(?: \(\d\d:\d\d:\d\d\))?$")
_COMMAND = re.compile(r"\[\d\d:\d\d:\d\d\] \$ (?P<command>.*)$")
_END = re.compile(r"\[exit (?P<code>\d+), (?P<seconds>[\d.]+) s\]$")

_FORMS = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b"), "<ip>"),
    (re.compile(r"\bt-[0-9a-f]{8}\b"), "hz"),
)


@dataclass(frozen=True)
class Run:
    """One command with its output, exit code and duration in seconds."""

    section: str
    command: str
    output: str
    code: int
    seconds: float


def read(path: Path) -> list[Run]:
    """All runs, in order."""
    runs: list[Run] = []
    section, command = "", ""
    lines: list[str] = []
    for line in path.read_text().splitlines():
        if title := _SECTION.match(line):
            section = title["title"]
        elif started := _COMMAND.match(line):
            command, lines = started["command"], []
        elif ended := _END.match(line):
            runs.append(Run(section, command, "\n".join(lines), int(ended["code"]), float(ended["seconds"])))
        else:
            lines.append(line)
    return runs


def common(text: str) -> str:
    """The text with ids, times, addresses and namespaces replaced, so that runs can be compared."""
    for pattern, instead in _FORMS:
        text = pattern.sub(instead, text)
    return text.strip("\n")


def cells(table: str) -> list[list[str]]:
    """The cells of a kubectl table."""
    return [re.split(r"\s{2,}", line.strip()) for line in common(table).splitlines() if line.strip()]


def columns(table: str, *names: str) -> list[tuple[str, ...]]:
    """These columns of a kubectl table, by the positions of their headers; a line may be cut off."""
    head, *rows = [line for line in table.splitlines() if line.strip()]
    starts = [match.start() for match in re.finditer(r"\S+(?: \S+)*", head)]
    titles = [match.group() for match in re.finditer(r"\S+(?: \S+)*", head)]
    found = []
    for row in rows:
        by_title = {
            title: row[start:end].strip() for title, start, end in zip(titles, starts, [*starts[1:], None], strict=True)
        }
        found.append(tuple(common(by_title[name]) for name in names))
    return found
