"""The link of a client site: created, repaired, or issued by the other side if only that has an address."""

from __future__ import annotations

import time
from dataclasses import replace

from hzlink.apply.steps.context import Run
from hzlink.apply.steps.site import NO_ADDRESS, SITES, is_reachable, is_ready
from hzlink.linking import failures, static_link, token_flow
from hzlink.model import conditions, objects
from hzlink.model.choices import LinkAccess, LinkFrom
from hzlink.model.errors import HzlinkError, PrerequisiteError, WaitTimeout
from hzlink.model.events import Mark
from hzlink.model.objects import Object
from hzlink.model.topology import Site, Topology
from hzlink.observe import links
from hzlink.observe.snapshot import Snapshot, Snapshots, observe_all
from hzlink.plan import foreign, manifests, planner
from hzlink.plan.drift import drift
from hzlink.plan.planner import Step
from hzlink.programs import hints


async def link(run: Run, step: Step) -> str:
    """Links a client site; the issuing side is given by the plan. Repairs a link that does not work."""
    topology, client = run.topology, step.site
    issuer = planner.issuers(topology, run.snapshots)[client]
    turned = issuer in run.unaddressed
    if turned:
        issuer = await _turn(run, client)
    redeemer = client if issuer is topology.cluster else topology.cluster
    inside = topology.settings.link_access is LinkAccess.LOCAL
    untouched = not (turned or inside) and all(_is_untouched(run.snapshots[site]) for site in (issuer, redeemer))
    # What was seen before the Sites were applied may be another's by now.
    now = run.snapshots if untouched else await _look(issuer, redeemer)
    if not foreign.can_issue(topology, now[issuer]):
        raise foreign.without_link_access(topology, now[issuer])
    name = planner.link_name(topology, planner.skupper_name(issuer, now))
    job = token_flow.Linking(
        topology.name, run.kubectl(issuer), run.kubectl(redeemer), name, topology.settings.via, run.wait
    )
    present = links.between(now, redeemer, issuer)
    if present is not None and not conditions.link_is_stale(present, now[issuer].skupper_site):
        if await _recovers(run, job, objects.name(present), ours=_is_removable(topology, now[redeemer], present)):
            return f"link to {topology.cluster.name} is ready again"
        run.tell(Mark.NOTE, client, "its link does not become ready: creating it again", step.key)
    _refuse_name_of_others(topology, now[redeemer], name)
    # A Link of that name to a deleted Site would block the new one.
    for useless in (present, now[redeemer].get("Link", name)):
        if useless is not None and _is_removable(topology, now[redeemer], useless):
            await token_flow.unlink(job.redeemer, useless)
    if not untouched:
        await _ready_to_redeem(run, redeemer)
        await token_flow.remove_leftovers(job)
    way = await _make(run, job, now)
    # One of hzlink's that leads the other way, from before the sides were changed over, has nothing to lead to.
    former = links.between(now, issuer, redeemer)
    if former is not None and objects.is_ours(former, topology.name):
        await token_flow.unlink(job.issuer, former)
    return f"linked to {topology.cluster.name} ({way})"


async def _make(run: Run, job: token_flow.Linking, now: Snapshots) -> str:
    """Makes the Link; says how."""
    issuer, redeemer = job.issuer.site, job.redeemer.site
    if not static_link.is_fitting(now[issuer].skupper_site):
        await token_flow.make(job)
        why = "it was told to" if run.topology.settings.link_from is not LinkFrom.AUTO else "it has an address"
        return f"{issuer.name} issued: {why}; 1 use, 1 min; via {token_flow.choose(job.via)}"
    name = planner.skupper_name(issuer, now)
    sites = await run.wait(job.issuer, "Site reachable").watch(SITES, is_reachable(name), name=name)
    redeeming = (await _look(redeemer))[redeemer].skupper_site
    await static_link.make(job, sites[name], redeeming or {})
    return f"inside the cluster, to {conditions.address(sites[name])}; {issuer.name} gave the certificate"


