"""The network between Sites: which routers are connected, and what each Site has records_by_site of the others. Pure.

Two things happen at different times, as with real routers: traffic flows soon after routers are connected, and the
Sites' knowledge of each other (from which Conditions and per-pod Services come) follows later. When a Site is gone,
traffic stops at once, and the others believe in it for a while.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sandbox.skupper.controller.reconcile import Cycle

# Seconds until a look that only goes on with what this one has published.
_SOON_SECONDS = 0.01


@dataclass(frozen=True)
class LinkState:
    """A Link that was looked at: where it leads, which authority it trusts, since when (monotonic seconds)."""

    name: str
    host: str
    port: str
    ca: str
    configured_at: float


@dataclass(frozen=True)
class Services:
    """What a Site offers to the network: targets by routing key, and listeners by routing key."""

    connectors: tuple[tuple[str, tuple[str, ...]], ...] = ()
    listeners: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class SiteState:
    """What is true of a Site now."""

    uid: str
    name: str
    cluster: str
    namespace: str
    ready_since: float | None
    """When its router became ready; None while it is not."""
    reports_from: float
    """When its router may begin to report (another's lease may have to run out first)."""
    access: frozenset[tuple[str, str]]
    """Addresses at which its router can be reached from outside now."""
    ca: str
    links: tuple[LinkState, ...]
    services: Services

    @property
    def place(self) -> str:
        """Cluster and namespace."""
        return f"{self.cluster}/{self.namespace}"


@dataclass(frozen=True)
class LinkRecord:
    """A Link as the network status has it."""

    name: str
    remote_id: str
    remote_name: str
    operational: bool


@dataclass(frozen=True)
class SiteRecord:
    """A Site as the network status has it."""

    uid: str
    name: str
    namespace: str
    links: tuple[LinkRecord, ...]
    services: Services


@dataclass
class _Published:
    """What a Site has published the network of its services, and what it is about to tell."""

    now: Services = field(default_factory=Services)
    coming: Services | None = None


@dataclass
class Network:
    """Remembers since when connections hold and who has records_by_site of whom."""

    _up: dict[tuple[str, str], str] = field(default_factory=dict)
    _published: dict[str, _Published] = field(default_factory=dict)
    _known: dict[str, dict[str, SiteState]] = field(default_factory=dict)
    _reported_links: dict[tuple[str, str], bool] = field(default_factory=dict)
    _ready: set[str] = field(default_factory=set)

    def step(self, cycle: Cycle, sites: Iterable[SiteState]) -> None:
        """Moves on to how things are now."""
        states = {site.uid: site for site in sites}
        self._ready = {uid for uid, site in states.items() if site.ready_since is not None}
        self._connect(cycle, states)
        self._publish(cycle, states)
        self._learn(cycle, states)

    def reachable(self, uid: str) -> set[str]:
        """The Sites that this Site's router can exchange traffic with, itself included once it is ready."""
        if uid not in self._ready:
            return set()
        reached, todo = {uid}, [uid]
        while todo:
            here = todo.pop()
            for (one, _), other in self._up.items():
                for near, far in ((one, other), (other, one)):
                    if near == here and far not in reached:
                        reached.add(far)
                        todo.append(far)
        return reached

    def network_status(self, uid: str) -> list[SiteRecord] | None:
        """The network status of a Site; None before its router reported anything."""
        known = self._known.get(uid)
        if known is None:
            return None
        return [self._record(site, known) for _, site in sorted(known.items())]

    # Connections

    def _connect(self, cycle: Cycle, states: Mapping[str, SiteState]) -> None:
        wanted: dict[tuple[str, str], str] = {}
        for site in states.values():
            for link in site.links:
                target = _target(site, link, states)
                if (
                    target is not None
                    and _links_allowed(cycle, site)
                    and self._had_time_to_connect(cycle, site, link, target)
                ):
                    wanted[site.uid, link.name] = target.uid
        self._up = wanted

    def _had_time_to_connect(self, cycle: Cycle, site: SiteState, link: LinkState, target: SiteState) -> bool:
        """Whether the routers had the time to connect. Both are ready."""
        if site.ready_since is None or target.ready_since is None:
            return False
        delays = cycle.delays
        settled = max(site.ready_since, target.ready_since) + delays.router_settle.of(site.place)
        return cycle.reached(max(settled, link.configured_at + delays.link_connect.of(site.place)))

    # Knowledge

    def _publish(self, cycle: Cycle, states: Mapping[str, SiteState]) -> None:
        for uid, site in states.items():
            if site.ready_since is None:
                continue
            published = self._published.setdefault(uid, _Published(now=site.services))
            if published.now == site.services:
                published.coming = None
                continue
            published.coming = site.services
            tag = f"{uid} {site.services}"
            if cycle.elapsed("record", cycle.delays.record_lag, site.place, of=tag):
                published.now, published.coming = site.services, None

    def _learn(self, cycle: Cycle, states: Mapping[str, SiteState]) -> None:
        for gone in [uid for uid in self._known if uid not in states]:
            del self._known[gone]
        for site in states.values():
            if not self._reports(cycle, site):
                continue
            known = self._known.setdefault(site.uid, {})
            known[site.uid] = site
            reached = self.reachable(site.uid) - {site.uid}
            for uid in reached:
                pair = f"{site.uid} {uid}"
                known_already = uid in known
                if cycle.elapsed("hear", cycle.delays.status_lag, site.place, of=pair) or known_already:
                    known[uid] = states[uid]
            self._forget(cycle, site, known, reached)
            self._report_links(cycle, site)

    def _reports(self, cycle: Cycle, site: SiteState) -> bool:
        """Whether the Site's router tells its namespace anything: what it published before stays."""
        if site.ready_since is None:
            return False
        begins = max(site.ready_since + cycle.delays.first_status.of(site.place), site.reports_from)
        return cycle.reached(begins)

    def _forget(self, cycle: Cycle, site: SiteState, known: dict[str, SiteState], reached: set[str]) -> None:
        if cycle.faults.get("network", site.cluster, site.namespace) == "stale":
            return
        linked_sites = self._linked_sites(site, known)
        for uid in set(known) - reached - {site.uid}:
            if not cycle.elapsed("forget", cycle.delays.forget, site.place, of=f"{site.uid} {uid}"):
                continue
            if uid in linked_sites:
                # This look comes so late that both are due: the Link is published as down first, which needs its other end.
                cycle.requeue_at(cycle.now + _SOON_SECONDS)
            else:
                del known[uid]

    def _linked_sites(self, site: SiteState, known: Mapping[str, SiteState]) -> set[str]:
        """The Sites that the Site's Links were last published to be connected to."""
        targets = [_leads_to(link, known) for link in site.links if self._reported_links.get((site.uid, link.name))]
        return {target.uid for target in targets if target is not None}

    def _report_links(self, cycle: Cycle, site: SiteState) -> None:
        """A connection that comes is published together with the Site it leads to, one that goes a little later."""
        present = {(site.uid, link.name) for link in site.links}
        for key in [key for key in self._reported_links if key[0] == site.uid and key not in present]:
            del self._reported_links[key]
        for key in present:
            if key in self._up:
                self._reported_links[key] = True
            elif self._reported_links.get(key) and cycle.elapsed(
                "down", cycle.delays.link_down, site.place, of=str(key)
            ):
                self._reported_links[key] = False

    def _record(self, site: SiteState, known: Mapping[str, SiteState]) -> SiteRecord:
        links = []
        for link in site.links:
            target = _leads_to(link, known)
            if target is not None and (site.uid, link.name) in self._reported_links:
                shown = self._reported_links[site.uid, link.name]
                links.append(LinkRecord(link.name, target.uid, target.name, shown))
        published = self._published.get(site.uid, _Published())
        return SiteRecord(site.uid, site.name, site.namespace, tuple(links), published.now)


def _links_allowed(cycle: Cycle, site: SiteState) -> bool:
    return cycle.faults.get("link", site.cluster, site.namespace) not in ("never", "down")


def _leads_to(link: LinkState, sites: Mapping[str, SiteState]) -> SiteState | None:
    """The Site that gave the Link its credentials."""
    return next((site for site in sites.values() if site.ca and site.ca == link.ca), None)


def _target(site: SiteState, link: LinkState, states: Mapping[str, SiteState]) -> SiteState | None:
    """The Site that the Link reaches: it must be at that address, and be the one whose authority is trusted."""
    target = _leads_to(link, states)
    if target is None or target.uid == site.uid or (link.host, link.port) not in target.access:
        return None
    return target
