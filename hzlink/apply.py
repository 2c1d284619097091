"""Runs a plan: the sites side by side, each step as soon as those it needs are done.

A step that fails stops those that need it; the others go on, so that one client site's trouble is not another's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from hzlink import hints, linking, mancenter, manifests, objects, plan, readings
from hzlink.drift import drift
from hzlink.errors import HzlinkError, PrerequisiteError, WaitTimeout
from hzlink.events import Emit, Event, Mark
from hzlink.kubectl import Kubectl
from hzlink.objects import RESOURCES
from hzlink.observe import ALL_KINDS, Snapshots, observe_all
from hzlink.plan import Action, Step
from hzlink.readings import Reading, State
from hzlink.topology import MANCENTER, WORKLOAD, LinkFrom, Mode, Role, Site, Topology, labels
from hzlink.waiting import Objects, Wait

SITES = RESOURCES["Site"]


@dataclass
class Run:
    """What the steps of one run share. `began` and `until` are time.monotonic's seconds."""

    topology: Topology
    snapshots: Snapshots
    emit: Emit
    until: float
    began: float = field(default_factory=time.monotonic)
    unaddressed: set[Site] = field(default_factory=set)
    errors: list[HzlinkError] = field(default_factory=list)
    turning: asyncio.Lock = field(default_factory=asyncio.Lock)

    def kubectl(self, site: Site) -> Kubectl:
        """kubectl for the site."""
        return Kubectl(site)

    def wait(self, kubectl: Kubectl, text: str) -> Wait:
        """A wait at a site that ends with the run's time."""
        return Wait(kubectl, text, began=time.monotonic(), until=self.until, emit=self.emit)

    def tell(self, mark: Mark, site: Site, text: str, key: str = "") -> None:
        """Emits an event of a site's lane."""
        self.emit(Event(mark, text, site.name, key, elapsed=time.monotonic() - self.began))


async def run_steps(run: Run, steps: Sequence[Step]) -> None:
    """Runs the steps; what failed is in `run.errors` afterwards."""
    tasks: dict[str, asyncio.Task[bool]] = {}

    async def carry_out(step: Step) -> bool:
        needed = [tasks[need] for need in sorted(step.needs) if need in tasks]
        if not all(await asyncio.gather(*needed)):
            return False
        try:
            text = await _ACTIONS[step.action](run, step)
        except HzlinkError as error:
            error.site = error.site or step.site.name
            run.errors.append(error)
            run.tell(Mark.FAIL, step.site, error.message, step.key)
            return False
        run.tell(Mark.OK, step.site, text, step.key)
        return True

    async with asyncio.TaskGroup() as group:
        for step in steps:
            tasks[step.key] = group.create_task(carry_out(step))


async def _create_namespace(run: Run, step: Step) -> str:
    name = step.site.namespace
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels(run.topology.name)}}
    await run.kubectl(step.site).create(body)
    return f"namespace {name} created"


async def _apply(run: Run, step: Step) -> str:
    await run.kubectl(step.site).apply(step.items)
    return f"{_count(len(step.items), 'object')} applied"


async def _prune(run: Run, step: Step) -> str:
    await run.kubectl(step.site).delete(step.refs)
    return f"{_count(len(step.refs), 'object')} no longer wanted: {step.why}"


async def _site_ready(run: Run, step: Step) -> str:
    """Waits for the Skupper Site. One that lacks only an address is given up after a while where it may be."""
    kubectl = run.kubectl(step.site)
    name = plan.skupper_name(step.site, run.snapshots)
    auto = run.topology.settings.link_from is LinkFrom.AUTO and step.site.role is Role.CLUSTER
    if auto:
        await run.wait(kubectl, "Site running").watch(SITES, _site_runs(name), name=name)
    wait = run.wait(kubectl, "Site ready")
    if auto:
        wait.until = min(run.until, time.monotonic() + run.topology.settings.address_timeout)
    try:
        sites = await wait.watch(SITES, _site_is_ready(name), name=name)
    except WaitTimeout as error:
        if not wait.reason.startswith(NO_ADDRESS):
            error.subject = f"Site {name}"
            raise
        if not auto:
            raise _no_address(step.site, error) from None
        run.unaddressed.add(step.site)
        waited = f"after {run.topology.settings.address_timeout:g} s"
        return f"Site runs, but its load balancer has no address {waited}: a client site will issue instead"
    host = readings.address(sites[name])
    return f"Site Ready, reachable at {host}" if host else "Site Ready"


NO_ADDRESS = "no address yet"


def _site_runs(name: str) -> Callable[[Objects], Reading]:
    def look(sites: Objects) -> Reading:
        site = sites.get(name)
        reading = readings.skupper(site)
        return Reading(State.OK) if reading.ok or readings.needs_address(site) else reading

    return look


