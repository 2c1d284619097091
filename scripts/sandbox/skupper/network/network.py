"""The network between Sites: which routers are connected, and the network status of each Site. Pure.

As with real routers, traffic flows soon after routers are connected, and the network status, from which conditions and
per-pod Services come, follows later. When a Site is gone, traffic stops at once, and the Site stays in the others'
network status for a while.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sandbox.skupper.controller.reconcile import Cycle

# Seconds until a cycle that continues this one.
_SOON_SECONDS = 0.01


@dataclass(frozen=True)
class LinkState:
    """A configured Link: its endpoint, the CA that it trusts, when it was configured (monotonic seconds)."""

    name: str
    host: str
    port: str
    ca: str
    configured_at: float


@dataclass(frozen=True)
class RouterAddress:
    """An address where a Site's router accepts Links.

    `local`: only Sites of the same cluster reach it. `names`: the hosts that the router's certificate there names; None
    if any host counts, because nothing is known of the certificate.
    """

    host: str
    port: str
    local: bool = False
    names: frozenset[str] | None = None


@dataclass(frozen=True)
class Services:
    """A Site's targets and listeners by routing key."""

    connectors: tuple[tuple[str, tuple[str, ...]], ...] = ()
    listeners: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class SiteState:
    """The state of a Site now."""

    uid: str
    name: str
    cluster: str
    namespace: str
    ready_since: float | None
    """When its router became ready; None while it is not."""
    reports_from: float
    """When its router may begin to report (a previous leader's Lease may have to expire first)."""
    access: tuple[RouterAddress, ...]
    """The addresses of its router for other Sites."""
    ca: str
    links: tuple[LinkState, ...]
    services: Services
    router: str = ""
    """The uid of its router's pod."""
    server_ca: str = ""
    """The CA of the certificate that its router shows to other Sites; empty for the CA of the Site."""

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
class Network:
    """The connections, and each Site's network status."""

    _up: dict[tuple[str, str], str] = field(default_factory=dict)
    _published: dict[str, Services] = field(default_factory=dict)
    _known: dict[str, dict[str, SiteState]] = field(default_factory=dict)
    _reported_links: dict[tuple[str, str], bool] = field(default_factory=dict)
    _ready: set[str] = field(default_factory=set)
    _losing: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    _lost: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _outdated: dict[str, str] = field(default_factory=dict)
    refused: set[tuple[str, str]] = field(default_factory=set)
    """The Links, by the Site's uid and their name, whose routers do not accept each other's certificates."""

    def step(self, cycle: Cycle, sites: Iterable[SiteState]) -> None:
        """Updates connections and network status from the Sites' current states."""
        states = {site.uid: site for site in sites}
        self._ready = {uid for uid, site in states.items() if site.ready_since is not None}
        self._connect(cycle, states)
        self._lost = {uid: self._lost_by(cycle, site) for uid, site in states.items()}
        self._publish(cycle, states)
        self._learn(cycle, states)

    def reachable(self, uid: str) -> set[str]:
        """The Sites that this Site's router can exchange traffic with, including itself once it is ready."""
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
        """The network status of a Site; None before its router has reported."""
        known = self._known.get(uid)
        if known is None:
            return None
        lost = self._lost.get(uid, ())
        records = [self._record(site, known) for _, site in sorted(known.items())]
        return [replace(record, services=_without(record.services, lost)) for record in records]

    def _lost_by(self, cycle: Cycle, site: SiteState) -> tuple[str, ...]:
        """The members that the Site has lost the record of, see the fault `records`."""
        names = tuple(cycle.faults.get("records", site.cluster, site.namespace) or ())
        if site.uid not in self._losing or self._losing[site.uid][0] != names:
            self._losing[site.uid] = (names, site.router)
        # Between two routers there is none for a moment.
        return names if self._losing[site.uid][1] == site.router or not site.router else ()

    # Connections

    def _connect(self, cycle: Cycle, states: Mapping[str, SiteState]) -> None:
        wanted: dict[tuple[str, str], str] = {}
        self.refused = set()
        outdated = {uid for uid, site in states.items() if self._is_outdated(cycle, site)}
        for site in states.values():
            for link in site.links:
                target, is_named = _target(site, link, states)
                distrusted = target is not None and (target.server_ca or target.ca) != link.ca
                if target is not None and (distrusted or not is_named or target.uid in outdated):
                    if site.ready_since is not None and target.ready_since is not None:
                        self.refused.add((site.uid, link.name))
                    continue
                if (
                    target is not None
                    and _links_allowed(cycle, site)
                    and self._had_time_to_connect(cycle, site, link, target)
                ):
                    wanted[site.uid, link.name] = target.uid
        self._up = wanted

    def _is_outdated(self, cycle: Cycle, site: SiteState) -> bool:
        """Whether the Site's router has an outdated certificate, see the fault `certificate`."""
        if cycle.faults.get("certificate", site.cluster, site.namespace) != "outdated":
            self._outdated.pop(site.uid, None)
            return False
        # Between two routers there is none for a moment.
        return self._outdated.setdefault(site.uid, site.router) == site.router or not site.router

    def _had_time_to_connect(self, cycle: Cycle, site: SiteState, link: LinkState, target: SiteState) -> bool:
        """Whether both routers are ready and the delay until they are connected has passed."""
        if site.ready_since is None or target.ready_since is None:
            return False
        delays = cycle.delays
        settled = max(site.ready_since, target.ready_since) + delays.router_settle.of(site.place)
        return cycle.reached(max(settled, link.configured_at + delays.link_connect.of(site.place)))

    # Network status

    def _publish(self, cycle: Cycle, states: Mapping[str, SiteState]) -> None:
        for uid, site in states.items():
            if site.ready_since is None:
                continue
            services = _without(site.services, self._lost[uid])
            if self._published.setdefault(uid, services) == services:
                continue
            if cycle.elapsed("record", cycle.delays.record_lag, site.place, of=f"{uid} {services}"):
                self._published[uid] = services

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
        """Whether the Site's router writes its network status."""
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
                # Both delays have passed in one cycle: the Link is reported as down first, which needs its other end.
                cycle.requeue_at(cycle.now + _SOON_SECONDS)
            else:
                del known[uid]

    def _linked_sites(self, site: SiteState, known: Mapping[str, SiteState]) -> set[str]:
        """The Sites to which the Site's Links were last reported as connected."""
        targets = [_leads_to(link, known) for link in site.links if self._reported_links.get((site.uid, link.name))]
        return {target.uid for target in targets if target is not None}

    def _report_links(self, cycle: Cycle, site: SiteState) -> None:
        """Reports a new connection together with its Site, a broken one after a delay."""
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
        published = self._published.get(site.uid, Services())
        return SiteRecord(site.uid, site.name, site.namespace, tuple(links), published)


