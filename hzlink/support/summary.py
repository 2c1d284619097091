"""Makes the summary of a support bundle: the verdict, each site, the last warnings, and the bundle's content. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from hzlink.model import objects
from hzlink.model.choices import Role
from hzlink.model.conditions import Condition
from hzlink.model.objects import Object
from hzlink.report.report import Report
from hzlink.report.site_status import SiteReport
from hzlink.support.dump import LOG_BYTES, LOG_LINES, Found

# The number of warnings for each site, and the maximum length of a line.
WARNINGS = 6
WIDTH = 160


def page(report: Report, found: Sequence[Found], when: datetime, tools: dict[str, str]) -> str:
    """The summary as plain text."""
    lines = [f"topology {report.topology.name}, observed by hzlink dump at {when:%Y-%m-%dT%H:%M:%SZ}", ""]
    lines += [*_verdict(report), ""]
    for site, one in zip(report.sites, found, strict=True):
        lines += [*_site(report, site), *_warnings(one), ""]
    lines += [f"versions: {', '.join(f'{name} {version}' for name, version in tools.items())}"]
    lines += [f"  {one.site.name}: {_versions(one)}" for one in found]
    lines += [
        "",
        "In this archive: status.json, versions.yaml, and for each site resources/ (YAML by kind), events.txt,",
        f"logs/ (the last {LOG_LINES} lines or {LOG_BYTES} bytes of each container, and of its previous run),",
        "applications/ (names there), secrets.txt (names and keys), unread.txt (what could not be read).",
        "Left out or [redacted]: the values of Secrets, the codes and certificates of grants and tokens, keys, and",
        "what looks like a password, token or licence. Check the content before you share it.",
    ]
    return "\n".join(_one_line(line) for line in lines) + "\n"


def _verdict(report: Report) -> Iterator[str]:
    blame = report.blame
    if blame is None:
        yield f"healthy. {report.size}"
    else:
        yield f"unhealthy: {blame.blamed}"
        yield f"  {blame.condition.text}"
        if blame.next_step:
            yield f"  next: {blame.next_step}"
    yield from (f"note: {note}" for note in report.notes())


def _site(report: Report, site: SiteReport) -> Iterator[str]:
    place = site.site
    yield f"{place.name}: {place.role} site, context {place.context}, namespace {place.namespace}"
    if site.error:
        yield f"  could not be read: {site.error}"
        return
    facts = filter(None, (site.version, site.host and f"at {site.host}"))
    yield f"  Skupper Site       {_said(site.skupper)} {' '.join(facts)}".rstrip()
    if place.role is not Role.HUB:
        yield f"  {'Connector' if place.role is Role.CLUSTER else 'Listener '}          {_said(site.matched)}"
    for link in report.links:
        if place in (link.client, report.topology.cluster, report.topology.target):
            issued = f", {link.issuer.name} issued" if link.issuer else ""
            yield f"  Link of {link.client.name:<10} {_said(link.condition)} {link.title}{issued}".rstrip()
    if place.role is Role.CLUSTER:
        ready = sum(member.ready for member in report.members)
        yield f"  members            {ready}/{len(report.members)} ready"
        yield from (f"    {member.name}: {member.problem}" for member in report.members if not member.ready)
    elif site.names is not None:
        lacks = f", no {', '.join(site.missing)}" if site.missing else ""
        yield f"  members' names     {', '.join(site.names) or 'none'}{lacks}"
    yield from (f"  namespace {app.namespace}: {_said(app.condition)}" for app in site.apps)
    if site.mancenter is not None:
        sees = (
            f", sees {site.mancenter_view.count} members since {site.mancenter_view.since}"
            if site.mancenter_view
            else ""
        )
        yield f"  Management Center  {_said(site.mancenter)}{sees}"
    elif site.mancenter_left_out:
        yield "  Management Center  left out (--no-mancenter)"


def _said(condition: Condition) -> str:
    return f"{condition.state}{f': {condition.text}' if condition.text else ''}"


def _warnings(found: Found) -> Iterator[str]:
    warnings = [item for item in found.items if item.get("kind") == "Event" and item.get("type") == "Warning"]
    if warnings:
        yield f"  last warnings of {len(warnings)}:"
        yield from (f"    {event_line(event)}" for event in sorted(warnings, key=moment)[-WARNINGS:])
    if found.unread:
        yield f"  not read ({len(found.unread)}, all in unread.txt): {found.unread[0]}"


def _versions(found: Found) -> str:
    server = found.versions.get("serverVersion") or {}
    images = {
        str(container.get("image"))
        for item in found.items
        if item.get("kind") == "Pod"
        for container in objects.spec(item).get("containers") or []
    }
    return f"Kubernetes {server.get('gitVersion', 'unknown')}; {', '.join(sorted(images))}".rstrip("; ")


def moment(event: Object) -> str:
    """The time of an event's last occurrence, as the API's text."""
    series = event.get("series") or {}
    made = (event.get("metadata") or {}).get("creationTimestamp")
    return str(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or made or "")


def event_line(event: Object) -> str:
    """An event as one line."""
    about = event.get("involvedObject") or {}
    count = int(event.get("count") or (event.get("series") or {}).get("count") or 1)
    times = f" (x{count})" if count > 1 else ""
    what = f"{event.get('reason', '')} {about.get('kind', '')}/{about.get('name', '')}{times}"
    return f"{moment(event)} {event.get('type', '')} {what}: {' '.join(str(event.get('message', '')).split())}"


def _one_line(text: str) -> str:
    line = "".join(character if character.isprintable() else " " for character in text).rstrip()
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..."