def _site_is_ready(name: str) -> Callable[[Objects], Reading]:
    def look(sites: Objects) -> Reading:
        site = sites.get(name)
        if readings.needs_address(site):
            return Reading(State.WAITING, f"{NO_ADDRESS} for Service skupper-router (LoadBalancer)")
        return readings.skupper(site)

    return look


def _no_address(site: Site, error: WaitTimeout) -> WaitTimeout:
    error.message = f"{site.name} got no address for links"
    error.subject = "Service skupper-router"
    other = "client" if site.role is Role.CLUSTER else "cluster"
    error.next_step = f"hzlink up --link-from {other}   (or give {site.context} a load balancer)"
    return error


async def _members_ready(run: Run, step: Step) -> str:
    wanted = run.topology.settings.members
    kubectl = run.kubectl(step.site)

    def look(found: Objects) -> Reading:
        workload = found.get(WORKLOAD)
        reading = readings.rollout(workload)
        if workload is not None and readings.wanted_replicas(workload) != wanted:
            return Reading(
                State.WAITING, f"StatefulSet wants {readings.wanted_replicas(workload)}, not {wanted} members"
            )
        return reading

    wait = run.wait(kubectl, f"members {wanted}/{wanted}")
    try:
        await wait.watch(RESOURCES["StatefulSet"], look, name=WORKLOAD)
    except WaitTimeout as error:
        error.subject = f"StatefulSet {WORKLOAD}"
        error.said = await _pods_trouble(kubectl, WORKLOAD) or error.said
        error.next_step = hints.kubectl(step.site, f"describe pods -l {readings.MEMBER_SELECTOR}")
        raise
    return f"members {wanted}/{wanted}"


async def _pods_trouble(kubectl: Kubectl, app: str) -> str:
    """Why an app's pods are not ready, for an error; empty where that cannot be read."""
    try:
        pods = await kubectl.objects([RESOURCES["Pod"]], f"app={app}")
    except HzlinkError:
        return ""
    return "; ".join(trouble.text for trouble in map(readings.pod_trouble, pods) if trouble.text)


async def _link(run: Run, step: Step) -> str:
    """Links a client site, by whichever side issues; mends a link that leads nowhere."""
    topology, client = run.topology, step.site
    issuer = plan.issuers(topology, run.snapshots)[client]
    if issuer in run.unaddressed:
        issuer = await _turn(run, client)
    _refuse_without_link_access(run, issuer)
    redeemer = client if issuer is topology.cluster else topology.cluster
    job = linking.Linking(
        topology.name,
        run.kubectl(issuer),
        run.kubectl(redeemer),
        plan.link_name(topology, plan.skupper_name(issuer, run.snapshots)),
        topology.settings.via,
        run.wait,
    )
    present = plan.link_between(run.snapshots, redeemer, issuer)
    if present is not None and not readings.link_is_stale(present, run.snapshots[issuer].skupper_site):
        if await _recovers(run, job, objects.name(present)):
            return f"link to {topology.cluster.name} is ready again"
        run.tell(Mark.NOTE, client, "its link does not come up: making it anew", step.key)
    if present is not None:
        await linking.unlink(job.redeemer, present)
    await _ready_to_redeem(run, redeemer)
    await linking.make(job)
    why = "it was told to" if topology.settings.link_from is not LinkFrom.AUTO else "it has an address"
    way = linking.choose(topology.settings.via)
    return f"linked to {topology.cluster.name} ({issuer.name} issued: {why}; 1 use, 1 min; via {way})"


def _refuse_without_link_access(run: Run, issuer: Site) -> None:
    """A Site that is not hzlink's own is left as it is: whether others may link to it is for its owner to say."""
    site = run.snapshots[issuer].skupper_site
    if site is None or objects.is_ours(site, run.topology.name) or readings.address(site):
        return
    raise PrerequisiteError(
        f"{issuer.name} cannot issue a token: others cannot link to its Skupper Site",
        site=issuer.name,
        subject=f"Site {objects.name(site)}",
        said=f"linkAccess {objects.spec(site).get('linkAccess') or 'none'}, no address",
        next_step=hints.kubectl(
            issuer,
            f'patch sites.skupper.io {objects.name(site)} --type merge -p \'{{"spec":{{"linkAccess":"default"}}}}\'',
        ),
    )


# Seconds that a Link which is there gets to come up by itself: redeem to everything took up to 28 on real Skupper.
MENDING = 45.0


async def _recovers(run: Run, job: linking.Linking, name: str) -> bool:
    wait = run.wait(job.redeemer, f"link {name}")
    patience = min(run.until, time.monotonic() + MENDING)
    found = linking.Linking(job.topology_name, job.issuer, job.redeemer, name, job.via, lambda *_: wait)
    wait.until = patience
    try:
        await linking.wake(found)
    except WaitTimeout:
        if time.monotonic() >= run.until:
            raise
        return False
    return True


async def _ready_to_redeem(run: Run, site: Site) -> None:
    """`skupper token redeem` refuses at a Site that is not Ready."""
    name = plan.skupper_name(site, run.snapshots)
    await run.wait(run.kubectl(site), "Site ready").watch(SITES, _site_is_ready(name), name=name)


