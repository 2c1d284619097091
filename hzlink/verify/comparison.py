"""The result of `bench`: round trips through the link, compared with direct ones. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hzlink.model.topology import Site
from hzlink.verify import latency
from hzlink.verify.latency import Latency

# Sizes of the values, in bytes.
SIZES = (100, 1_000, 100_000)


@dataclass(frozen=True)
class Measure:
    """Round trips with values of `size` bytes: through the link, and directly at the cluster site."""

    size: int
    link: Latency
    direct: Latency

    @property
    def rate_ratio(self) -> float | None:
        """Round trips per second through the link divided by direct ones; None without direct ones."""
        return latency.ratio(self.link.per_second, self.direct.per_second)

    @property
    def p50_ratio(self) -> float | None:
        """The median duration through the link divided by the direct one; None without direct ones."""
        return latency.ratio(self.link.p50, self.direct.p50)


@dataclass(frozen=True)
class Comparison:
    """The measures of a client site, by size. `members`: the members that were measured."""

    site: Site
    members: tuple[str, ...]
    measures: tuple[Measure, ...]


def size_text(size: int) -> str:
    """A number of bytes: 100 B, 1 kB, 100 kB."""
    return f"{size // 1000} kB" if size >= 1000 else f"{size} B"


def ratio_text(ratio: float | None) -> str:
    """A ratio to two places."""
    return "-" if ratio is None else f"{ratio:.2f}"


def to_dict(found: Comparison) -> dict[str, Any]:
    """The comparison for `-o json`: milliseconds, round trips per second, ratios of link to direct."""
    return {
        "site": found.site.name,
        "members": list(found.members),
        "measures": [
            {
                "bytes": measure.size,
                "link": _side_to_dict(measure.link),
                "direct": _side_to_dict(measure.direct),
                "rateRatio": _rounded(measure.rate_ratio),
                "p50Ratio": _rounded(measure.p50_ratio),
            }
            for measure in found.measures
        ],
    }


def _side_to_dict(one: Latency) -> dict[str, Any]:
    return {"perSecond": round(one.per_second, 1), **(latency.to_dict(one) or {})}


def _rounded(ratio: float | None) -> float | None:
    return None if ratio is None else round(ratio, 3)
