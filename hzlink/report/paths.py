"""Makes each client site's path from snapshots: the condition and age of every hop. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hzlink.model import conditions, objects
from hzlink.model import members as member_pods
from hzlink.model.choices import Mode
from hzlink.model.conditions import Condition, State
from hzlink.model.objects import Object
from hzlink.model.topology import Topology
from hzlink.observe import existing_members, losses, mancenter, membership
from hzlink.observe.losses import LostMember
from hzlink.observe.mancenter import MancenterView
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.programs import admission, hints, pod_hints
from hzlink.programs.refusals import Refusal
from hzlink.report import app_status, hops, way_hops
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
    by_site = {report.site: report for report in sites}
    cluster_router, last = _router(cluster, by_site[topology.cluster]), _members(topology, cluster, members)
    routers = {site: _router(snapshots[site], by_site[site]) for site in topology.sites if site == topology.hub}
    found = []
    for link in links:
        snapshot, report = snapshots[link.client], by_site[link.client]
        lost = tuple(one for one in losses.lost_members(topology, snapshots) if one.client == link.client)
        builder = _PathBuilder(topology, mode, snapshot, cluster, report, by_site[topology.cluster], lost)
        router, between = _router(snapshot, report), way_hops.make(snapshots, link, routers)
        flows = router.good and all(hop.good for hop in between) and cluster_router.good
        client = builder.client_hop()
        stages = (
            (app_status.hop(link.client, report.apps) or client) if client.good else client,
            builder.listener_hop(flows),
            router,
            *between,
            cluster_router,
            builder.connector_hop(flows),
            last,
        )
        found.append(Path(link.client, stages, first_broken(stages, builder.connector_waits_for_listener)))
    return tuple(found)


@dataclass(frozen=True)
class _PathBuilder:
    """Builds the hops that differ between client sites."""

    topology: Topology
    mode: Mode
    snapshot: Snapshot
    cluster: Snapshot
    client_report: SiteReport
    cluster_report: SiteReport
    lost: tuple[LostMember, ...] = ()

    @property
    def connector_waits_for_listener(self) -> bool:
        """Whether the Connector lacks only a matching Listener."""
        item = self.cluster.get("Connector", self.topology.service)
        return (
            item is not None and self.cluster_report.matched.state is State.WAITING and conditions.only_unmatched(item)
        )

    def client_hop(self) -> Hop:
        """Management Center; if it is left out or in unisocket mode, the Service that clients connect to."""
        if self.mode is Mode.SMART and not self.client_report.mancenter_left_out:
            return self._mancenter_hop()
        item = self.snapshot.get("Service", self.topology.service)
        without = " (Management Center is left out)" if self.mode is Mode.SMART else ""
        condition = Condition(State.OK, f"clients connect to it{without}")
        if item is None:
            condition = Condition(State.ABSENT, f"no Service {self.topology.service} for clients to connect to")
        step = hints.kubectl(self.client_report.site, "describe listeners.skupper.io")
        return _hop("client", self.snapshot, item, condition, step)

    def _mancenter_hop(self) -> Hop:
        site, name = self.client_report.site, self.topology.mancenter
        item = self.snapshot.get("Deployment", name)
        condition = self.client_report.mancenter or Condition(State.ABSENT, "not found")
        pods = member_pods.mancenter_pods(self.topology, self.snapshot.of("Pod"))
        workload = f"deployment {name}"
        step = pod_hints.next_step(site, pods, f"app={name}", workload, condition.text)
        if item is None and self.snapshot.error is None:
            step = hints.hzlink("up")
        if condition.ok and self.client_report.mancenter_view is not None:
            condition, step = (
                mancenter.condition(self.client_report.mancenter_view),
                self._mancenter_view_step(self.client_report.mancenter_view),
            )
        return _hop("Management Center", self.snapshot, item, condition, step)

    def _mancenter_view_step(self, seen: MancenterView) -> str:
        logs = hints.kubectl(self.client_report.site, f"logs deployment/{self.topology.mancenter}")
        return f"{hints.hzlink('up')}   (restarts it; see: {logs})" if seen.sees_no_member else logs

    def listener_hop(self, flows: bool) -> Hop:
        """The Listener: Ready, or proved by the members' Services (in unisocket mode, by the Connector's condition)."""
        item = self.snapshot.get("Listener", self.topology.service)
        condition, proved = self.client_report.matched, self.cluster_report.matched.ok
        if self.client_report.names is not None:
            proved = True
            if self.client_report.missing:
                condition, proved = Condition(State.BROKEN, self._missing_names()), False
        lag = flows and proved and condition.state is State.WAITING
        step = hints.kubectl(self.client_report.site, "describe listeners.skupper.io")
        if self.lost:
            step = hints.hzlink("link --repair")
        return _hop("Listener", self.snapshot, item, condition, step, lag=lag)

    def connector_hop(self, flows: bool) -> Hop:
        """The Connector, as this client site needs it."""
        item, condition = self.cluster.get("Connector", self.topology.service), self.cluster_report.matched
        proved = self.client_report.matched.ok if self.client_report.names is None else not self.client_report.missing
        lag = flows and proved and condition.state is State.WAITING
        step = hints.kubectl(self.cluster_report.site, "describe connectors.skupper.io")
        return _hop("Connector", self.cluster, item, condition, step, lag=lag)

    def _missing_names(self) -> str:
        if self.lost:
            return "; ".join(text for _, text in losses.texts(self.lost))
        says = f"; the Listener says: {self.client_report.matched.text}" if self.client_report.matched.text else ""
        return f"no Service for {', '.join(self.client_report.missing)}{says}"


# What is missing if a site could not be read; for any other refusal, the API server.
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
        nothing = Condition(State.BROKEN, "the namespace has no Skupper Site")
        return Hop("router", "Site", site, nothing, next_step=hints.hzlink("up"))
    pods = conditions.routers(snapshot.items)
    step = hints.kubectl(site, "describe sites.skupper.io")
    if conditions.needs_address(item):
        step = hints.kubectl(site, "describe service skupper-router")
    elif not pods.ok:
        routers, workload = conditions.router_pods(snapshot.items), f"deployment {conditions.ROUTER}"
        step = pod_hints.next_step(site, routers, conditions.ROUTER_SELECTOR, workload, pods.text)
        said = "the Site says Ready, but " if condition.ok else f"{condition.text}; "
        condition = Condition(pods.state if condition.ok else condition.state, f"{said}{pods.text}")
    return _hop("router", snapshot, item, condition, step, name="Site")


def _members(topology: Topology, snapshot: Snapshot, members: Sequence[Member]) -> Hop:
    site = snapshot.site
    workload = snapshot.get(topology.workload_kind, topology.workload)
    pods = member_pods.pods_of(topology, snapshot.of("Pod"))
    said = conditions.not_created(workload) if workload is not None else ""
    step = pod_hints.next_step(site, pods, topology.member_selector, _described(topology), said)
    if workload is None and not pods and snapshot.error is None:
        step = hints.hzlink("up")
    if snapshot.error is not None:
        return _hop("members", snapshot, None, Condition(State.UNKNOWN), step)
    parts = tuple(_member(topology, snapshot, member) for member in members)
    down = [member for member in members if not member.ready]
    text = f"{len(members) - len(down)}/{len(members)} ready"
    # Members often fail for the same reason, which is long: it is printed once.
    for problem in dict.fromkeys(member.problem for member in down):
        text += f"; {', '.join(member.name for member in down if member.problem == problem)}: {problem}"
    ages = [part.age for part in parts if part.age is not None and part.condition.ok == (not down)]
    lacking = 0 if topology.found is None else max(0, topology.settings.members - len(members))
    if lacking:
        text += f"; {lacking} of {topology.settings.members} pods do not exist{f': {said}' if said else ''}"
    split = membership.problem(snapshot.member_log, [member.name for member in members if member.ready])
    if split:
        text = f"{text}; {split}"
        step = hints.kubectl(site, f"logs --selector={topology.member_selector} --prefix --tail=-1")
    error = existing_members.problem(topology, snapshot)
    if error is not None:
        text = f"{error.message}{f' ({error.said})' if error.said else ''}"
        step = error.next_step or step
    broken = down or split or lacking or error or not members
    condition = Condition(State.BROKEN if broken else State.OK, text)
    subject = topology.workload_title if workload is not None else ""
    return Hop("members", "members", site, condition, subject, min(ages, default=None), step, parts=parts)


def _described(topology: Topology) -> str:
    """The members' workload as kubectl takes it; empty for members of a label selector."""
    return f"{topology.workload_kind.lower()} {topology.workload}".strip()


