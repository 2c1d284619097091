"""From snapshots to each client site's path: what every hop's objects say, and how old that is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hzlink.model import conditions, objects
from hzlink.model.choices import Mode
from hzlink.model.conditions import Condition, State
from hzlink.model.objects import Object
from hzlink.model.topology import MANCENTER, WORKLOAD, Topology
from hzlink.observe import mancenter, membership
from hzlink.observe.mancenter import MancenterView
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.programs import hints
from hzlink.programs.refusals import Refusal
from hzlink.report.hops import Hop, Path, first_broken
from hzlink.report.site_status import LinkReport, Member, SiteReport


def find(
    topology: Topology,
    snapshots: Snapshots,
    mode: Mode,
    sites: Sequence[SiteReport],
    links: Sequence[LinkReport],
    members: Sequence[Member],
) -> tuple[Path, ...]:
    """A path for each client site, in the topology's order."""
    cluster = snapshots[topology.cluster]
    near = {report.site: report for report in sites}
    far, last = _router(cluster, near[topology.cluster]), _members(cluster, members)
    found = []
    for link in links:
        snapshot, report = snapshots[link.client], near[link.client]
        way = _Way(mode, snapshot, cluster, report, near[topology.cluster])
        router, joint = _router(snapshot, report), _link(snapshots, link)
        flows = router.good and joint.good and far.good
        hops = (way.client(), way.listener(flows), router, joint, far, way.connector(flows), last)
        found.append(Path(link.client, hops, first_broken(hops, way.connector_waits)))
    return tuple(found)


@dataclass(frozen=True)
class _Way:
    """What the two ends of one path have of their own."""

    mode: Mode
    snapshot: Snapshot
    cluster: Snapshot
    near: SiteReport
    far: SiteReport

    @property
    def connector_waits(self) -> bool:
        """Whether the Connector lacks only a matching Listener."""
        item = self.cluster.get("Connector", WORKLOAD)
        return item is not None and self.far.offer.state is State.WAITING and conditions.only_unmatched(item)

    def client(self) -> Hop:
        """Management Center; in unisocket mode the Service that clients connect to."""
        site = self.near.site
        if self.mode is Mode.SMART:
            item = self.snapshot.get("Deployment", MANCENTER)
            condition = self.near.mancenter or Condition(State.ABSENT, "not there")
            pods = conditions.of_app(self.snapshot.of("Pod"), MANCENTER)
            step = hints.pods(site, pods, f"app={MANCENTER}")
            if condition.ok and self.near.sees is not None:
                condition, step = mancenter.condition(self.near.sees), self._mancenter_view_step(self.near.sees)
            return _hop("Management Center", self.snapshot, item, condition, step)
        item = self.snapshot.get("Service", WORKLOAD)
        condition = (
            Condition(State.OK, "clients connect to it") if item is not None else Condition(State.ABSENT, _NO_SERVICE)
        )
        return _hop("client", self.snapshot, item, condition, hints.kubectl(site, "describe listeners.skupper.io"))

    def _mancenter_view_step(self, seen: MancenterView) -> str:
        logs = hints.kubectl(self.near.site, f"logs deployment/{MANCENTER}")
        return f"{hints.hzlink('up')}   (restarts it; look: {logs})" if seen.sees_no_member else logs

    def listener(self, flows: bool) -> Hop:
        """The Listener: content, or proved by the members' names (or by the Connector's word, where there are none)."""
        item = self.snapshot.get("Listener", WORKLOAD)
        condition, proved = self.near.offer, self.far.offer.ok
        if self.near.names is not None:
            proved = True
            if self.near.missing:
                condition, proved = Condition(State.BROKEN, self._nameless()), False
        lag = flows and proved and condition.state is State.WAITING
        step = hints.kubectl(self.near.site, "describe listeners.skupper.io")
        return _hop("Listener", self.snapshot, item, condition, step, lag=lag)

    def connector(self, flows: bool) -> Hop:
        """The Connector, seen from this client site."""
        item, condition = self.cluster.get("Connector", WORKLOAD), self.far.offer
        proved = self.near.offer.ok if self.near.names is None else not self.near.missing
        lag = flows and proved and condition.state is State.WAITING
        step = hints.kubectl(self.far.site, "describe connectors.skupper.io")
        return _hop("Connector", self.cluster, item, condition, step, lag=lag)

    def _nameless(self) -> str:
        says = f"; the Listener says: {self.near.offer.text}" if self.near.offer.text else ""
        return f"no Service for {', '.join(self.near.missing)}{says}"


_NO_SERVICE = f"no Service {WORKLOAD} for clients to connect to"

# What is missing where a site could not be read; else it is the API server that did not give an answer.
_UNREAD = {Refusal.NO_DEFINITIONS: "Skupper installation", Refusal.NO_NAMESPACE: "namespace"}


