"""The saved verdict of the last `verify`, and its age when `status` runs. Pure."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hzlink.model.durations import ago
from hzlink.report import hops
from hzlink.verify.proof import SiteProof

if TYPE_CHECKING:
    from hzlink.report.report import Report

# How long a proof by traffic outranks conditions.
FRESH_SECONDS = 300.0


@dataclass(frozen=True)
class Record:
    """A saved verdict: its time (seconds since 1970), and for each client site the answered names and all names.

    `failed`: the names that did not answer, as site/name.
    """

    at: float
    sites: Mapping[str, tuple[int, int]]
    proven: bool
    failed: tuple[str, ...] = field(default=())


def record(proofs: Sequence[SiteProof], at: float) -> Record:
    """The record of a verdict, which has only names and times."""
    sites = {proof.site.name: (proof.answered, len(proof.names)) for proof in proofs}
    failed = [f"{proof.site.name}/{one.name}" for proof in proofs for one in proof.names if not one.ok]
    return Record(at, sites, all(proof.proven for proof in proofs), tuple(failed))


def to_dict(kept: Record) -> dict[str, Any]:
    """The record as JSON data."""
    sites = {name: list(counts) for name, counts in kept.sites.items()}
    return {"at": kept.at, "proven": kept.proven, "sites": sites, "failed": list(kept.failed)}


def from_dict(found: Any) -> Record | None:
    """A record from JSON data; None if the data is not a record."""
    try:
        sites = {str(name): (int(answered), int(of)) for name, (answered, of) in found["sites"].items()}
        failed = tuple(str(name) for name in found["failed"])
        at = float(found["at"])
        return Record(at, sites, found["proven"] is True, failed) if math.isfinite(at) else None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None


@dataclass(frozen=True)
class SavedVerdict:
    """A saved verdict and its age in seconds."""

    record: Record
    age: float

    @property
    def fresh(self) -> bool:
        """Whether it outranks conditions. A verdict from the future does not: the clock was changed since."""
        return 0 <= self.age <= FRESH_SECONDS

    @property
    def line(self) -> str:
        """The line that `status` shows."""
        counts = list(self.record.sites.items())
        where = [f"{name}: " if len(counts) > 1 else "" for name, _ in counts]
        said = "; ".join(
            f"{site}{answered} of {of} {'member' if of == 1 else 'members'} answered"
            for site, (_, (answered, of)) in zip(where, counts, strict=True)
        )
        if self.record.proven:
            return f"verified {ago(self.age)}: {said}"
        failed = [name if len(counts) > 1 else name.rpartition("/")[2] for name in self.record.failed]
        named = f" (not {', '.join(failed)})" if failed else ""
        return f"verification failed {ago(self.age)}: {said}{named}"


def verdict_to_dict(proof: SavedVerdict) -> dict[str, Any]:
    """For `-o json`: the verdict, its age in seconds, and the line."""
    return {"proven": proof.record.proven, "ageSeconds": round(proof.age, 1), "message": proof.line}


def at_time(kept: Record | None, now: float) -> SavedVerdict | None:
    """The verdict with its age at `now` (seconds since 1970)."""
    return None if kept is None else SavedVerdict(kept, now - kept.at)


def prefer_over_conditions(report: Report, proof: SavedVerdict | None) -> Report:
    """The report, in which a fresh successful proof outranks a Listener or Connector that is Pending.

    A hop that is broken or missing, or that a proof does not cover, such as pods, remains the first broken hop.
    """
    if report.blamed is None or proof is None or not (proof.fresh and proof.record.proven):
        return report
    paths = tuple(hops.with_proof(path) for path in report.paths)
    notes = [
        f"{hop.site.name}: Skupper still says of the {hop.name}: {hop.text}; but traffic flows"
        for path, flowed in zip(report.paths, paths, strict=True)
        if (hop := path.first_broken) is not None and flowed.first_broken is None
    ]
    return dataclasses.replace(
        report, paths=paths, blamed=hops.first(paths), warnings=(*report.warnings, *dict.fromkeys(notes))
    )
