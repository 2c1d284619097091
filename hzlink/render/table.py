"""Renders a result as a rich table, with the verdict below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from hzlink.model.choices import Mode, Role
from hzlink.model.conditions import Condition, State
from hzlink.model.durations import span
from hzlink.observe.ways import Way
from hzlink.render.breakable import Breakable, breakable
from hzlink.render.hop_table import hop_table
from hzlink.render.hop_text import COLOURS
from hzlink.render.plain import one_line, printable
from hzlink.render.result import Result
from hzlink.report.hops import Hop, Path
from hzlink.report.report import Report
from hzlink.report.site_status import LinkReport, SiteReport
from hzlink.verify.saved_verdict import SavedVerdict

if TYPE_CHECKING:
    from hzlink.plan.planner import Step

# More names than these are shown as ranges.
NAMES_SHOWN = 5
# Words up to this length (CrashLoopBackOff:) are not broken. Longer words are users' names, such as ARNs.
LONG_WORD = 17


def render(result: Result, wide: bool = False) -> list[RenderableType]:
    """The parts of a result that are printed to standard output."""
    parts: list[RenderableType] = []
    if result.report is not None:
        parts += _whole_contexts(result.report) if wide else []
        parts.append(status_table(result.report, wide))
        if wide:
            parts += [part for path in result.report.paths for part in (Text(), hop_table(path))]
        # Errors of `status` are in the report. Errors of other commands are not.
        parts += below(result.report, wide, failed=bool(result.errors) and result.command != "status")
    if result.verified is not None:
        parts.append(_verified(result.verified))
    if result.verification is not None:
        from hzlink.render import verification

        parts += [*([Text()] if parts else []), *verification.render(result.verification)]
    if result.comparison is not None:
        from hzlink.render import bench

        parts += bench.render(result.comparison)
    if result.steps is not None:
        parts.append(_steps(result.steps))
    if result.removed is not None:
        parts += [Text(f"removed {one_line(line)}") for line in result.removed]
        parts += [Text(one_line(note)) for note in result.notes]
    return parts


def status_table(report: Report, wide: bool = False) -> Table:
    """One row for each site."""
    table = Table(box=None, header_style="bold", pad_edge=True, padding=(0, 1), collapse_padding=True)
    rows = [
        (
            breakable(_name(site)),
            breakable(Text(one_line(site.site.where))),
            _skupper(site, wide),
            breakable(_links(report, site)),
            _members(report, site, wide).append_text(_apps(site)),
            _mancenter(report, site, wide),
        )
        for site in report.sites
    ]
    headings = ("SITE", "WHERE", "SKUPPER", "LINK", "MEMBERS", "MANAGEMENT CENTER")
    for heading, cells in zip(headings, zip(*rows, strict=True), strict=True):
        words = [word for cell in cells for word in _unbroken(cell)]
        # Longer words do not fit into 80 columns, and rich would cut off the columns on the right.
        whole = [*heading.split(), *(word for word in words if len(word) <= LONG_WORD)]
        table.add_column(heading, overflow="fold", min_width=max(map(len, whole)))
    for row in rows:
        table.add_row(*row)
    return table


def _unbroken(cell: Text | Breakable) -> list[str]:
    return cell.pieces if isinstance(cell, Breakable) else cell.plain.split()


def _whole_contexts(report: Report) -> list[RenderableType]:
    """A line with the complete context, to copy, for each site whose context is shortened in the table."""
    shortened = [site for site in report.topology.sites if site.short_context != site.context]
    lines = [Text(f" {site.name}: context {one_line(site.context)}", "dim") for site in shortened]
    return [*lines, Text()] if lines else []


def _name(site: SiteReport) -> Text:
    return Text(site.site.name, "bold").append(f"\n{site.site.role}", "not bold dim")


def _word(condition: Condition, fine: str) -> Text:
    unknown = condition.state is State.UNKNOWN
    text = fine if condition.ok else ("" if unknown else one_line(condition.text)) or str(condition.state)
    return Text(text, COLOURS[condition.state])


def _skupper(site: SiteReport, wide: bool) -> Text:
    if site.error:
        return Text(str(site.refusal or "unknown"), COLOURS[State.UNKNOWN])
    text = _word(site.skupper, "Ready")
    if site.foreign:
        text.append(f"\nSite {one_line(site.skupper_name)}\n(not hzlink's)", "not bold default")
    if site.site.role is not Role.HUB:
        offer = "connector" if site.site.role is Role.CLUSTER else "listener"
        text = text.append("\n").append_text(_word(site.matched, f"{offer} ok"))
    if wide:
        for fact in filter(None, (site.version and f"version {site.version}", site.host and f"at {site.host}")):
            text.append(f"\n{one_line(fact)}", "dim")
    return text


def _links(report: Report, site: SiteReport) -> Text:
    if site.site.role is Role.HUB:
        found = {one.holder: one.condition for link in report.links if link.way for one in link.way.links}
        unknown = Condition(State.UNKNOWN)
        texts = [
            Text(f"from {linked.name}: ").append_text(_word(found.get(linked, unknown), "Ready"))
            for linked in report.topology.linked
        ]
    elif site.site.role is Role.CLUSTER:
        texts = [_link(link, f"from {link.client.name}") for link in report.links]
    else:
        texts = [_link(link, f"to {report.topology.cluster.name}") for link in report.links if link.client == site.site]
    return Text("\n").join(texts)


def _link(link: LinkReport, where: str) -> Text:
    up = sum(condition.ok for _, condition in link.routers)
    routers = f" ({up}/{len(link.routers)} routers)" if link.routers and link.condition.ok else ""
    if link.way is not None:
        return Text(f"{where}: ").append_text(_way(link.way))
    return Text(f"{where}: ").append_text(_word(link.condition, f"Ready{routers}"))


def _way(way: Way) -> Text:
    """The state of a way over other Sites, its Sites, and a line for each Link."""
    text = Text("Ready" if way.condition.ok else "down" if way.down else one_line(way.problem))
    text.stylize(COLOURS[way.condition.state])
    text.append(f"\n{one_line(way.text)}", "not bold default")
    for link in way.links:
        text.append(f"\nLink {one_line(link.name)}: ", "not bold default").append_text(_word(link.condition, "ok"))
    return text


def _members(report: Report, site: SiteReport, wide: bool) -> Text:
    if site.site.role is Role.HUB:
        return Text("-", "dim")
    if site.error:
        return Text(str(State.UNKNOWN), COLOURS[State.UNKNOWN])
    if site.site.role is Role.CLUSTER:
        ready = [member.name for member in report.members if member.ready]
        problems = {member.name: member.problem for member in report.members if not member.ready}
    elif site.names is None:
        return Text("one connection" if report.mode is Mode.UNISOCKET else "-", "dim")
    else:
        ready = list(site.names)
        problems = {}
    total = len(ready) + len(problems) + len(site.missing)
    text = Text(f"{len(ready)}/{total}", COLOURS[State.OK if ready and len(ready) == total else State.BROKEN])
    for name in ready if wide else _ranges(ready):
        text.append(f"\n{one_line(name)}", "not bold default")
    for name, problem in problems.items():
        # The complete text is in the verdict below.
        short = problem if wide else problem.partition(": ")[0]
        text.append(f"\n{one_line(f'{name}: {short}')}", COLOURS[State.BROKEN])
    for name in site.missing if wide else _ranges(list(site.missing)):
        text.append(f"\nno {one_line(name)}", COLOURS[State.BROKEN])
    return text


def _apps(site: SiteReport) -> Text:
    """A line for each application namespace."""
    lines = Text()
    for app in site.apps:
        text = "names ok" if app.condition.ok else one_line(app.condition.text) or str(app.condition.state)
        lines.append(f"\n{one_line(app.namespace)}: ", "not bold default").append(text, COLOURS[app.condition.state])
    return lines


def _ranges(names: list[str]) -> list[str]:
    """The names; if there are many, consecutive ones as a range such as `hazelcast-0..6`."""
    if len(names) <= NAMES_SHOWN:
        return names
    runs: list[tuple[str, int, int]] = []
    for name in names:
        stem, _, number = name.rpartition("-")
        if not number.isdecimal():
            return names
        if runs and runs[-1][0] == stem and runs[-1][2] == int(number) - 1:
            runs[-1] = (stem, runs[-1][1], int(number))
        else:
            runs.append((stem, int(number), int(number)))
    return [f"{stem}-{first}" if first == last else f"{stem}-{first}..{last}" for stem, first, last in runs]


def _mancenter(report: Report, site: SiteReport, wide: bool) -> Text:
    if site.error and site.site.role is Role.CLIENT:
        return Text(str(State.UNKNOWN), COLOURS[State.UNKNOWN])
    if site.mancenter is None:
        unisocket = report.mode is Mode.UNISOCKET and site.site.role is Role.CLIENT
        without = "left out (unisocket)" if unisocket else "left out" if site.mancenter_left_out else "-"
        return Text(without, "dim")
    text = _word(site.mancenter, "Ready")
    if site.mancenter_view is not None:
        since = f" since {site.mancenter_view.since}" if wide and site.mancenter_view.since else ""
        text.append(
            f"\nsees {site.mancenter_view.count}{since}",
            COLOURS[State.WAITING if site.mancenter_view.missing else State.OK],
        )
    if site.mancenter_address:
        text.append(f"\n{one_line(site.mancenter_address)}", "not bold default")
    return text


def below(report: Report, wide: bool, failed: bool = False) -> list[RenderableType]:
    """The verdict, the notes, and the commands for Management Center. `failed`: errors are printed afterwards."""
    lines: list[RenderableType] = [Text(), _verdict(report, failed)]
    lines += [Text(f" note: {one_line(note)}", "yellow") for note in report.notes(wide)]
    for site in report.sites:
        if site.mancenter is not None and site.mancenter.ok and site.mancenter_command:
            where = (
                f" Management Center of {site.site.name}: http://localhost:{site.mancenter_port} while this runs:\n   "
            )
            lines.append(Text(where).append(printable(site.mancenter_command), "cyan"))
    return lines


def _verdict(report: Report, failed: bool) -> Text:
    if report.blamed is None or report.blame is None:
        if failed:
            return Text(" failed, see the error. ", "red").append(
                f"No hop is broken: {report.size}", "not bold default"
            )
        return Text(" healthy. ", "green").append(report.size, "not bold default")
    return _blame(report.blamed, report.blame)


def _blame(path: Path, blame: Hop) -> Text:
    text = Text(f" unhealthy: {blame.blamed}", "red")
    if blame.age is not None:
        text.append(f", for {span(blame.age)}")
    text.append(f"\n   {path.picture}", "default")
    if blame.evidence:
        text.append(f"\n   {one_line(blame.evidence)}", "default")
    if blame.next_step:
        text.append("\n   next: ", "default").append(printable(blame.next_step), "cyan")
    return text


def _verified(proof: SavedVerdict) -> Text:
    good = proof.record.proven
    return Text(f" {one_line(proof.line)}", ("green" if good else "red") if proof.fresh else "dim")


def _steps(steps: tuple[Step, ...]) -> RenderableType:
    if not steps:
        return Text("nothing to do: everything is up to date")
    table = Table(box=None, header_style="bold", padding=(0, 1))
    for heading in ("SITE", "WOULD", "WHAT"):
        table.add_column(heading, overflow="fold")
    for step in steps:
        does = str(step.action) if step.writes else f"wait for {step.action}"
        table.add_row(step.site.name, does, one_line(step.why))
    return table


def show(console: Console, result: Result, wide: bool = False) -> None:
    """Prints the result."""
    print_parts(console, render(result, wide))


def print_parts(console: Console, parts: list[RenderableType]) -> None:
    """Prints the parts. The terminal wraps texts, so that a command can be copied as a whole."""
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, Text))
