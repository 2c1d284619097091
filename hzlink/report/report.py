"""Makes the report on a topology from snapshots: sites, links, members, paths and a verdict. Pure."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime

from hzlink.model import conditions
from hzlink.model.choices import Mode, Role
from hzlink.model.topology import Topology
from hzlink.observe import existing_members
from hzlink.observe.snapshot import Snapshots
from hzlink.report import disagreements, hops, paths, router_restarts, site_status
from hzlink.report.disagreements import Disagreement, Kind
from hzlink.report.hops import Hop, Path
from hzlink.report.site_status import MANCENTER_PORT, LinkReport, Member, SiteReport


@dataclass(frozen=True)
class Report:
    """The report on a topology. `blamed`: the path with the hop to fix first; None if all hops are good.

    `members`: empty if the cluster site could not be read; then their state is unknown. `at`: when the last observation
    ended.
    """

    topology: Topology
    mode: Mode
    sites: tuple[SiteReport, ...]
    links: tuple[LinkReport, ...]
    members: tuple[Member, ...]
    wanted_members: int
    paths: tuple[Path, ...]
    blamed: Path | None
    disagreements: tuple[Disagreement, ...] = ()
    warnings: tuple[str, ...] = ()
    at: datetime | None = None

    @property
    def blame(self) -> Hop | None:
        """The first broken hop; None if no hop is broken."""
        return None if self.blamed is None else self.blamed.first_broken

    @property
    def size(self) -> str:
        """The size of the topology as text: 2 sites, 1 link, 3 members."""
        count = len(self.topology.linked)
        links = f"{count} link{'s' if count > 1 else ''}"
        return f"{len(self.sites)} sites, {links}, {len(self.members)} members"

    @property
    def healthy(self) -> bool:
        """Whether clients at every client site can use every member."""
        return self.blamed is None

    def notes(self, wide: bool = False) -> tuple[str, ...]:
        """The warnings and the disagreements. In a healthy topology, a warning already reports an unmatched Listener or
        Connector: then only `wide` includes the disagreement, too.
        """
        shown = [one for one in self.disagreements if wide or not (self.healthy and one.kind is Kind.OFFERS)]
        return (*self.warnings, *(one.text for one in shown))

    @property
    def unreadable(self) -> tuple[SiteReport, ...]:
        """The sites that could not be read."""
        return tuple(site for site in self.sites if site.refusal is not None or site.error)


def make(topology: Topology, snapshots: Snapshots) -> Report:
    """Makes the report. The mode and the number of members are those of the cluster, or of the settings."""
    mode = site_status.mode_of(topology, snapshots)
    cluster = snapshots[topology.cluster]
    topology = existing_members.with_found(topology, cluster)
    workload = cluster.get(topology.workload_kind, topology.workload)
    wanted = conditions.wanted_replicas(workload) if workload is not None else topology.settings.members
    members = site_status.members_of(topology, cluster, wanted)
    expected = topology.member_names if cluster.error is not None else [member.name for member in members]
    links = tuple(site_status.link_of(topology, snapshots, client) for client in topology.clients)
    # Each client site's forward has a different local port, so that a user can run several.
    ports = dict(zip(topology.clients, itertools.count(MANCENTER_PORT), strict=False))
    sites = tuple(
        site_status.site_of(topology, site, snapshots[site], mode, expected, ports.get(site, MANCENTER_PORT))
        for site in topology.sites
    )
    sites = site_status.with_mancenter_views(topology, snapshots, sites, members)
    sites = site_status.with_apps(topology, snapshots, sites, mode, expected)
    found = paths.find(topology, snapshots, mode, sites, links, members)
    blamed = hops.first(found)
    return Report(
        *(topology, mode, sites, links, members, wanted, found, blamed),
        disagreements=disagreements.find(topology, snapshots, sites, links, expected),
        warnings=(*router_restarts.warnings(snapshots), *(_warnings(sites) if blamed is None else ())),
        at=max((one.at for one in snapshots.values() if one.at is not None), default=None),
    )


def _warnings(sites: tuple[SiteReport, ...]) -> tuple[str, ...]:
    lagging = [
        f"{report.site.name}: Skupper still says of the "
        f"{'Connector' if report.site.role is Role.CLUSTER else 'Listener'}: {report.matched.text}; "
        "its conditions lag behind the traffic"
        for report in sites
        if not report.matched.ok
    ]
    unexposed = [
        f"{report.site.name}: Management Center's load balancer has no address yet"
        for report in sites
        if report.mancenter_unexposed
    ]
    # Applications beside the members use no path between the sites.
    beside = [
        f"{report.site.name}: namespace {app.namespace}: {app.condition.text}; {app.next_step}"
        for report in sites
        for app in report.apps
        if report.site.role is Role.CLUSTER and not app.condition.ok
    ]
    return (*lagging, *unexposed, *beside)
