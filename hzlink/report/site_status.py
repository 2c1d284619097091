"""Evaluates the members, links and sites of a topology from snapshots. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hzlink.model import conditions, mancenter_choice, objects
from hzlink.model import members as member_pods
from hzlink.model.choices import Mode, Role
from hzlink.model.conditions import Condition, State
from hzlink.model.errors import ExitStatus
from hzlink.model.objects import Object
from hzlink.model.topology import Site, Topology
from hzlink.observe import links, mancenter, membership, ways
from hzlink.observe.mancenter import MancenterView
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.observe.ways import Way
from hzlink.plan import sharing
from hzlink.programs import hints
from hzlink.programs.refusals import Refusal
from hzlink.report import app_status
from hzlink.report.app_status import AppReport

# Management Center's port, and the first local port that is proposed for forwarding.
MANCENTER_PORT = 8080


@dataclass(frozen=True)
class Member:
    """One member, by its pod's name: whether its pod is ready, and why not."""

    name: str
    ready: bool
    problem: str = ""


@dataclass(frozen=True)
class LinkReport:
    """The link of a client site, by objects of both sites. `holder`: the site that has the Link object.

    `since`: when its condition last changed. `routers`: the single Links by name, if there is one for each router.
    `way`: its Links over other Sites, if it is not linked directly.
    """

    client: Site
    condition: Condition
    name: str = ""
    issuer: Site | None = None
    holder: Site | None = None
    since: datetime | None = None
    routers: tuple[tuple[str, Condition], ...] = ()
    way: Way | None = None

    @property
    def title(self) -> str:
        """The names of all its Links."""
        return ", ".join(name for name, _ in self.routers) or self.name


@dataclass(frozen=True)
class SiteReport:
    """The state of a site. `matched`: its Listener or Connector; always OK at a hub, which has neither.

    `error`: why the site could not be read; `status`: the exit code for that.
    `names`: the members that clients at this site can reach by name, None in unisocket mode; `missing`: the others.
    `mancenter_left_out`: by choice the site has no Management Center (`--no-mancenter`).
    `mancenter_view`: the members that its Management Center is connected to, if that is known.
    `apps`: its application namespaces.
    `skupper_name`: the name of its Skupper Site, empty if it has none; `foreign`: hzlink did not make the Skupper Site.
    """

    site: Site
    skupper: Condition
    matched: Condition
    skupper_name: str = ""
    foreign: bool = False
    version: str = ""
    host: str = ""
    refusal: Refusal | None = None
    error: str = ""
    status: ExitStatus = ExitStatus.DONE
    names: tuple[str, ...] | None = None
    missing: tuple[str, ...] = ()
    mancenter: Condition | None = None
    mancenter_left_out: bool = False
    mancenter_address: str = ""
    mancenter_command: str = ""
    mancenter_port: int = MANCENTER_PORT
    mancenter_unexposed: bool = False
    mancenter_view: MancenterView | None = None
    apps: tuple[AppReport, ...] = ()


def mode_of(topology: Topology, snapshots: Snapshots) -> Mode:
    """The mode by the Connector; by the settings if there is no Connector."""
    connector = snapshots[topology.cluster].get("Connector", topology.service)
    if connector is None:
        return topology.settings.mode
    return Mode.SMART if objects.spec(connector).get("exposePodsByName") else Mode.UNISOCKET


def members_of(topology: Topology, snapshot: Snapshot, wanted: int) -> tuple[Member, ...]:
    """The wanted members, and any other members; none if the site cannot be read."""
    if snapshot.error is not None:
        return ()
    pods = {objects.name(pod): pod for pod in member_pods.pods_of(topology, snapshot.of("Pod"))}
    names = topology.first_members(wanted)
    workload = snapshot.get(topology.workload_kind, topology.workload)
    why = conditions.not_created(workload) if workload is not None else ""
    refused = membership.refusals(snapshot.member_log or "")
    # A pod of a Deployment that is being deleted has a successor with another name.
    more = [name for name in pods if topology.found is None or not objects.is_being_deleted(pods[name])]
    listed = [*names, *sorted(set(more) - set(names))]
    return tuple(_member(name, pods.get(name), why, refused.get(name, "")) for name in listed)


