"""The result of a command, from which every output format is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hzlink.model.choices import ConfigTarget
from hzlink.model.errors import ExitStatus, HzlinkError
from hzlink.model.topology import Site
from hzlink.report import document as documents
from hzlink.report.report import Report
from hzlink.verify import proof, saved_verdict
from hzlink.verify.proof import SiteProof
from hzlink.verify.saved_verdict import SavedVerdict

if TYPE_CHECKING:
    # For type checking only, so that `status` does not import them.
    from hzlink.checks.records import Finding
    from hzlink.plan.planner import Step
    from hzlink.verify.comparison import Comparison


@dataclass(frozen=True)
class Opened:
    """A local address of an application at a site, valid while the command runs."""

    app: str
    site: Site
    address: str


@dataclass(frozen=True)
class Dumped:
    """A support bundle: its path, the names of its files, and its size in bytes."""

    path: str
    files: tuple[str, ...]
    size: int


@dataclass(frozen=True)
class Result:
    """The result of a command.

    `steps`: the steps of a dry run. `removed`: what `down` removed, as `site: object`. `findings`: of `check`. `text`:
    a result that is a text, such as manifests. `dumped`: the support bundle. `shown`: all except the errors is already
    printed. `verification`: the proofs of `verify`, by site. `versions`: of `version`; None for a program that is not
    installed. `verified`: the saved verdict of the last `verify`. `member_config`: what the text of `member-config` is
    for. `topologies`: a result for each topology, if `status` shows several.
    """

    command: str
    status: ExitStatus = ExitStatus.DONE
    report: Report | None = None
    errors: tuple[HzlinkError, ...] = ()
    steps: tuple[Step, ...] | None = None
    removed: tuple[str, ...] | None = None
    findings: tuple[Finding, ...] | None = None
    text: str | None = None
    notes: tuple[str, ...] = field(default=())
    shown: bool = False
    dumped: Dumped | None = None
    verification: tuple[SiteProof, ...] | None = None
    verified: SavedVerdict | None = None
    opened: Opened | None = None
    comparison: Comparison | None = None
    versions: Mapping[str, str | None] | None = None
    member_config: ConfigTarget | None = None
    topologies: tuple[Result, ...] = ()

    @property
    def has_table(self) -> bool:
        """Whether the result has a part that is shown as a table."""
        parts = (self.report, self.steps, self.removed, self.verification, self.comparison)
        return any(part is not None for part in parts)


def of_errors(command: str, errors: list[HzlinkError], report: Report | None = None) -> Result:
    """The result of a failed run, with the exit code of its first error."""
    return Result(command, errors[0].status, report, tuple(errors))


def of_findings(command: str, findings: tuple[Finding, ...]) -> Result:
    """The result of `check`: PREREQUISITE if a fatal check failed, otherwise DONE."""
    fatal = any(finding.is_fatal for finding in findings)
    return Result(command, ExitStatus.PREREQUISITE if fatal else ExitStatus.DONE, findings=findings)


def verdict(command: str, report: Report, **more: Any) -> Result:
    """The result of a run by its report: DONE if healthy, FAILED if not, PREREQUISITE if a site cannot be read."""
    if report.healthy:
        return Result(command, ExitStatus.DONE, report, **more)
    lacks = any(site.status is ExitStatus.PREREQUISITE for site in report.unreadable)
    return Result(command, ExitStatus.PREREQUISITE if lacks else ExitStatus.FAILED, report, **more)


def several(command: str, results: Sequence[Result]) -> Result:
    """One result of several, with the highest exit code."""
    return Result(command, max(one.status for one in results), topologies=tuple(results))


def to_dict(result: Result) -> dict[str, Any]:
    """The versioned document of `-o json` and `-o yaml`, also on failure."""
    document: dict[str, Any] = {
        "apiVersion": documents.API_VERSION,
        "kind": result.command.title().replace("-", ""),
        "exitCode": int(result.status),
    }
    if result.report is not None:
        document |= documents.to_dict(result.report)
        # As in the table: no verdict "healthy" beside an error.
        document["healthy"] = document["healthy"] and not result.errors
    if result.topologies:
        each = [to_dict(one) for one in result.topologies]
        document["healthy"] = all(one["healthy"] for one in each)
        document["topologies"] = [
            {key: value for key, value in one.items() if key not in ("apiVersion", "kind")} for one in each
        ]
    if result.steps is not None:
        document["steps"] = [
            {"site": step.site.name, "action": str(step.action), "writes": step.writes, "why": step.why}
            for step in result.steps
        ]
    if result.removed is not None:
        document["removed"] = list(result.removed)
    if result.findings is not None:
        document["ready"] = not any(finding.is_fatal for finding in result.findings)
        document["checks"] = [finding.to_dict() for finding in result.findings]
    if result.dumped is not None:
        dumped = {"path": result.dumped.path, "files": list(result.dumped.files), "bytes": result.dumped.size}
        # For `dump`, these fields are at the top level of the document.
        document |= dumped if result.command == "dump" else {"dump": dumped}
    if result.verification is not None:
        document["verification"] = [proof.to_dict(site) for site in result.verification]
    if result.verified is not None:
        document["verified"] = saved_verdict.verdict_to_dict(result.verified)
    if result.comparison is not None:
        from hzlink.verify import comparison as comparisons

        document["comparison"] = comparisons.to_dict(result.comparison)
    if result.opened is not None:
        opened = result.opened
        document["opened"] = {"app": opened.app, "site": opened.site.name, "address": opened.address}
    if result.versions is not None:
        document["versions"] = dict(result.versions)
    if result.member_config is not None:
        document["memberConfig"] = {"target": str(result.member_config), "text": result.text}
    document["notes"] = list(result.notes)
    document["errors"] = [error.to_dict() for error in result.errors]
    return document
