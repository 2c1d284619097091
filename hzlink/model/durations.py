"""Parses durations as kubectl does, and formats them in whole units. Pure."""

from __future__ import annotations

import math
import re

FORMS = "90s, 3m, 1h30m, 500ms, or plain seconds"

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
# Plain seconds as Python writes numbers, too.
_PLAIN = re.compile(rf"{_NUMBER}(?:[eE][+-]?[0-9]{{1,3}})?")
_PART = re.compile(rf"({_NUMBER})(ms|h|m|s)")
_WHOLE = re.compile(rf"(?:{_NUMBER}(?:ms|h|m|s))+")
# Longer texts are not durations. The limit also bounds the time for matching a pattern.
_MAX_LENGTH = 40


def parse(text: str) -> float:
    """A duration such as `90s`, `3m`, `1h30m`, `500ms` or `90`, in seconds.

    Raises:
        ValueError: it is not a duration.
    """
    found = text.strip()
    if len(found) > _MAX_LENGTH or not found.isascii():
        raise ValueError(f"not a duration: {text[:_MAX_LENGTH]!r}")
    if _PLAIN.fullmatch(found) and math.isfinite(seconds := float(found)):
        return seconds
    if not _WHOLE.fullmatch(found):
        raise ValueError(f"not a duration: {text!r}")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(found))


def span(seconds: float) -> str:
    """`seconds` as text in its largest whole unit, rounded down: 12 s, 5 min, 3 h, 2 d."""
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"


def ago(seconds: float) -> str:
    """An age in seconds as text: 5 min ago."""
    return "in the future, by this machine's clock" if seconds < 0 else f"{span(seconds)} ago"