def _without(services: Services, names: tuple[str, ...]) -> Services:
    """The services without the connectors of these members."""
    gone = {ip for key, ips in services.connectors for ip in ips if key.partition(".")[2] in names}
    kept = ((key, tuple(ip for ip in ips if ip not in gone)) for key, ips in services.connectors)
    return replace(services, connectors=tuple((key, ips) for key, ips in kept if ips)) if gone else services


def _links_allowed(cycle: Cycle, site: SiteState) -> bool:
    return cycle.faults.get("link", site.cluster, site.namespace) not in ("never", "down")


def _leads_to(link: LinkState, sites: Mapping[str, SiteState]) -> SiteState | None:
    """The Site that issued the Link's credentials; after it got another CA, the Site with the Link's address."""
    issuers = (site for site in sites.values() if site.ca and link.ca in (site.ca, site.server_ca))
    place = (link.host, link.port)
    there = (site for site in sites.values() if any((one.host, one.port) == place for one in site.access))
    return next(issuers, None) or next(there, None)


def _target(site: SiteState, link: LinkState, states: Mapping[str, SiteState]) -> tuple[SiteState | None, bool]:
    """The Site that the Link's address leads to, and whether its certificate there names the host."""
    target = _leads_to(link, states)
    address = _address(site, link, target)
    if address is None:
        return None, False
    return target, address.names is None or address.host in address.names


def _address(site: SiteState, link: LinkState, target: SiteState | None) -> RouterAddress | None:
    """The address of the target that the Link reaches."""
    if target is None or target.uid == site.uid:
        return None
    reached = (one for one in target.access if not one.local or target.cluster == site.cluster)
    return next((one for one in reached if (one.host, one.port) == (link.host, link.port)), None)
