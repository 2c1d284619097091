"""What a command gives back: one record, from which every output format is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hzlink import comparison as comparisons
from hzlink import proof as proofs
from hzlink import report as reports
from hzlink.comparison import Comparison
from hzlink.errors import ExitStatus, HzlinkError
from hzlink.plan import Step
from hzlink.proof import SiteProof, Standing
from hzlink.report import Report
from hzlink.topology import Site


@dataclass(frozen=True)
class Opened:
    """A local address that leads to something at a site, for as long as the command runs."""

    app: str
    site: Site
    address: str


@dataclass(frozen=True)
class Result:
    """The outcome of one command.

    `steps` are what a dry run would do; `removed` what `down` removed, as `site: object`; `text` is for commands whose
    result is a text of its own, such as manifests. `verification` is what `verify` found, site by site; `verified` the
    last verdict that was kept.
    """

    command: str
    status: ExitStatus = ExitStatus.DONE
    report: Report | None = None
    errors: tuple[HzlinkError, ...] = ()
    steps: tuple[Step, ...] | None = None
    removed: tuple[str, ...] | None = None
    text: str | None = None
    notes: tuple[str, ...] = field(default=())
    verification: tuple[SiteProof, ...] | None = None
    verified: Standing | None = None
    opened: Opened | None = None
    comparison: Comparison | None = None

    @property
    def has_table(self) -> bool:
        """Whether there is anything that a table can show."""
        parts = (self.report, self.steps, self.removed, self.verification, self.comparison)
        return any(part is not None for part in parts)


def of_errors(command: str, errors: list[HzlinkError], report: Report | None = None) -> Result:
    """A failed run: its exit code is that of its first error."""
    return Result(command, errors[0].status, report, tuple(errors))


def verdict(command: str, report: Report, **more: Any) -> Result:
    """A run whose end is what the report says: healthy, unhealthy, or not to be read."""
    if report.healthy:
        return Result(command, ExitStatus.DONE, report, **more)
    lacks = any(site.status is ExitStatus.PREREQUISITE for site in report.unreadable)
    return Result(command, ExitStatus.PREREQUISITE if lacks else ExitStatus.FAILED, report, **more)


def to_dict(result: Result) -> dict[str, Any]:
    """The versioned document of `-o json` and `-o yaml`, also on failure."""
    document: dict[str, Any] = {
        "apiVersion": reports.API_VERSION,
        "kind": result.command.capitalize(),
        "exitCode": int(result.status),
    }
    if result.report is not None:
        document |= reports.to_dict(result.report)
    if result.steps is not None:
        document["steps"] = [
            {"site": step.site.name, "action": str(step.action), "writes": step.writes, "why": step.why}
            for step in result.steps
        ]
    if result.removed is not None:
        document["removed"] = list(result.removed)
    if result.verification is not None:
        document["verification"] = [proofs.to_dict(proof) for proof in result.verification]
    if result.verified is not None:
        document["verified"] = proofs.standing_to_dict(result.verified)
    if result.comparison is not None:
        document["comparison"] = comparisons.to_dict(result.comparison)
    if result.opened is not None:
        opened = result.opened
        document["opened"] = {"app": opened.app, "site": opened.site.name, "address": opened.address}
    document["notes"] = list(result.notes)
    document["errors"] = [error.to_dict() for error in result.errors]
    return document
