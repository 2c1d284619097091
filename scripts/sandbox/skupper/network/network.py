"""The network between Sites: which routers are connected, and what each Site has heard of the others. Pure.

Two things happen at different times, as with real routers: traffic flows soon after routers are connected, and the
Sites' knowledge of each other (from which Conditions and per-pod Services come) follows later. When a Site is gone,
traffic stops at once, and the others believe in it for a while.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sandbox.skupper.controller.reconcile import Turn

# Seconds until a look that only goes on with what this one has told.
_NEXT_LOOK = 0.01


@dataclass(frozen=True)
class LinkFact:
    """A Link that was looked at: where it leads, which authority it trusts, since when (monotonic seconds)."""

    name: str
    host: str
    port: str
    ca: str
    looked_at: float


@dataclass(frozen=True)
class Services:
    """What a Site offers to the network: targets by routing key, and listeners by routing key."""

    connectors: tuple[tuple[str, tuple[str, ...]], ...] = ()
    listeners: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class SiteFact:
    """What is true of a Site now."""

    uid: str
    name: str
    cluster: str
    namespace: str
    ready_since: float | None
    """When its router became ready; None while it is not."""
    leads_from: float
    """When its router may begin to report (another's lease may have to run out first)."""
    access: frozenset[tuple[str, str]]
    """Addresses at which its router can be reached from outside now."""
    ca: str
    links: tuple[LinkFact, ...]
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
    """What a Site has told the network of its services, and what it is about to tell."""

    now: Services = field(default_factory=Services)
    coming: Services | None = None


@dataclass
class Network:
    """Remembers since when connections hold and who has heard of whom."""

    _up: dict[tuple[str, str], str] = field(default_factory=dict)
    _published: dict[str, _Published] = field(default_factory=dict)
    _known: dict[str, dict[str, SiteFact]] = field(default_factory=dict)
    _shown: dict[tuple[str, str], bool] = field(default_factory=dict)
    _ready: set[str] = field(default_factory=set)

    def step(self, turn: Turn, sites: Iterable[SiteFact]) -> None:
        """Moves on to how things are now."""
        facts = {site.uid: site for site in sites}
        self._ready = {uid for uid, site in facts.items() if site.ready_since is not None}
        self._connect(turn, facts)
        self._publish(turn, facts)
        self._hear(turn, facts)

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

    def heard(self, uid: str) -> list[SiteRecord] | None:
        """The network status of a Site; None before its router reported anything."""
        known = self._known.get(uid)
        if known is None:
            return None
        return [self._record(site, known) for _, site in sorted(known.items())]

    # Connections

    def _connect(self, turn: Turn, facts: Mapping[str, SiteFact]) -> None:
        wanted: dict[tuple[str, str], str] = {}
        for site in facts.values():
            for link in site.links:
                target = _target(site, link, facts)
                if target is not None and _may_connect(turn, site) and self._ripe(turn, site, link, target):
                    wanted[site.uid, link.name] = target.uid
        self._up = wanted

    def _ripe(self, turn: Turn, site: SiteFact, link: LinkFact, target: SiteFact) -> bool:
        """Whether the routers had the time to connect. Both are ready."""
        if site.ready_since is None or target.ready_since is None:
            return False
        delays = turn.delays
        settled = max(site.ready_since, target.ready_since) + delays.router_settle.of(site.place)
        return turn.due(max(settled, link.looked_at + delays.link_connect.of(site.place)))

    # Knowledge

    def _publish(self, turn: Turn, facts: Mapping[str, SiteFact]) -> None:
        for uid, site in facts.items():
            if site.ready_since is None:
                continue
            told = self._published.setdefault(uid, _Published(now=site.services))
            if told.now == site.services:
                told.coming = None
                continue
            told.coming = site.services
            tag = f"{uid} {site.services}"
            if turn.passed("record", turn.delays.record_lag, site.place, of=tag):
                told.now, told.coming = site.services, None

    def _hear(self, turn: Turn, facts: Mapping[str, SiteFact]) -> None:
        for gone in [uid for uid in self._known if uid not in facts]:
            del self._known[gone]
        for site in facts.values():
            if not self._reports(turn, site):
                continue
            known = self._known.setdefault(site.uid, {})
            known[site.uid] = site
            reached = self.reachable(site.uid) - {site.uid}
            for uid in reached:
                pair = f"{site.uid} {uid}"
                known_already = uid in known
                if turn.passed("hear", turn.delays.status_lag, site.place, of=pair) or known_already:
                    known[uid] = facts[uid]
            self._forget(turn, site, known, reached)
            self._show_links(turn, site)

    def _reports(self, turn: Turn, site: SiteFact) -> bool:
        """Whether the Site's router tells its namespace anything: what it told before stays."""
        if site.ready_since is None:
            return False
        begins = max(site.ready_since + turn.delays.first_status.of(site.place), site.leads_from)
        return turn.due(begins)

    def _forget(self, turn: Turn, site: SiteFact, known: dict[str, SiteFact], reached: set[str]) -> None:
        if turn.faults.get("network", site.cluster, site.namespace) == "stale":
            return
        believed = self._believed(site, known)
        for uid in set(known) - reached - {site.uid}:
            if not turn.passed("forget", turn.delays.forget, site.place, of=f"{site.uid} {uid}"):
                continue
            if uid in believed:
                # This look comes so late that both are due: the Link is told as down first, which needs its other end.
                turn.wake(turn.now + _NEXT_LOOK)
            else:
                del known[uid]

    def _believed(self, site: SiteFact, known: Mapping[str, SiteFact]) -> set[str]:
        """The Sites that the Site's Links were last told to be connected to."""
        targets = [_leads_to(link, known) for link in site.links if self._shown.get((site.uid, link.name))]
        return {target.uid for target in targets if target is not None}

    def _show_links(self, turn: Turn, site: SiteFact) -> None:
        """A connection that comes is told together with the Site it leads to, one that goes a little later."""
        present = {(site.uid, link.name) for link in site.links}
        for key in [key for key in self._shown if key[0] == site.uid and key not in present]:
            del self._shown[key]
        for key in present:
            if key in self._up:
                self._shown[key] = True
            elif self._shown.get(key) and turn.passed("down", turn.delays.link_down, site.place, of=str(key)):
                self._shown[key] = False

    def _record(self, site: SiteFact, known: Mapping[str, SiteFact]) -> SiteRecord:
        links = []
        for link in site.links:
            target = _leads_to(link, known)
            if target is not None and (site.uid, link.name) in self._shown:
                shown = self._shown[site.uid, link.name]
                links.append(LinkRecord(link.name, target.uid, target.name, shown))
        told = self._published.get(site.uid, _Published())
        return SiteRecord(site.uid, site.name, site.namespace, tuple(links), told.now)


def _may_connect(turn: Turn, site: SiteFact) -> bool:
    return turn.faults.get("link", site.cluster, site.namespace) not in ("never", "down")


def _leads_to(link: LinkFact, sites: Mapping[str, SiteFact]) -> SiteFact | None:
    """The Site that gave the Link its credentials."""
    return next((site for site in sites.values() if site.ca and site.ca == link.ca), None)


def _target(site: SiteFact, link: LinkFact, facts: Mapping[str, SiteFact]) -> SiteFact | None:
    """The Site that the Link reaches: it must be at that address, and be the one whose authority is trusted."""
    target = _leads_to(link, facts)
    if target is None or target.uid == site.uid or (link.host, link.port) not in target.access:
        return None
    return target
