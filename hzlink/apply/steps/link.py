"""Makes or repairs the link of a client site. If only the client side has an address, the client site issues."""

from __future__ import annotations

import time
from dataclasses import replace

from hzlink.apply.steps import address_race, repair
from hzlink.apply.steps.context import Run
from hzlink.apply.steps.site import SITES, is_reachable, is_ready
from hzlink.linking import certificates, failures, fallback, static_link, token_flow
from hzlink.linking.certificates import CertificateRefused
from hzlink.model import conditions, objects
from hzlink.model.choices import LinkAccess, LinkFrom, Via
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.events import Mark
from hzlink.model.objects import RESOURCES, Object
from hzlink.model.topology import Site, Topology
from hzlink.observe import links, losses
from hzlink.observe.snapshot import Snapshot, Snapshots, observe_all
from hzlink.plan import foreign, link_host, planner, sharing
from hzlink.plan.planner import Step
from hzlink.programs import hints


async def link(run: Run, step: Step) -> str:
    """Links a site to the target, or repairs its link. The plan decides which side issues."""
    topology, client = run.topology, step.site
    issuer = planner.issuers(topology, run.snapshots)[client]
    client_side = issuer in run.unaddressed
    if client_side and await address_race.client_issues(run):
        issuer = client
    redeemer = topology.redeemer(client, issuer)
    local, host = topology.settings.link_access is LinkAccess.LOCAL, topology.settings.link_host
    by_hzlink = local or host is not None or topology.settings.via is Via.LINK
    fresh = not (client_side or by_hzlink)
    untouched = fresh and all(_is_untouched(run.snapshots[site]) for site in (issuer, redeemer))
    # After the Sites were applied, the run's first observation may be outdated.
    now = run.snapshots if untouched else await _observe(issuer, redeemer)
    if not foreign.can_issue(topology, now[issuer]):
        raise foreign.no_link_access_error(topology, now[issuer])
    name = planner.link_name(topology, planner.skupper_name(issuer, now))
    job = token_flow.Linking(
        topology.name, run.kubectl(issuer), run.kubectl(redeemer), name, topology.settings.via, run.wait
    )
    present = links.all_between(now, redeemer, issuer)
    peer = now[issuer].skupper_site
    ours = all(_is_removable(topology, now[redeemer], one) for one in present)
    if wrong := link_host.mismatch(topology, present):
        run.emit_for(Mark.NOTE, client, f"{wrong}: creating it again")
    elif links.are_outdated(present, peer):
        old, new = links.former_and_present(present, peer)
        run.emit_for(
            Mark.NOTE, client, f"its link leads to {old}, but {issuer.name} is now at {new}: creating it again"
        )
    elif present and await certificates.refused(job.redeemer, present):
        ends = f"the routers of {redeemer.name} and {issuer.name}"
        run.emit_for(Mark.NOTE, client, f"{ends} do not accept each other's certificates: creating the link again")
    elif present and not conditions.link_is_stale(present[0], peer):
        known_as = links.token_of(present[0]) if ours else objects.name(present[0])
        if await _recovers(run, job, known_as, ours=ours):
            return f"link to {topology.target.name} is ready again"
        run.emit_for(Mark.NOTE, client, "its link does not become ready: creating it again", step.key)
    _refuse_name_of_others(topology, now[redeemer], name)
    # A Link of that name to a deleted Site would block the new one.
    found = {objects.name(one): one for one in (*present, *links.of_token(now[redeemer].of("Link"), name))}
    useless = tuple(one for one in found.values() if _is_removable(topology, now[redeemer], one))
    if useless:
        await token_flow.unlink(job.redeemer, useless)
    if not untouched:
        await _ready_to_redeem(run, redeemer)
        await token_flow.remove_leftovers(job)
    try:
        how = await _make(run, job, now)
    except CertificateRefused as error:
        how = await _after_restart(run, job, error)
    # A Link of hzlink in the opposite direction is from before the issuing side changed: it no longer works.
    former = [link for link in links.all_between(now, issuer, redeemer) if sharing.is_made_by_hzlink(link)]
    if former:
        await token_flow.unlink(job.issuer, former)
    return f"linked to {topology.target.name} ({how})"