def _member(topology: Topology, snapshot: Snapshot, member: Member) -> Hop:
    item = snapshot.get("Pod", member.name)
    step = hints.kubectl(snapshot.site, f"describe pod {member.name}")
    if item is None:
        # A pod that does not exist cannot be described.
        exists = snapshot.get(topology.workload_kind, topology.workload) is not None
        described = hints.kubectl(snapshot.site, f"describe {_described(topology)}")
        whole = described if exists else hints.hzlink("up")
        step = admission.hint(snapshot.site, member.problem) or whole
        return Hop("members", member.name, snapshot.site, Condition(State.BROKEN, member.problem), next_step=step)
    step = hints.previous_log(snapshot.site, item) or step
    broken = conditions.pod_trouble(item).state is State.BROKEN
    state = State.OK if member.ready else State.BROKEN if broken else State.WAITING
    return _hop("members", snapshot, item, Condition(state, member.problem), step, name=member.name)


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
    """A hop whose evidence is an object of that site, or that the object is missing."""
    if snapshot.error is not None:
        condition = Condition(State.UNKNOWN, f"{snapshot.site.name} cannot be read")
    subject = f"{item.get('kind')} {objects.name(item)}" if item is not None else ""
    age = hops.age(snapshot.at, conditions.since(item)) if item is not None else None
    return Hop(stage, name or stage, snapshot.site, hops.required(condition), subject, age, next_step, lag)
