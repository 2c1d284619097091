"""The link of a client site: created, repaired, or issued by the other side if only that has an address."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from hzlink.apply.steps import address_race
from hzlink.apply.steps.context import Run
from hzlink.apply.steps.site import SITES, is_ready
from hzlink.linking import token_flow
from hzlink.model import conditions, objects
from hzlink.model.choices import LinkFrom
from hzlink.model.errors import PrerequisiteError, WaitTimeout
from hzlink.model.events import Mark
from hzlink.model.objects import Object
from hzlink.model.topology import Site, Topology
from hzlink.observe import links
from hzlink.observe.snapshot import Snapshot, Snapshots, observe_all
from hzlink.plan import planner
from hzlink.plan.planner import Step
from hzlink.programs import hints


async def link(run: Run, step: Step) -> str:
    """Links a client site; the issuing side is given by the plan. Repairs a link that does not work."""
    topology, client = run.topology, step.site
    issuer = planner.issuers(topology, run.snapshots)[client]
    turned = issuer in run.unaddressed
    if turned and await address_race.client_issues(run):
        issuer = client
    redeemer = client if issuer is topology.cluster else topology.cluster
    untouched = not turned and all(_is_untouched(run.snapshots[site]) for site in (issuer, redeemer))
    # What was seen before the Sites were applied may be another's by now.
    now = run.snapshots if untouched else await _observe(issuer, redeemer)
    _refuse_without_link_access(topology, now[issuer])
    name = planner.link_name(topology, planner.skupper_name(issuer, now))
    job = token_flow.Linking(
        topology.name, run.kubectl(issuer), run.kubectl(redeemer), name, topology.settings.via, run.wait
    )
    present = links.all_between(now, redeemer, issuer)
    peer = now[issuer].skupper_site
    if links.have_moved(present, peer):
        gone, there = _hosts(present), conditions.address(peer)
        run.tell(Mark.NOTE, client, f"its link leads to {gone}, {issuer.name} is at {there} now: creating it again")
    elif present and not conditions.link_is_stale(present[0], peer):
        if await _recovers(run, job, links.token_of(present[0])):
            return f"link to {topology.cluster.name} is ready again"
        run.tell(Mark.NOTE, client, "its link does not become ready: creating it again", step.key)
    # A Link of that name to a deleted Site would block the new one.
    useless = {objects.name(link): link for link in (*present, *links.of_token(now[redeemer].of("Link"), name))}
    if useless:
        await token_flow.unlink(job.redeemer, tuple(useless.values()))
    if not untouched:
        await _ready_to_redeem(run, redeemer)
        await token_flow.remove_leftovers(job)
    await token_flow.make(job)
    # One of hzlink's that leads the other way, from before the sides were changed over, has nothing to lead to.
    former = [link for link in links.all_between(now, issuer, redeemer) if objects.is_ours(link, topology.name)]
    if former:
        await token_flow.unlink(job.issuer, former)
    why = "it was told to" if topology.settings.link_from is not LinkFrom.AUTO else "it has an address"
    way = token_flow.choose(topology.settings.via)
    return f"linked to {topology.cluster.name} ({issuer.name} issued: {why}; 1 use, 1 min; via {way})"


def _hosts(found: Sequence[Object]) -> str:
    return ", ".join(host for link in found for host in conditions.link_hosts(link).values())


def _is_untouched(snapshot: Snapshot) -> bool:
    """Whether the site had no Skupper objects when this run began: then there is no link to repair and no leftover.

    The Site was waited for then, as it is this run's own.
    """
    kinds = ("Site", "Link", "AccessToken", "AccessGrant", "RouterAccess", "Certificate")
    return not any(snapshot.of(kind) for kind in kinds)


async def _observe(*sites: Site) -> Snapshots:
    snapshots = await observe_all(sites, ("Site", "Link"))
    for snapshot in snapshots.values():
        if snapshot.error is not None:
            raise snapshot.error
    return snapshots


def _refuse_without_link_access(topology: Topology, issuer: Snapshot) -> None:
    """A Site that is not hzlink's own is left as it is: whether others may link to it is for its owner to say."""
    found = issuer.skupper_site
    if found is None or objects.is_ours(found, topology.name) or conditions.address(found):
        return
    allow = '{"spec":{"linkAccess":"default"}}'
    raise PrerequisiteError(
        f"{issuer.site.name} cannot issue a token: others cannot link to its Skupper Site",
        site=issuer.site.name,
        subject=f"Site {objects.name(found)}",
        said=f"linkAccess {objects.spec(found).get('linkAccess') or 'none'}, no address",
        next_step=hints.kubectl(issuer.site, f"patch sites.skupper.io {objects.name(found)} --type merge -p '{allow}'"),
    )


# Seconds that a Link which is there gets to come up by itself: redeem to everything took up to 28 on real Skupper.
RECOVERY_SECONDS = 45.0


async def _recovers(run: Run, job: token_flow.Linking, name: str) -> bool:
    wait = run.wait(job.redeemer, f"link {name}")
    wait.until = min(run.until, time.monotonic() + RECOVERY_SECONDS)
    try:
        await token_flow.wake(replace(job, name=name, wait=lambda *_: wait))
    except WaitTimeout:
        if time.monotonic() >= run.until:
            raise
        return False
    return True


async def _ready_to_redeem(run: Run, site: Site) -> None:
    """`skupper token redeem` refuses at a Site that is not Ready."""
    name = planner.skupper_name(site, run.snapshots)
    await run.wait(run.kubectl(site), "Site ready").watch(SITES, is_ready(name), name=name)