async def _turn(run: Run, client: Site) -> Site:
    """Gives link access to the client's side instead, and waits for its address. Returns the new issuer.

    Raises:
        PrerequisiteError: that side gets no address either.
    """
    topology = run.topology
    async with run.turning:
        for site, issues in ((topology.cluster, False), (client, True)):
            name = plan.skupper_name(site, run.snapshots)
            wanted = await manifests.render(topology, site, name, issues)
            [skupper_site] = [item for item in wanted if item["kind"] == "Site"]
            live = (await observe_all([site], ("Site",)))[site].skupper_site
            if drift(skupper_site, live):
                await run.kubectl(site).apply([skupper_site])
                run.tell(
                    Mark.NOTE, site, f"link access {'on: this side issues' if issues else 'off'}", f"{site.name}/turn"
                )
    name = plan.skupper_name(client, run.snapshots)
    wait = run.wait(run.kubectl(client), "Site reachable")
    wait.until = min(run.until, time.monotonic() + topology.settings.address_timeout)
    try:
        await wait.watch(SITES, _site_is_ready(name), name=name)
    except WaitTimeout as error:
        raise PrerequisiteError(
            "no side can be linked to: neither site's load balancer gives it an address",
            site=client.name,
            subject="Service skupper-router",
            said=error.said,
            waited=error.waited,
            next_step=hints.kubectl(topology.cluster, "describe service skupper-router"),
        ) from None
    return client


async def _names_there(run: Run, step: Step) -> str:
    if run.topology.settings.mode is Mode.UNISOCKET:
        return await _service_leads(run, step)
    names = run.topology.member_names

    def look(services: Objects) -> Reading:
        missing = readings.missing_names(services.values(), names)
        return Reading(State.WAITING, f"no Service yet: {', '.join(missing)}") if missing else Reading(State.OK)

    wait = run.wait(run.kubectl(step.site), f"names {names[0]}..{len(names) - 1}")
    await wait.watch(RESOURCES["Service"], look)
    return f"members' names there: {', '.join(names)}"


async def _service_leads(run: Run, step: Step) -> str:
    """Listener and Connector: whichever end says first that they have found each other, as either may lag."""
    ends = ((step.site, "Listener"), (run.topology.cluster, "Connector"))

    def look(found: Objects) -> Reading:
        return readings.matched(found.get(WORKLOAD))

    waits = [
        asyncio.create_task(
            run.wait(run.kubectl(site), f"Service {WORKLOAD} leads to the members").watch(
                RESOURCES[kind], look, name=WORKLOAD
            )
        )
        for site, kind in ends
    ]
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        done.pop().result()
    finally:
        for waiting in waits:
            waiting.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    return f"Service {WORKLOAD} leads to the members (unisocket)"


async def _mancenter_ready(run: Run, step: Step) -> str:
    """Waits for Management Center, and restarts it only where it started too early and sees nobody."""
    kubectl = run.kubectl(step.site)
    restarted = ""
    found = (await observe_all([step.site], ALL_KINDS))[step.site]
    if readings.mancenter_came_first(found.of("Pod"), found.of("Service"), run.topology.member_names):
        started = readings.mancenter_started(found.of("Pod"))
        if not await _sees_members(run, started.isoformat() if started else None):
            await kubectl.restart(objects.Ref(RESOURCES["Deployment"], MANCENTER))
            restarted = ", restarted: it had started before the members' names were there and sees none of them"

    def look(deployments: Objects) -> Reading:
        return readings.rollout(deployments.get(MANCENTER))

    wait = run.wait(kubectl, "Management Center")
    try:
        await wait.watch(RESOURCES["Deployment"], look, name=MANCENTER)
    except WaitTimeout as error:
        error.subject = f"Deployment {MANCENTER}"
        error.said = await _pods_trouble(kubectl, MANCENTER) or error.said
        error.next_step = hints.kubectl(step.site, f"describe pods -l app={MANCENTER}")
        raise
    return f"Management Center Ready{restarted}"


async def _sees_members(run: Run, since: str | None) -> bool:
    """Whether, by the members' own logs, as many Management Centers are connected as there are client sites.

    The logs do not tell one site's from another's.
    """
    try:
        log = await run.kubectl(run.topology.cluster).logs(readings.MEMBER_SELECTOR, since=since)
    except HzlinkError:
        return False
    return len(mancenter.connected(log)) >= len(run.topology.clients)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


_ACTIONS: dict[Action, Callable[[Run, Step], Awaitable[str]]] = {
    Action.NAMESPACE: _create_namespace,
    Action.APPLY: _apply,
    Action.PRUNE: _prune,
    Action.SITE: _site_ready,
    Action.MEMBERS: _members_ready,
    Action.LINK: _link,
    Action.NAMES: _names_there,
    Action.MANCENTER: _mancenter_ready,
}
