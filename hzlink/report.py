"""How a topology stands, from snapshots of its sites: members, links, hops, a verdict and what to type next. Pure."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

from hzlink import hints, mancenter, objects, plan, readings
from hzlink.choices import Mode, Role
from hzlink.errors import ExitStatus
from hzlink.mancenter import Sight
from hzlink.objects import Object
from hzlink.observe import Snapshot, Snapshots
from hzlink.readings import Reading, State
from hzlink.refusals import Refusal
from hzlink.topology import MANCENTER, WORKLOAD, Site, Topology

API_VERSION = "hzlink/v1"

# Where Management Center listens, and the first local port that is proposed to forward to it.
MANCENTER_PORT = 8080


@dataclass(frozen=True)
class Hop:
    """One stage that a connection passes: what it is, at which site, its state, and what to type when it is not ok."""

    name: str
    site: Site
    reading: Reading
    next_step: str = ""


@dataclass(frozen=True)
class Member:
    """One member, by its pod's name: whether its pod is ready, and what keeps it from it."""

    name: str
    ready: bool
    trouble: str = ""


@dataclass(frozen=True)
class LinkReport:
    """The link of one client site, made from both sides: its name, who holds it, and how it stands."""

    client: Site
    reading: Reading
    name: str = ""
    issuer: Site | None = None


@dataclass(frozen=True)
class SiteReport:
    """One site: its Skupper Site, and what the members' side or the clients' side has of its own.

    `error` says why nothing is known of it, and `status` the exit code for that. `sees` is what its Management Center
    is connected to, where that is known.
    `names` are the members that clients at this site can call by name, `missing` those that they cannot; None where
    names are not used.
    """

    site: Site
    skupper: Reading
    offer: Reading
    version: str = ""
    host: str = ""
    refusal: Refusal | None = None
    error: str = ""
    status: ExitStatus = ExitStatus.DONE
    names: tuple[str, ...] | None = None
    missing: tuple[str, ...] = ()
    mancenter: Reading | None = None
    mancenter_address: str = ""
    mancenter_command: str = ""
    mancenter_port: int = MANCENTER_PORT
    mancenter_unexposed: bool = False
    sees: Sight | None = None


