"""A result as a rich table with its verdict below."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from hzlink.choices import Mode, Role
from hzlink.plan import Step
from hzlink.readings import Reading, State
from hzlink.render.plain import one_line
from hzlink.report import LinkReport, Report, SiteReport
from hzlink.result import Result

COLOURS = {
    State.OK: "green",
    State.WAITING: "yellow",
    State.BROKEN: "red",
    State.ABSENT: "red",
    State.UNKNOWN: "magenta",
}
# More names than these are shown as a range when all is well.
NAMES_SHOWN = 5


def render(result: Result, wide: bool = False) -> list[RenderableType]:
    """What stdout gets of a result, part by part."""
    parts: list[RenderableType] = []
    if result.report is not None:
        parts += [status_table(result.report, wide), *_below(result.report)]
    if result.steps is not None:
        parts.append(_steps(result.steps))
    if result.removed is not None:
        parts += [Text(f"removed {one_line(line)}") for line in result.removed]
        parts += [Text(one_line(note)) for note in result.notes]
    return parts


def status_table(report: Report, wide: bool = False) -> Table:
    """One row for each site."""
    table = Table(box=None, header_style="bold", pad_edge=True, padding=(0, 1), collapse_padding=True)
    for heading in ("SITE", "WHERE", "SKUPPER", "LINK", "MEMBERS", "MANAGEMENT CENTER"):
        table.add_column(heading, overflow="fold", min_width=len(heading))
    for site in report.sites:
        table.add_row(
            _name(site),
            Text(one_line(site.site.where)),
            _skupper(site, wide),
            _links(report, site),
            _members(report, site, wide),
            _mancenter(report, site),
        )
    return table


def _name(site: SiteReport) -> Text:
    return Text(site.site.name, "bold").append(f"\n{site.site.role}", "not bold dim")


def _word(reading: Reading, fine: str) -> Text:
    text = fine if reading.ok else one_line(reading.text) or str(reading.state)
    return Text(text, COLOURS[reading.state])


def _skupper(site: SiteReport, wide: bool) -> Text:
    if site.error:
        return Text(str(site.refusal or "unknown"), COLOURS[State.UNKNOWN])
    offer = "connector" if site.site.role is Role.CLUSTER else "listener"
    text = _word(site.skupper, "Ready").append("\n").append_text(_word(site.offer, f"{offer} ok"))
    if wide:
        for fact in filter(None, (site.version and f"version {site.version}", site.host and f"at {site.host}")):
            text.append(f"\n{one_line(fact)}", "dim")
    return text


def _links(report: Report, site: SiteReport) -> Text:
    if site.site.role is Role.CLUSTER:
        texts = [_link(link, f"from {link.client.name}") for link in report.links]
    else:
        texts = [_link(link, f"to {report.topology.cluster.name}") for link in report.links if link.client == site.site]
    return Text("\n").join(texts)


def _link(link: LinkReport, where: str) -> Text:
    return Text(f"{where}: ").append_text(_word(link.reading, "Ready"))


def _members(report: Report, site: SiteReport, wide: bool) -> Text:
    if site.site.role is Role.CLUSTER:
        there = [member.name for member in report.members if member.ready]
        troubles = {member.name: member.trouble for member in report.members if not member.ready}
    elif site.names is None:
        return Text("one connection" if report.mode is Mode.UNISOCKET else "-", "dim")
    else:
        there = list(site.names)
        troubles = {member.name: "no name here" for member in report.members if member.name not in there}
    total = len(there) + len(troubles)
    text = Text(f"{len(there)}/{total}", COLOURS[State.OK if there and not troubles else State.BROKEN])
    for name in _range(there) if not wide else there:
        text.append(f"\n{one_line(name)}", "not bold default")
    for name, trouble in troubles.items():
        text.append(f"\n{one_line(f'{name}: {trouble}')}", COLOURS[State.BROKEN])
    return text


def _range(names: list[str]) -> list[str]:
    return names if len(names) <= NAMES_SHOWN else [f"{names[0]} .. {names[-1]}"]


def _mancenter(report: Report, site: SiteReport) -> Text:
    if site.mancenter is None:
        unisocket = report.mode is Mode.UNISOCKET and site.site.role is Role.CLIENT
        return Text("left out (unisocket)" if unisocket else "-", "dim")
    text = _word(site.mancenter, "Ready")
    if site.mancenter_address:
        text.append(f"\n{one_line(site.mancenter_address)}", "not bold default")
    return text


def _below(report: Report) -> list[RenderableType]:
    """Where to open Management Center, what Skupper says otherwise, and the verdict."""
    lines: list[RenderableType] = []
    for site in report.sites:
        if site.mancenter is not None and site.mancenter.ok and site.mancenter_command:
            where = f" Management Center of {site.site.name}: http://localhost:8080 while this runs:\n   "
            lines.append(Text(where).append(one_line(site.mancenter_command), "cyan"))
    lines += [Text(f" note: {one_line(warning)}", "yellow") for warning in report.warnings]
    return [*lines, _verdict(report)]


def _verdict(report: Report) -> Text:
    blame = report.blame
    if blame is None:
        count = len(report.links)
        return Text(" healthy. ", "green").append(
            f"{len(report.sites)} sites, {count} link{'s' if count > 1 else ''}, {len(report.members)} members",
            "not bold default",
        )
    text = Text(f" unhealthy: first broken hop is the {blame.name} of {blame.site.name}", "red")
    if blame.reading.text:
        text.append(f"\n   {one_line(blame.reading.text)}", "default")
    if blame.next_step:
        text.append("\n   next: ", "default").append(one_line(blame.next_step), "cyan")
    return text


def _steps(steps: tuple[Step, ...]) -> RenderableType:
    if not steps:
        return Text("nothing to do: everything is as it should be")
    table = Table(box=None, header_style="bold", padding=(0, 1))
    for heading in ("SITE", "WOULD", "WHAT"):
        table.add_column(heading, overflow="fold")
    for step in steps:
        does = str(step.action) if step.writes else f"wait for {step.action}"
        table.add_row(step.site.name, does, one_line(step.why))
    return table


def show(console: Console, result: Result, wide: bool = False) -> None:
    """Prints the result. Text is left to the terminal to wrap, so that a command can be copied whole."""
    for part in render(result, wide):
        console.print(part, soft_wrap=isinstance(part, Text))
