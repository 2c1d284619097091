"""Statistics of round trips: percentiles, rates, ratios. Times are seconds, unless a name says milliseconds. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Latency:
    """`n` round trips, one after the other: the time that half of them, and that 99 of 100, stayed within (seconds).

    `total` is the time that all of them took.
    """

    n: int
    p50: float
    p99: float
    total: float

    @property
    def per_second(self) -> float:
        """Round trips per second; 0.0 where the clock did not move."""
        return self.n / self.total if self.total > 0 else 0.0


def of(times: Sequence[float]) -> Latency | None:
    """The statistics of some round trips' times; None of none."""
    if not times:
        return None
    ordered = sorted(times)
    return Latency(len(ordered), percentile(ordered, 50), percentile(ordered, 99), math.fsum(ordered))


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The least of the times that at least so many per cent do not exceed (nearest rank): always a time that was seen.

    Args:
        ordered: the times, sorted, at least one.
        percent: 0 to 100.
    """
    rank = math.ceil(len(ordered) * percent / 100)
    return ordered[max(0, min(len(ordered), rank) - 1)]


def ratio(one: float, other: float) -> float | None:
    """How many times the other the one is; None where the other is nothing."""
    return one / other if other > 0 else None


def to_dict(latency: Latency | None) -> dict[str, float | int] | None:
    """For `-o json`: milliseconds, to a microsecond."""
    if latency is None:
        return None
    return {"n": latency.n, "p50Ms": milliseconds(latency.p50), "p99Ms": milliseconds(latency.p99)}


def milliseconds(seconds: float) -> float:
    """Seconds as milliseconds, to a microsecond."""
    return round(seconds * 1000, 3)