@dataclass(frozen=True)
class Report:
    """The whole topology. `blame` is the first broken hop; None where all is well.

    `members` is empty when the cluster site could not be read: they are not known to be down.
    """

    topology: Topology
    mode: Mode
    sites: tuple[SiteReport, ...]
    links: tuple[LinkReport, ...]
    members: tuple[Member, ...]
    wanted_members: int
    blame: Hop | None
    warnings: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether clients at every client site can use every member."""
        return self.blame is None

    @property
    def unreadable(self) -> tuple[SiteReport, ...]:
        """Sites of which nothing is known."""
        return tuple(site for site in self.sites if site.refusal is not None or site.error)


def make(topology: Topology, snapshots: Snapshots) -> Report:
    """The report. The mode and the number of members are read from the cluster, where they are there."""
    mode = _mode(topology, snapshots)
    workload = snapshots[topology.cluster].get("StatefulSet", WORKLOAD)
    wanted = readings.wanted_replicas(workload) if workload is not None else topology.settings.members
    members = _members(snapshots[topology.cluster], wanted)
    expected = (
        [member.name for member in members] if snapshots[topology.cluster].error is None else [*topology.member_names]
    )
    links = tuple(_link(topology, snapshots, client) for client in topology.clients)
    # Each client site's forward has a local port of its own: people run them side by side.
    ports = dict(zip(topology.clients, itertools.count(MANCENTER_PORT), strict=False))
    sites = tuple(
        _site(site, snapshots[site], mode, expected, ports.get(site, MANCENTER_PORT)) for site in topology.sites
    )
    sites = _with_sight(topology, snapshots, sites, members)
    blame = _blame(topology, snapshots, mode, sites, links, members)
    warnings = _warnings(sites) if blame is None else ()
    return Report(topology, mode, sites, links, members, wanted, blame, warnings)


def _mode(topology: Topology, snapshots: Snapshots) -> Mode:
    connector = snapshots[topology.cluster].get("Connector", WORKLOAD)
    if connector is None:
        return topology.settings.mode
    return Mode.SMART if objects.spec(connector).get("exposePodsByName") else Mode.UNISOCKET


def _members(snapshot: Snapshot, wanted: int) -> tuple[Member, ...]:
    if snapshot.error is not None:
        return ()
    pods = {objects.name(pod): pod for pod in readings.of_app(snapshot.of("Pod"), WORKLOAD)}
    names = [f"{WORKLOAD}-{number}" for number in range(wanted)]
    return tuple(_member(name, pods.get(name)) for name in [*names, *sorted(set(pods) - set(names))])


def _member(name: str, pod: Object | None) -> Member:
    if pod is None:
        return Member(name, False, "no pod")
    ready = readings.is_ready(pod)
    trouble = readings.pod_trouble(pod).text.removeprefix(f"pod {name}: ")
    return Member(name, ready, "" if ready else trouble or "starting")


def _link(topology: Topology, snapshots: Snapshots, client: Site) -> LinkReport:
    for site in (topology.cluster, client):
        if snapshots[site].error is not None:
            return LinkReport(client, Reading(State.UNKNOWN, f"{site.name} cannot be read"))
    found = [
        LinkReport(client, readings.skupper(link), objects.name(link), issuer)
        for redeemer, issuer in ((client, topology.cluster), (topology.cluster, client))
        if (link := plan.link_between(snapshots, redeemer, issuer)) is not None
    ]
    # One in either direction will do; the former one may lie there still after a change of --link-from.
    return max(found, key=lambda link: link.reading.ok, default=LinkReport(client, Reading(State.ABSENT, "not linked")))


def _site(site: Site, snapshot: Snapshot, mode: Mode, members: list[str], port: int) -> SiteReport:
    found = snapshot.skupper_site
    kind = "Connector" if site.role is Role.CLUSTER else "Listener"
    if snapshot.error is not None:
        unknown = Reading(State.UNKNOWN, snapshot.error.message)
        error = snapshot.error
        return SiteReport(site, unknown, unknown, refusal=snapshot.refusal, error=error.message, status=error.status)
    report: dict[str, Any] = {
        "skupper": _skupper(found),
        "offer": readings.matched(snapshot.get(kind, WORKLOAD)),
        "version": str((objects.status(found or {}).get("controller") or {}).get("version") or ""),
        "host": readings.address(found) or "",
    }
    if site.role is Role.CLIENT and mode is Mode.SMART:
        missing = readings.missing_names(snapshot.of("Service"), members)
        report["names"] = tuple(name for name in members if name not in missing)
        report["missing"] = tuple(missing)
        pods = readings.of_app(snapshot.of("Pod"), MANCENTER)
        report["mancenter"] = _mancenter(snapshot, pods)
        service = snapshot.get("Service", MANCENTER)
        report["mancenter_address"] = _web_address(service)
        if service is not None and not report["mancenter_address"]:
            report["mancenter_port"] = port
            report["mancenter_command"] = hints.kubectl(
                site, f"port-forward service/{MANCENTER} {port}:{MANCENTER_PORT}"
            )
            report["mancenter_unexposed"] = objects.spec(service).get("type") == "LoadBalancer"
    return SiteReport(site, **report)


def _skupper(found: Object | None) -> Reading:
    if readings.needs_address(found):
        return Reading(State.WAITING, "no address for links yet")
    return readings.skupper(found)


def _mancenter(snapshot: Snapshot, pods: list[Object]) -> Reading:
    reading = readings.rollout(snapshot.get("Deployment", MANCENTER), pods)
    waits = any(
        (container.get("state") or {}).get("running")
        for pod in pods
        for container in objects.status(pod).get("initContainerStatuses") or []
    )
    return Reading(State.WAITING, "waits for the members' names") if waits and not reading.ok else reading


def _with_sight(
    topology: Topology, snapshots: Snapshots, sites: tuple[SiteReport, ...], members: tuple[Member, ...]
) -> tuple[SiteReport, ...]:
    """Adds what each Management Center that is ready sees of the members that are."""
    ready = [member.name for member in members if member.ready]
    seen = mancenter.sight(snapshots[topology.cluster].member_log, ready, len(topology.clients))
    return tuple(
        replace(site, sees=seen) if site.mancenter is not None and site.mancenter.ok else site for site in sites
    )


def _web_address(service: Object | None) -> str:
    """The address outside the cluster, where the Service has one that hzlink can know."""
    spec = objects.spec(service or {})
    ports = spec.get("ports") or [{}]
    if spec.get("type") == "LoadBalancer":
        ingress = (objects.status(service or {}).get("loadBalancer") or {}).get("ingress") or []
        host = next((entry.get("ip") or entry.get("hostname") for entry in ingress), "")
        return f"http://{host}:{ports[0].get('port')}" if host else ""
    if spec.get("type") == "NodePort" and ports[0].get("nodePort"):
        return f"http://<node>:{ports[0]['nodePort']}"
    return ""


def _blame(
    topology: Topology,
    snapshots: Snapshots,
    mode: Mode,
    sites: tuple[SiteReport, ...],
    links: tuple[LinkReport, ...],
    members: tuple[Member, ...],
) -> Hop | None:
    """The first broken hop in the order of cause: what a hop needs comes before it."""
    cluster, clients = sites[0], sites[1:]
    hops = [_site_hop(snapshots, site) for site in sites]
    hops.append(_members_hop(topology.cluster, members))
    hops += [_link_hop(link) for link in links]
    if mode is Mode.UNISOCKET:
        # Either end may lag behind what flows (skupper issue 2428): one that is content is enough.
        lags = [site for site in clients if site.offer.state is State.ABSENT or not cluster.offer.ok]
        hops += [_offer_hop(site) for site in lags]
    else:
        hops += [_names_hop(site) for site in clients]
        hops += [_mancenter_hop(site) for site in clients]
    return next((hop for hop in hops if not hop.reading.ok), None)


# What is missing where a site could not be read; else it is the API server that did not give an answer.
_UNREAD = {Refusal.NO_DEFINITIONS: "Skupper installation", Refusal.NO_NAMESPACE: "namespace"}


def _site_hop(snapshots: Snapshots, report: SiteReport) -> Hop:
    site = report.site
    error = snapshots[site].error
    if error is not None:
        reading = Reading(State.UNKNOWN, f"{error.message}{f': {error.said}' if error.said else ''}")
        return Hop(_UNREAD.get(report.refusal or Refusal.OTHER, "API server"), site, reading, error.next_step or "")
    if report.skupper.state is State.ABSENT:
        return Hop("Site", site, Reading(State.ABSENT, "nothing of hzlink's is here"), hints.hzlink("up"))
    subject = "service skupper-router" if readings.needs_address(snapshots[site].skupper_site) else "sites.skupper.io"
    return Hop("Site", site, report.skupper, hints.kubectl(site, f"describe {subject}"))


def _members_hop(site: Site, members: tuple[Member, ...]) -> Hop:
    down = [member for member in members if not member.ready]
    text = f"{len(members) - len(down)}/{len(members)} ready"
    # Members often have one and the same trouble, and at length.
    for trouble in dict.fromkeys(member.trouble for member in down):
        text += f"; {', '.join(member.name for member in down if member.trouble == trouble)}: {trouble}"
    state = State.BROKEN if down or not members else State.OK
    return Hop("members", site, Reading(state, text), hints.kubectl(site, f"describe pods -l app={WORKLOAD}"))


def _link_hop(link: LinkReport) -> Hop:
    return Hop("Link", link.client, link.reading, hints.hzlink("link"))


def _offer_hop(report: SiteReport) -> Hop:
    return Hop("Listener", report.site, report.offer, hints.kubectl(report.site, "describe listeners.skupper.io"))


def _names_hop(report: SiteReport) -> Hop:
    text = ""
    if report.missing:
        says = f"; the Listener says: {report.offer.text}" if report.offer.text else ""
        text = f"no Service for {', '.join(report.missing)}{says}"
    state = State.BROKEN if report.missing else State.OK
    return Hop(
        "Listener", report.site, Reading(state, text), hints.kubectl(report.site, "describe listeners.skupper.io")
    )


def _mancenter_hop(report: SiteReport) -> Hop:
    reading = report.mancenter or Reading(State.ABSENT, "not there")
    next_step = hints.kubectl(report.site, f"describe pods -l app={MANCENTER}")
    if reading.ok:
        reading = mancenter.reading(report.sees)
        blind = report.sees is not None and report.sees.blind
        logs = hints.kubectl(report.site, f"logs deployment/{MANCENTER}")
        next_step = f"{hints.hzlink('up')}   (restarts it; look: {logs})" if blind else logs
    return Hop("Management Center", report.site, reading, next_step)


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


def to_dict(report: Report) -> dict[str, Any]:
    """The report as the document that `-o json` and `-o yaml` print."""
    return {
        "topology": report.topology.name,
        "mode": str(report.mode),
        "healthy": report.healthy,
        "sites": [_site_dict(report, site) for site in report.sites],
        "links": [
            {
                "client": link.client.name,
                "cluster": report.topology.cluster.name,
                "name": link.name,
                "issuer": link.issuer.name if link.issuer else None,
                "state": str(link.reading.state),
                "message": link.reading.text,
            }
            for link in report.links
        ],
        "members": [
            {"name": member.name, "ready": member.ready, "message": member.trouble} for member in report.members
        ],
        "warnings": list(report.warnings),
        "firstBrokenHop": _hop_dict(report.blame) if report.blame else None,
    }


def _site_dict(report: Report, site: SiteReport) -> dict[str, Any]:
    offer = "connector" if site.site.role is Role.CLUSTER else "listener"
    document: dict[str, Any] = {
        "name": site.site.name,
        "role": str(site.site.role),
        "context": site.site.context,
        "namespace": site.site.namespace,
        "state": str(site.refusal or ("unknown" if site.error else "read")),
        "skupper": {
            "state": str(site.skupper.state),
            "message": site.skupper.text,
            "version": site.version,
            "address": site.host or None,
        },
        offer: {"state": str(site.offer.state), "message": site.offer.text},
    }
    if site.names is not None:
        document["names"] = list(site.names)
    if site.mancenter is not None:
        document["managementCenter"] = {
            "state": str(site.mancenter.state),
            "message": site.mancenter.text,
            "address": site.mancenter_address or None,
            "forward": site.mancenter_command or None,
            "sees": site.sees.to_dict() if site.sees else None,
        }
    return document


def _hop_dict(hop: Hop) -> dict[str, Any]:
    return {
        "hop": hop.name,
        "site": hop.site.name,
        "state": str(hop.reading.state),
        "message": hop.reading.text,
        "next": hop.next_step or None,
    }
