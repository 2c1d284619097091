"""Finds contradictions between the two sides of a link, or between an object and its Site's `status.network`. Pure.

Each side reports a state that may be some seconds old. A disagreement that remains is a fault in Skupper.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from shlex import quote
from typing import Any

from hzlink.model import conditions, objects
from hzlink.model.choices import Role
from hzlink.model.conditions import State
from hzlink.model.topology import Site, Topology
from hzlink.observe import certificates, links, losses
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.programs import hints
from hzlink.report.site_status import LinkReport, SiteReport


class Kind(StrEnum):
    """The subject of a disagreement."""

    NETWORK = "network"
    LINK = "link"
    OFFERS = "offers"
    NAMES = "names"
    ADDRESS = "address"
    ROUTERS = "routers"
    RECORD = "record"
    CERTIFICATE = "certificate"


@dataclass(frozen=True)
class Disagreement:
    """One disagreement: its kind, the site that reports it, and both statements."""

    kind: Kind
    site: Site
    text: str


def find(
    topology: Topology,
    snapshots: Snapshots,
    sites: Sequence[SiteReport],
    reported: Sequence[LinkReport],
    members: Sequence[str],
) -> tuple[Disagreement, ...]:
    """All disagreements between sites that can be read and have a Skupper Site. `members`: the names of all members."""
    reports = {report.site: report for report in sites}
    cluster = snapshots[topology.cluster]
    found: dict[Disagreement, None] = {}
    for link in reported:
        client = snapshots[link.client]
        if client.skupper_site is None or cluster.skupper_site is None:
            continue
        for reader, other_snapshot in ((client, cluster), (cluster, client)):
            found.update(dict.fromkeys(_network(reader, other_snapshot, link)))
        found.update(dict.fromkeys(_addresses(snapshots, link)))
        found.update(dict.fromkeys(_offers(reports[link.client], reports[topology.cluster], link)))
        found.update(dict.fromkeys(_names(topology, client, members)))
    found.update(dict.fromkeys(_records(topology, snapshots)))
    found.update(dict.fromkeys(_certificates(topology, snapshots)))
    return tuple(found)


def _network(reader: Snapshot, other_snapshot: Snapshot, link: LinkReport) -> Iterator[Disagreement]:
    """Disagreements between a Site's network and the other Site or the Link. None if the network is empty."""
    entries = _entries(reader)
    if not entries:
        return
    site, other = reader.site, other_snapshot.site.name
    uid, name = objects.uid(other_snapshot.skupper_site or {}), objects.name(other_snapshot.skupper_site or {})
    ids = [entry.get("id") for entry in entries]
    if link.condition.ok and uid not in ids:
        text = f"the Link between {link.client.name} and its cluster says Ready, {site.name} does not list {other}"
        yield Disagreement(Kind.NETWORK, site, f"{text} in its Site's network")
    same = [
        entry
        for entry in entries
        if (entry.get("name"), entry.get("namespace")) == (name, other_snapshot.site.namespace)
    ]
    own = objects.uid(reader.skupper_site or {})
    if any(entry.get("id") not in (uid, own) for entry in same):
        text = f"{site.name} lists in its Site's network a Site {name} of {other} that no longer exists"
        text += " (skupper issue 2069)"
        yield Disagreement(Kind.NETWORK, site, text)
    reported = [up for entry in entries for up in _links(entry, link) if entry.get("id") in (uid, own)]
    if reported and link.condition.state is not State.UNKNOWN and reported[0] != link.condition.ok:
        says = "Ready" if link.condition.ok else link.condition.text
        text = (
            f"{site.name}'s Site says that Link {link.name} is {'up' if reported[0] else 'down'}, the Link says: {says}"
        )
        yield Disagreement(Kind.LINK, site, text)


def _entries(snapshot: Snapshot) -> list[dict[str, Any]]:
    return [dict(entry) for entry in objects.status(snapshot.skupper_site or {}).get("network") or []]


def _links(entry: dict[str, Any], link: LinkReport) -> list[bool]:
    """Whether the Link is operational by the network's entry, as a list with one value; empty if it has no such Link.

    If there is a Link for each router, one operational Link is enough.
    """
    names = {name for name, _ in link.routers} or {link.name}
    reported = [
        bool(one.get("operational")) for one in entry.get("links") or [] if link.name and one.get("name") in names
    ]
    return [any(reported)] if reported else []


