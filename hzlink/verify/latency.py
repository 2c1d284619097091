"""Statistics of round trips: percentiles, rates and ratios. Times are in seconds if not named otherwise. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Latency:
    """The median and the 99th percentile of `n` sequential round trips, and their total duration, in seconds."""

    n: int
    p50: float
    p99: float
    total: float

    @property
    def per_second(self) -> float:
        """Round trips per second; 0.0 if the measured duration is 0."""
        return self.n / self.total if self.total > 0 else 0.0


def of(times: Sequence[float]) -> Latency | None:
    """The statistics of the durations of round trips; None for an empty sequence."""
    if not times:
        return None
    ordered = sorted(times)
    return Latency(len(ordered), percentile(ordered, 50), percentile(ordered, 99), math.fsum(ordered))


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The percentile by the nearest-rank method: always one of the given times.

    Args:
        ordered: the times, sorted, at least one.
        percent: 0 to 100.
    """
    rank = math.ceil(len(ordered) * percent / 100)
    return ordered[max(0, min(len(ordered), rank) - 1)]


def ratio(one: float, other: float) -> float | None:
    """`one` divided by `other`; None if `other` is 0."""
    return one / other if other > 0 else None


def to_dict(latency: Latency | None) -> dict[str, float | int] | None:
    """The statistics for `-o json`: milliseconds, rounded to a microsecond."""
    if latency is None:
        return None
    return {"n": latency.n, "p50Ms": milliseconds(latency.p50), "p99Ms": milliseconds(latency.p99)}


def milliseconds(seconds: float) -> float:
    """Seconds as milliseconds, rounded to a microsecond."""
    return round(seconds * 1000, 3)