def _router(snapshot: Snapshot, report: SiteReport) -> Hop:
    """A site's router, by its Site and by its pods."""
    site, error = report.site, snapshot.error
    if error is not None:
        condition = Condition(State.UNKNOWN, f"{error.message}{f': {error.said}' if error.said else ''}")
        name = _UNREAD.get(report.refusal or Refusal.OTHER, "API server")
        step = error.next_step or hints.kubectl(site, "get sites.skupper.io")
        return Hop("router", name, site, condition, next_step=step)
    item, condition = snapshot.skupper_site, report.skupper
    if item is None:
        nothing = Condition(State.BROKEN, "no objects of hzlink are here")
        return Hop("router", "Site", site, nothing, next_step=hints.hzlink("up"))
    pods = conditions.routers(snapshot.items)
    step = hints.kubectl(site, "describe sites.skupper.io")
    if conditions.needs_address(item):
        step = hints.kubectl(site, "describe service skupper-router")
    elif not pods.ok:
        step = hints.pods(site, conditions.router_pods(snapshot.items), conditions.ROUTER_SELECTOR)
        said = "the Site says Ready, but " if condition.ok else f"{condition.text}; "
        condition = Condition(pods.state if condition.ok else condition.state, f"{said}{pods.text}")
    return _hop("router", snapshot, item, condition, step, name="Site")


def _link(snapshots: Snapshots, link: LinkReport) -> Hop:
    holder = link.holder or link.client
    age = _age(snapshots[holder].at, link.since)
    subject = f"Link {link.name}" if link.name else ""
    return Hop("Link", "Link", link.client, _plain(link.condition), subject, age, hints.hzlink("link"), holder=holder)


def _members(snapshot: Snapshot, members: Sequence[Member]) -> Hop:
    site = snapshot.site
    step = hints.pods(site, conditions.of_app(snapshot.of("Pod"), WORKLOAD), f"app={WORKLOAD}")
    workload = snapshot.get("StatefulSet", WORKLOAD)
    if snapshot.error is not None:
        return _hop("members", snapshot, None, Condition(State.UNKNOWN), step)
    parts = tuple(_member(snapshot, member) for member in members)
    down = [member for member in members if not member.ready]
    text = f"{len(members) - len(down)}/{len(members)} ready"
    # Members often have one and the same trouble, and at length.
    for trouble in dict.fromkeys(member.trouble for member in down):
        text += f"; {', '.join(member.name for member in down if member.trouble == trouble)}: {trouble}"
    ages = [part.age for part in parts if part.age is not None and part.condition.ok == (not down)]
    split = membership.trouble(snapshot.member_log, [member.name for member in members if member.ready])
    if split:
        text = f"{text}; {split}"
        step = hints.kubectl(site, f"logs --selector={conditions.MEMBER_SELECTOR} --prefix --tail=-1")
    condition = Condition(State.BROKEN if down or split or not members else State.OK, text)
    subject = f"StatefulSet {WORKLOAD}" if workload is not None else ""
    return Hop("members", "members", site, condition, subject, min(ages, default=None), step, parts=parts)


def _member(snapshot: Snapshot, member: Member) -> Hop:
    item = snapshot.get("Pod", member.name)
    step = hints.kubectl(snapshot.site, f"describe pod {member.name}")
    if item is None:
        return Hop("members", member.name, snapshot.site, Condition(State.BROKEN, member.trouble), next_step=step)
    step = hints.last_words(snapshot.site, item) or step
    broken = conditions.pod_trouble(item).state is State.BROKEN
    state = State.OK if member.ready else State.BROKEN if broken else State.WAITING
    return _hop("members", snapshot, item, Condition(state, member.trouble), step, name=member.name)


def _hop(
    stage: str,
    snapshot: Snapshot,
    item: Object | None,
    condition: Condition,
    next_step: str,
    *,
    lag: bool = False,
    name: str = "",
) -> Hop:
    """A hop with an object (or the lack of one) of that site as evidence."""
    if snapshot.error is not None:
        condition = Condition(State.UNKNOWN, f"{snapshot.site.name} cannot be read")
    subject = f"{item.get('kind')} {objects.name(item)}" if item is not None else ""
    age = _age(snapshot.at, conditions.since(item)) if item is not None else None
    return Hop(stage, name or stage, snapshot.site, _plain(condition), subject, age, next_step, lag)


def _age(now: datetime | None, then: datetime | None) -> float | None:
    """Seconds between the two; a cluster's clock that is ahead of ours makes no age negative."""
    return max(0.0, (now - then).total_seconds()) if now is not None and then is not None else None


def _plain(condition: Condition) -> Condition:
    """Of a hop that must be there, absent is broken."""
    return Condition(State.BROKEN, condition.text) if condition.state is State.ABSENT else condition
