"""Renders the findings of `check`: a line for each site, then each failed check with its remedy, then the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from hzlink.checks.records import Finding
from hzlink.programs import hints
from hzlink.render.plain import one_line, printable

COLOURS = {"passed": "green", "warning": "yellow", "unknown": "magenta", "failed": "red"}
# The label of findings across the sites.
ALL_SITES = "all sites"


def show_findings(console: Console, findings: Sequence[Finding], wide: bool = False) -> None:
    """Prints the findings. The terminal wraps texts, so that a command can be copied as a whole."""
    console.print(_table(findings))
    for part in _below(findings, wide):
        console.print(part, soft_wrap=True)


def _table(findings: Sequence[Finding]) -> Table:
    """The number of findings with each result, for each site."""
    table = Table(box=None, header_style="bold", padding=(0, 1))
    for heading in ("SITE", *(word.upper() for word in COLOURS)):
        table.add_column(heading, overflow="fold", min_width=len(heading))
    for name in dict.fromkeys(_site(finding) for finding in findings):
        words = [finding.word for finding in findings if _site(finding) == name]
        counts = {word: words.count(word) for word in COLOURS}
        cells = [Text(str(count), COLOURS[word]) if count else Text("-", "dim") for word, count in counts.items()]
        table.add_row(one_line(name), *cells)
    return table


def _below(findings: Sequence[Finding], wide: bool) -> list[RenderableType]:
    order = list(reversed(COLOURS))
    shown = [finding for finding in findings if wide or finding.word != "passed" or finding.check.informs]
    lines: list[RenderableType] = [Text()]
    lines += [_line(finding) for finding in sorted(shown, key=lambda finding: order.index(finding.word))]
    return [*lines, _verdict(findings)]


def _line(finding: Finding) -> Text:
    text = Text(f" {finding.word}: ", COLOURS[finding.word])
    site = f"{one_line(finding.site.name)}: " if finding.site else ""
    text.append(f"{site}{one_line(finding.text or finding.check.title)}", "default")
    text.append(f"  [{finding.check.id}]", "dim")
    said = f"{finding.subject}: {finding.said}" if finding.subject and finding.said else finding.said or finding.subject
    if said:
        text.append(f"\n   {one_line(said)}", "default")
    if finding.next_step:
        text.append("\n   next: ", "default").append(printable(finding.next_step), "cyan")
    return text


def _verdict(findings: Sequence[Finding]) -> Text:
    fatal = sum(finding.is_fatal for finding in findings)
    if fatal:
        return Text(f" not ready: {fatal} check{'s' if fatal > 1 else ''} failed", "red")
    warnings = sum(finding.is_warning for finding in findings)
    said = f", with {warnings} warning{'s' if warnings > 1 else ''}" if warnings else ""
    text = Text(f" ready{said}", "green")
    return text.append("   next: ", "default").append(printable(hints.up_as_typed()), "cyan")


def _site(finding: Finding) -> str:
    return finding.site.name if finding.site else ALL_SITES