def _member(name: str, pod: Object | None, not_created: str, refused: str) -> Member:
    if pod is None:
        return Member(name, False, f"no pod: {not_created}" if not_created else "no pod")
    ready = conditions.is_ready(pod)
    problem = conditions.pod_trouble(pod).text.removeprefix(f"pod {name}: ") or "starting"
    why = f"{problem}; the other members refuse it: {refused}" if refused else problem
    return Member(name, ready, "" if ready else why)


def link_of(topology: Topology, snapshots: Snapshots, client: Site) -> LinkReport:
    """The link between a client site and the cluster site, whichever side holds it."""
    for site in (topology.cluster, client, topology.target):
        if snapshots[site].error is not None:
            return LinkReport(client, Condition(State.UNKNOWN, f"{site.name} cannot be read"))
    if snapshots[topology.target].skupper_site is None and topology.hub:
        return LinkReport(client, Condition(State.ABSENT, f"{topology.hub.name} has no Skupper Site"))
    found = [
        _link_report(client, present, snapshots[issuer], redeemer)
        for redeemer, issuer in ((client, topology.cluster), (topology.cluster, client))
        if (present := links.all_between(snapshots, redeemer, issuer))
    ]
    if not any(link.condition.ok for link in found) and (way := ways.find(snapshots, client, topology.cluster)):
        over = LinkReport(client, way.condition, way=way)
        # Routers use the way over other Sites if a direct Link is down.
        found = [over] if way.condition.ok or not found else found
    # One direction is enough. After a change of --link-from, the former Link may still exist.
    if found:
        return max(found, key=lambda link: link.condition.ok)
    return LinkReport(client, Condition(State.ABSENT, _not_linked(topology, snapshots, client)))


def _not_linked(topology: Topology, snapshots: Snapshots, client: Site) -> str:
    """That there is no way to the cluster site; with a hub, the sites that have no Link to it."""
    hub = topology.hub
    ends = (client, topology.cluster) if hub else ()
    apart = [site.name for site in ends if hub and not links.between(snapshots, redeemer=site, issuer=hub)]
    if hub and apart:
        return f"{' and '.join(apart)} not linked to {hub.name}"
    return ways.not_linked(snapshots, client, topology.cluster)


def _link_report(client: Site, found: Sequence[Object], issuer: Snapshot, holder: Site) -> LinkReport:
    """The link of these Links. It is up if one of them is up."""
    best = max(found, key=lambda link: conditions.skupper(link).ok)
    condition = conditions.skupper(best)
    if not condition.ok and links.are_outdated(found, issuer.skupper_site):
        former, now = links.former_and_present(found, issuer.skupper_site)
        text = f"{condition.text}: it leads to {former}, but the Site of {issuer.site.name} is now at {now}"
        condition = Condition(State.BROKEN, text)
    routers = tuple((objects.name(link), conditions.skupper(link)) for link in found) if len(found) > 1 else ()
    return LinkReport(client, condition, objects.name(best), issuer.site, holder, conditions.since(best), routers)