def _is_untouched(snapshot: Snapshot) -> bool:
    """Whether the site had no Skupper objects when this run began: then there is no link to repair and no leftover.

    The Site was waited for then, as it is this run's own.
    """
    kinds = ("Site", "Link", "AccessToken", "AccessGrant", "RouterAccess", "Certificate")
    return not any(snapshot.of(kind) for kind in kinds)


def _is_removable(topology: Topology, snapshot: Snapshot, link: Object) -> bool:
    """Whether a Link is hzlink's, or at least that of a Skupper Site of hzlink's."""
    return objects.is_ours(link, topology.name) or not foreign.is_foreign(topology, snapshot.skupper_site)


def _refuse_name_of_others(topology: Topology, snapshot: Snapshot, name: str) -> None:
    """hzlink's Link and its Secret must not replace those of others."""
    for link in snapshot.of("Link"):
        named = name in (objects.name(link), objects.spec(link).get("tlsCredentials"))
        if named and not _is_removable(topology, snapshot, link):
            raise HzlinkError(
                failures.NAME_TAKEN,
                site=snapshot.site.name,
                subject=f"Link {objects.name(link)}",
                said=conditions.skupper(link).text or None,
                next_step=failures.RENAME,
            )


async def _look(*sites: Site) -> Snapshots:
    snapshots = await observe_all(sites, ("Site", "Link"))
    for snapshot in snapshots.values():
        if snapshot.error is not None:
            raise snapshot.error
    return snapshots


# Seconds that a Link which is there gets to come up by itself: redeem to everything took up to 28 on real Skupper.
MENDING = 45.0


async def _recovers(run: Run, job: token_flow.Linking, name: str, *, ours: bool) -> bool:
    """Whether a Link becomes ready in time. One of others is only watched: a mark would make it hzlink's."""
    wait = run.wait(job.redeemer, f"link {name}")
    wait.until = min(run.until, time.monotonic() + MENDING)
    try:
        waking = token_flow.wake if ours else token_flow.wait_ready
        await waking(replace(job, name=name, wait=lambda *_: wait))
    except WaitTimeout:
        if time.monotonic() >= run.until:
            raise
        return False
    return True


async def _ready_to_redeem(run: Run, site: Site) -> None:
    """`skupper token redeem` refuses at a Site that is not Ready."""
    name = planner.skupper_name(site, run.snapshots)
    await run.wait(run.kubectl(site), "Site ready").watch(SITES, is_ready(name), name=name)


async def _turn(run: Run, client: Site) -> Site:
    """Gives link access to the client's side instead, and waits for its address. Returns the new issuer.

    Raises:
        PrerequisiteError: that side gets no address either.
    """
    topology = run.topology
    async with run.turning:
        for site, issues in ((topology.cluster, False), (client, True)):
            snapshot = (await _look(site))[site]
            if foreign.is_foreign(topology, snapshot.skupper_site):
                if issues and not foreign.can_issue(topology, snapshot):
                    raise foreign.without_link_access(topology, snapshot)
                continue
            name = planner.skupper_name(site, run.snapshots)
            wanted = await manifests.render(topology, site, name, issues)
            [skupper_site] = [item for item in wanted if item["kind"] == "Site"]
            if drift(skupper_site, snapshot.skupper_site):
                await run.kubectl(site).apply([skupper_site])
                run.tell(
                    Mark.NOTE, site, f"link access {'on: this side issues' if issues else 'off'}", f"{site.name}/turn"
                )
    name = planner.skupper_name(client, run.snapshots)
    wait = run.wait(run.kubectl(client), "Site reachable")
    wait.until = min(run.until, time.monotonic() + topology.settings.address_timeout)
    try:
        await wait.watch(SITES, is_reachable(name), name=name)
    except WaitTimeout as error:
        if not (error.said or "").startswith(NO_ADDRESS):
            raise
        raise PrerequisiteError(
            "no side can be linked to: neither site's load balancer gives it an address",
            site=client.name,
            subject="Service skupper-router",
            said=error.said,
            waited=error.waited,
            next_step=hints.kubectl(topology.cluster, "describe service skupper-router"),
        ) from None
    return client