async def _make(run: Run, job: token_flow.Linking, now: Snapshots) -> str:
    """Makes the Link. Returns a description of how it was made."""
    issuer = job.issuer.site
    why = "as --link-from says" if run.topology.settings.link_from is not LinkFrom.AUTO else "it has an address"

    async def without_token() -> None:
        await _without_token(run, job, now)

    if host := run.topology.settings.link_host:
        try:
            await without_token()
        except WaitTimeout as error:
            error.next_step = link_host.remedy(issuer, host, error.said or "")
            raise
        return f"at {host}, as --link-host says; {issuer.name} issued the certificate"
    if static_link.has_own_access(now[issuer].skupper_site):
        await without_token()
        return f"{issuer.name} issued the certificate; without a token, which would carry the access of a --link-host"
    if static_link.is_local(now[issuer].skupper_site):
        await without_token()
        return f"inside the cluster; {issuer.name} issued the certificate"
    if job.via is Via.LINK:
        await without_token()
        return f"{issuer.name} issued the certificate: {why}; without a token, as --via says"
    if await fallback.make(job, without_token):
        return f"{issuer.name} issued the certificate: {why}; without a token, because no grant server can be reached"
    return f"{issuer.name} issued: {why}; 1 use, 1 min; via {token_flow.choose(job.via)}"


async def _after_restart(run: Run, job: token_flow.Linking, error: CertificateRefused) -> str:
    """Restarts the issuer's router, which still has an outdated certificate: even a new Link is refused."""
    issuer = job.issuer.site
    if (host := run.topology.settings.link_host) is not None:
        error.next_step = link_host.remedy(issuer, host, error.said or "")
        raise error
    if not run.repair:
        restarts = f"restarts the router of {issuer.name}: {losses.INTERRUPTION}"
        error.next_step = f"{hints.hzlink('link --repair')}   ({restarts})"
        raise error
    await repair.restart_router(run, issuer)
    try:
        await token_flow.until_ready(job)
    except CertificateRefused as again:
        again.message += f", even with another certificate and after a restart of the router of {issuer.name}"
        again.next_step = hints.kubectl(issuer, f"describe {RESOURCES['Certificate']}")
        raise
    return f"{issuer.name} issued; after a restart of its router, which had an outdated certificate"


async def _without_token(run: Run, job: token_flow.Linking, now: Snapshots) -> None:
    name, host = planner.skupper_name(job.issuer.site, now), run.topology.settings.link_host
    judge = is_ready(name) if host else is_reachable(name)
    sites = await run.wait(job.issuer, "Site reachable").watch(SITES, judge, name=name)
    redeemer = job.redeemer.site
    redeeming = (await _observe(redeemer))[redeemer].skupper_site
    await static_link.make(job, sites[name], redeeming or {}, host)


def _is_untouched(snapshot: Snapshot) -> bool:
    """Whether the site had no Skupper objects when this run began: then there is no link to repair and no leftover.

    Then this run has made the Site and waited for it.
    """
    kinds = ("Site", "Link", "AccessToken", "AccessGrant", "RouterAccess", "Certificate")
    return not any(snapshot.of(kind) for kind in kinds)


def _is_removable(topology: Topology, snapshot: Snapshot, link: Object) -> bool:
    """Whether hzlink made the Link, or the Skupper Site of the Link, for this topology or for one that shares them."""
    found = snapshot.skupper_site
    return sharing.is_made_by_hzlink(link) or found is None or sharing.is_made_by_hzlink(found)


def _refuse_name_of_others(topology: Topology, snapshot: Snapshot, name: str) -> None:
    """Raises if a Link that hzlink did not make has the name of hzlink's Link or Secret."""
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


async def _observe(*sites: Site) -> Snapshots:
    snapshots = await observe_all(sites, ("Site", "Link"))
    for snapshot in snapshots.values():
        if snapshot.error is not None:
            raise snapshot.error
    return snapshots


# How long an existing Link may take to become Ready before it is replaced. The maximum was 28 s (measured).
RECOVERY_SECONDS = 45.0


async def _recovers(run: Run, job: token_flow.Linking, name: str, *, ours: bool) -> bool:
    """Whether a Link becomes ready in time. A Link that hzlink did not make is only watched, not labelled."""
    wait = run.wait(job.redeemer, f"link {name}")
    wait.until = min(run.until, time.monotonic() + RECOVERY_SECONDS)
    try:
        waiting = token_flow.mark_and_wait if ours else token_flow.wait_ready
        await waiting(replace(job, name=name, wait=lambda *_: wait))
    except CertificateRefused:
        return False
    except WaitTimeout:
        if time.monotonic() >= run.until:
            raise
        return False
    return True


async def _ready_to_redeem(run: Run, site: Site) -> None:
    """Waits until the Site is Ready: before that, `skupper token redeem` fails."""
    name = planner.skupper_name(site, run.snapshots)
    await run.wait(run.kubectl(site), "Site ready").watch(SITES, is_ready(name), name=name)