def site_of(
    topology: Topology, site: Site, snapshot: Snapshot, mode: Mode, members: Sequence[str], port: int
) -> SiteReport:
    """The state of a site. `members`: the wanted names. `port`: the local port to propose for forwarding."""
    found = snapshot.skupper_site
    kinds = {Role.CLUSTER: "Connector", Role.CLIENT: "Listener"}
    if snapshot.error is not None:
        unknown = Condition(State.UNKNOWN, snapshot.error.message)
        error = snapshot.error
        left_out = site.role is Role.CLIENT and mancenter_choice.is_left_out(topology, None)
        return SiteReport(
            *(site, unknown, unknown),
            refusal=snapshot.refusal,
            error=error.message,
            status=error.status,
            mancenter_left_out=left_out,
        )
    report: dict[str, Any] = {
        "skupper": _skupper(found),
        "matched": conditions.matched(snapshot.get(kinds[site.role], topology.service))
        if site.role in kinds
        else Condition(State.OK),
        "skupper_name": objects.name(found or {}),
        "foreign": found is not None and not sharing.is_made_by_hzlink(found),
        "version": str((objects.status(found or {}).get("controller") or {}).get("version") or ""),
        "host": conditions.address(found) or "",
    }
    if site.role is Role.CLIENT and mode is Mode.SMART:
        missing = conditions.missing_names(snapshot.of("Service"), members)
        report["names"] = tuple(name for name in members if name not in missing)
        report["missing"] = tuple(missing)
        report |= _mancenter_report(topology, site, snapshot, port)
    return SiteReport(site, **report)


def _mancenter_report(topology: Topology, site: Site, snapshot: Snapshot, port: int) -> dict[str, Any]:
    """The fields of a SiteReport about Management Center."""
    report: dict[str, Any] = {}
    if mancenter_choice.is_left_out(topology, snapshot.get("Listener", topology.service)):
        report["mancenter_left_out"] = True
    else:
        pods = member_pods.mancenter_pods(topology, snapshot.of("Pod"))
        report["mancenter"] = _mancenter(snapshot.get("Deployment", topology.mancenter), pods)
        service = snapshot.get("Service", topology.mancenter)
        report["mancenter_address"] = _web_address(service)
        if service is not None and not report["mancenter_address"]:
            report["mancenter_port"] = port
            report["mancenter_command"] = hints.kubectl(
                site, f"port-forward service/{topology.mancenter} {port}:{MANCENTER_PORT}"
            )
            report["mancenter_unexposed"] = objects.spec(service).get("type") == "LoadBalancer"
    return report


def _skupper(found: Object | None) -> Condition:
    if conditions.needs_address(found):
        return Condition(State.WAITING, "no address for links yet")
    return conditions.skupper(found)


def _mancenter(deployment: Object | None, pods: list[Object]) -> Condition:
    condition = conditions.rollout(deployment, pods)
    waits = any(
        (container.get("state") or {}).get("running")
        for pod in pods
        for container in objects.status(pod).get("initContainerStatuses") or []
    )
    return Condition(State.WAITING, "waiting for the members' names") if waits and not condition.ok else condition


def with_mancenter_views(
    topology: Topology, snapshots: Snapshots, sites: tuple[SiteReport, ...], members: tuple[Member, ...]
) -> tuple[SiteReport, ...]:
    """Adds to each ready Management Center the ready members that it is connected to."""
    ready = [member.name for member in members if member.ready]
    centers = sum(site.site.role is Role.CLIENT and not site.mancenter_left_out for site in sites)
    seen = mancenter.view(snapshots[topology.cluster].member_log, ready, centers)
    return tuple(
        replace(site, mancenter_view=seen) if site.mancenter is not None and site.mancenter.ok else site
        for site in sites
    )


def with_apps(
    topology: Topology, snapshots: Snapshots, sites: tuple[SiteReport, ...], mode: Mode, members: Sequence[str]
) -> tuple[SiteReport, ...]:
    """Adds the application namespaces. `members`: the wanted names."""
    cluster = snapshots[topology.cluster]
    return tuple(
        replace(one, apps=app_status.of(topology, one.site, snapshots[one.site], cluster, mode, members))
        if snapshots[one.site].apps
        else one
        for one in sites
    )


def _web_address(service: Object | None) -> str:
    """The URL from outside the cluster; empty if the Service has none that hzlink can know."""
    spec = objects.spec(service or {})
    ports = spec.get("ports") or [{}]
    if spec.get("type") == "LoadBalancer":
        host = conditions.balancer_address(service or {})
        return f"http://{host}:{ports[0].get('port')}" if host else ""
    if spec.get("type") == "NodePort" and ports[0].get("nodePort"):
        return f"http://<node>:{ports[0]['nodePort']}"
    return ""
