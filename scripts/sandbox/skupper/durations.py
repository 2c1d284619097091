"""Go's durations: `15m`, `1h30m`, `1m0s`. Pure."""

from __future__ import annotations

import re
from fractions import Fraction

_NANO = 1_000_000_000
_UNITS = {
    "ns": Fraction(1, _NANO),
    "us": Fraction(1, 1_000_000),
    "µs": Fraction(1, 1_000_000),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)([a-zµ]*)")


def parse(text: str) -> float:
    """Seconds. ValueError with Go's error message for anything that is not a duration."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0.0
    if not rest:
        raise ValueError(f'time: invalid duration "{text}"')
    total = Fraction(0)
    while rest:
        part = _PART.match(rest)
        if part is None:
            raise ValueError(f'time: invalid duration "{text}"')
        number, unit = part.groups()
        if not unit:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if unit not in _UNITS:
            raise ValueError(f'time: unknown unit "{unit}" in duration "{text}"')
        total += Fraction(number.rstrip(".")) * _UNITS[unit]
        rest = rest[part.end() :]
    return float(-total if text.startswith("-") else total)


def show(seconds: float) -> str:
    """As Go prints it: `15m0s`, `1.5s`, `250ms`, `0s`."""
    sign = "-" if seconds < 0 else ""
    nanos = round(abs(seconds) * _NANO)
    if nanos == 0:
        return "0s"
    if nanos < _NANO:
        return sign + _small(nanos)
    minutes, rest = divmod(nanos, 60 * _NANO)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(rest, _NANO)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return sign + (f"{hours}h{text}" if hours else text)


def _small(nanos: int) -> str:
    for unit, size in (("ms", 1_000_000), ("µs", 1000)):
        if nanos >= size:
            return f"{_decimal(nanos, size)}{unit}"
    return f"{nanos}ns"


def _decimal(amount: int, size: int) -> str:
    """amount/size without trailing zeros."""
    whole, part = divmod(amount, size)
    digits = len(str(size)) - 1
    fraction = f"{part:0{digits}d}".rstrip("0")
    return f"{whole}.{fraction}" if fraction else str(whole)
