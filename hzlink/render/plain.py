"""Renders events and errors as plain lines without control characters."""

from __future__ import annotations

from collections.abc import Callable

from hzlink.model.errors import HzlinkError
from hzlink.model.events import Event, Mark

LANE_WIDTH = 12
# Time between two lines about the same wait, if the output is not a terminal.
LINE_INTERVAL_SECONDS = 10.0


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds: 0:41."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def line(event: Event) -> str:
    """The event as one line: site, state, text, and its time."""
    head = f"{one_line(event.lane):<{LANE_WIDTH}} {event.mark:<5}" if event.lane else f"{event.mark:<5}"
    if event.mark is Mark.WAIT:
        return f"{head} {one_line(event.text)}   {waited(event)}".rstrip()
    seconds = f"   {event.elapsed:.1f} s" if event.elapsed is not None else ""
    return f"{head} {one_line(event.text)}{seconds}"


def waited(event: Event) -> str:
    """The elapsed time of a wait, its limit and the last reason."""
    limit = f" of {clock(event.limit)}" if event.limit else ""
    reason = f"   {one_line(event.reason)}" if event.reason else ""
    return f"{clock(event.elapsed or 0)}{limit}{reason}"


def one_line(text: str) -> str:
    """The text on one line, without control characters, because texts from a cluster are printed to a terminal."""
    return " ".join(printable(text).split())


def printable(text: str) -> str:
    """The text without control characters. Spaces are unchanged, so that a command can be copied."""
    return "".join(c if c.isprintable() else " " for c in text)


def error_lines(error: HzlinkError) -> list[str]:
    """An error as lines: message, object, quoted message, waited time and next command."""
    site = f"{error.site}: " if error.site else ""
    lines = [f"error: {site}{one_line(error.message)}"]
    facts = []
    if error.subject and error.said:
        facts.append(f"{error.subject} says: {one_line(error.said)}")
    elif error.subject or error.said:
        facts.append(one_line(error.subject or error.said or ""))
    if error.waited is not None:
        facts.append(f"waited {error.waited:.1f} s")
    if facts:
        lines.append(f"  {'; '.join(facts)}")
    if error.next_step:
        lines.append(f"  next: {error.next_step}")
    return [printable(text) for text in lines]


class PlainProgress:
    """Writes each event as a line, and a wait only every `LINE_INTERVAL_SECONDS`."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._shown_at: dict[tuple[str, str], float] = {}

    def __call__(self, event: Event) -> None:
        """Writes an event."""
        if event.mark is Mark.WAIT:
            key = (event.lane, event.key)
            if (event.elapsed or 0) - self._shown_at.get(key, 0.0) < LINE_INTERVAL_SECONDS:
                return
            self._shown_at[key] = event.elapsed or 0
        self._write(line(event))

    def close(self) -> None:
        """Does nothing: there is nothing to close."""
