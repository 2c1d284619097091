"""Seconds as people say them. Pure."""

from __future__ import annotations

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def span(seconds: float) -> str:
    """In whole units, rounded down: 12 s, 5 min, 3 h, 2 d."""
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"


def ago(seconds: float) -> str:
    """An age: 5 min ago."""
    return "at a time to come, by this clock" if seconds < 0 else f"{span(seconds)} ago"