def _addresses(snapshots: Snapshots, link: LinkReport) -> Iterator[Disagreement]:
    """Links with addresses that are not the other Site's, routers without a Link, and single Links that are down."""
    if link.issuer is None or link.holder is None:
        return
    found, peer = links.all_between(snapshots, link.holder, link.issuer), snapshots[link.issuer].skupper_site
    left, wanted, issuer = links.uncovered(found, peer), conditions.addresses(peer), link.issuer.name
    if links.are_outdated(found, peer):
        if not link.condition.ok:
            # Then the Link's own condition reports this.
            return
        hosts = ", ".join(links.hosts(found))
        text = f"Link {link.title} leads to {hosts}, but the Site of {issuer} is now at {', '.join(left.values())}"
        yield Disagreement(Kind.ADDRESS, link.holder, f"{text}: {hints.hzlink('link')} creates it again")
    elif left and len(wanted) > 1 and len(left) < len(wanted):
        text = f"Link {link.title} leads to {len(wanted) - len(left)} of the {len(wanted)} routers of {issuer}"
        missing = f"the one at {', '.join(left.values())} was added later"
        yield Disagreement(Kind.ROUTERS, link.holder, f"{text}: {missing}; add it: {hints.hzlink('link --repair')}")
    down = [f"{name} ({condition.text})" for name, condition in link.routers if not condition.ok]
    if down and link.condition.ok:
        text = f"{link.holder.name}: not all of {len(link.routers)} Links to {issuer} are up: {', '.join(down)}"
        yield Disagreement(Kind.ROUTERS, link.holder, f"{text}; traffic uses the others")


def _offers(client_report: SiteReport, cluster_report: SiteReport, link: LinkReport) -> Iterator[Disagreement]:
    """Listener and Connector of a linked pair of which only one is matched."""
    if not link.condition.ok or client_report.matched.ok == cluster_report.matched.ok:
        return
    for matched_report, other in ((client_report, cluster_report), (cluster_report, client_report)):
        if matched_report.matched.ok and other.matched.state in (State.WAITING, State.BROKEN):
            text = f"the {_kind(matched_report)} of {matched_report.site.name} is matched"
            says = f"the {_kind(other)} of {other.site.name} says: {other.matched.text}"
            yield Disagreement(Kind.OFFERS, other.site, f"{text}, {says}")


def _kind(report: SiteReport) -> str:
    return "Connector" if report.site.role is Role.CLUSTER else "Listener"


def _records(topology: Topology, snapshots: Snapshots) -> Iterator[Disagreement]:
    """Ready members whose record Skupper has lost."""
    for site, text in losses.texts(losses.lost_members(topology, snapshots)):
        remedy = f"{hints.hzlink('link --repair')} restarts the router of {site.name}: {losses.INTERRUPTION}"
        yield Disagreement(Kind.RECORD, site, f"{text}; {remedy}")


def _certificates(topology: Topology, snapshots: Snapshots) -> Iterator[Disagreement]:
    """Links that are down because a certificate is outdated."""
    for refused in certificates.refused(topology, snapshots):
        remedy = f"{hints.hzlink('link --repair')} makes it again with another certificate, which interrupts nobody"
        restart = f"and if that is not enough restarts the router of {refused.issuer.name}: {losses.INTERRUPTION}"
        yield Disagreement(Kind.CERTIFICATE, refused.holder, f"{refused.text}; {remedy}, {restart}")


def _names(topology: Topology, client: Snapshot, members: Sequence[str]) -> Iterator[Disagreement]:
    """Services of members that no longer exist, which Skupper may not have deleted."""
    site = client.site
    for name in conditions.stale_names(client.of("Service"), topology.service, members):
        text = f"{site.name}: Service {name} no longer leads to a member: Skupper has not removed it"
        command = hints.kubectl(site, f"delete service {quote(name)}")
        yield Disagreement(Kind.NAMES, site, f"{text} (skupper issue 2251); if it stays: {command}")
