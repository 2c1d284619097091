"""How a topology stands, from snapshots of its sites: sites, links, members, paths and a verdict. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hzlink import disagreements, hops, paths, readings, standing
from hzlink.choices import Mode, Role
from hzlink.disagreements import Disagreement
from hzlink.hops import Hop, Path
from hzlink.observe import Snapshots
from hzlink.standing import MANCENTER_PORT, LinkReport, Member, SiteReport
from hzlink.topology import WORKLOAD, Topology


@dataclass(frozen=True)
class Report:
    """The whole topology. `blamed` is the path with the hop to mend first; None where all is well.

    `members` is empty when the cluster site could not be read: they are not known to be down. `at` is when the last of
    the looks ended.
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
        """The first broken hop; None where all is well."""
        return None if self.blamed is None else self.blamed.first_broken

    @property
    def size(self) -> str:
        """How much there is: 2 sites, 1 link, 3 members."""
        links = f"{len(self.links)} link{'s' if len(self.links) > 1 else ''}"
        return f"{len(self.sites)} sites, {links}, {len(self.members)} members"

    @property
    def healthy(self) -> bool:
        """Whether clients at every client site can use every member."""
        return self.blamed is None

    @property
    def unreadable(self) -> tuple[SiteReport, ...]:
        """Sites of which nothing is known."""
        return tuple(site for site in self.sites if site.refusal is not None or site.error)


def make(topology: Topology, snapshots: Snapshots) -> Report:
    """The report. The mode and the number of members are read from the cluster, where they are there."""
    mode = standing.mode_of(topology, snapshots)
    cluster = snapshots[topology.cluster]
    workload = cluster.get("StatefulSet", WORKLOAD)
    wanted = readings.wanted_replicas(workload) if workload is not None else topology.settings.members
    members = standing.members_of(cluster, wanted)
    expected = topology.member_names if cluster.error is not None else [member.name for member in members]
    links = tuple(standing.link_of(topology, snapshots, client) for client in topology.clients)
    # Each client site's forward has a local port of its own: people run them side by side.
    ports = dict(zip(topology.clients, itertools.count(MANCENTER_PORT), strict=False))
    sites = tuple(
        standing.site_of(site, snapshots[site], mode, expected, ports.get(site, MANCENTER_PORT))
        for site in topology.sites
    )
    sites = standing.with_sight(topology, snapshots, sites, members)
    found = paths.find(topology, snapshots, mode, sites, links, members)
    blamed = hops.first(found)
    return Report(
        *(topology, mode, sites, links, members, wanted, found, blamed),
        disagreements=disagreements.find(topology, snapshots, sites, links),
        warnings=(*_warnings(sites), *_stale_names(snapshots, sites, expected)) if blamed is None else (),
        at=max((one.at for one in snapshots.values() if one.at is not None), default=None),
    )


def _warnings(sites: tuple[SiteReport, ...]) -> tuple[str, ...]:
    lagging = [
        f"{report.site.name}: Skupper still says of the "
        f"{'Connector' if report.site.role is Role.CLUSTER else 'Listener'}: {report.offer.text}; "
        "its conditions lag behind what flows"
        for report in sites
        if not report.offer.ok
    ]
    unexposed = [
        f"{report.site.name}: Management Center's load balancer has no address yet"
        for report in sites
        if report.mancenter_unexposed
    ]
    return (*lagging, *unexposed)


def _stale_names(snapshots: Snapshots, sites: tuple[SiteReport, ...], members: Sequence[str]) -> tuple[str, ...]:
    """Services of members that are no more: Skupper may leave them (skupper issue 2251)."""
    return tuple(
        f"{report.site.name}: Service {name} leads to no member any more: Skupper has not removed it"
        for report in sites
        if report.names is not None
        for name in readings.stale_names(snapshots[report.site].of("Service"), members)
    )
