"""What follows a change of a Site's link access: a type that the controller has not enabled, or a new address."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace

from hzlink.apply.steps import applying
from hzlink.apply.steps.context import Run
from hzlink.model import objects
from hzlink.model.choices import LinkAccess
from hzlink.model.conditions import Condition, State
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.objects import RESOURCES, Object, Ref
from hzlink.model.topology import Site
from hzlink.observe.snapshot import Snapshot
from hzlink.observe.waiting import Objects
from hzlink.plan import access_types, foreign, manifests, planner

# How long the Site may keep its address after its link access changed. The controller processes a change within a
# second (measured); the address stays if both types have the same.
READDRESS_SECONDS = 10.0
# The RouterAccess that Skupper makes for a Site with link access.
ROUTER_ACCESS = "skupper-router"


async def explain_refused(run: Run, site: Site, error: HzlinkError) -> None:
    """If the controller refused the type of link access, sets back the Site and adds to the error how to go on.

    Otherwise the Site would stay in error and not be updated any more.
    """
    if not (error.said or "").startswith(access_types.UNSUPPORTED):
        return
    access = (error.said or "").removeprefix(access_types.UNSUPPORTED).strip()
    now = await _present(run, site)
    namespace = str((objects.status(now or {}).get("controller") or {}).get("namespace") or "")
    error.message = f"the Skupper controller of {site.name} has not enabled link access {access}"
    error.next_step = access_types.remedy(site, access, None, namespace)
    if now is None or foreign.is_foreign(run.topology, now):
        return
    with suppress(HzlinkError):
        error.message += f"; {await _set_back(run, site, access)}"


async def _present(run: Run, site: Site) -> Object | None:
    with suppress(HzlinkError):
        return await run.kubectl(site).get(Ref(RESOURCES["Site"], planner.skupper_name(site, run.snapshots)))
    return None


async def _set_back(run: Run, site: Site, refused: str) -> str:
    """Applies the Site with the link access that it had before this run. Returns what was done, as text.

    A Site that never worked is deleted instead: it may stay in error after a change (Skupper 2.2.1, tried).
    """
    name = planner.skupper_name(site, run.snapshots)
    before = run.snapshots[site].skupper_site
    former = str(objects.spec(before or {}).get("linkAccess") or "none")
    if before is None or former == refused:
        await run.kubectl(site).delete([Ref(RESOURCES["Site"], name)])
        return "the Site, which did not work, is removed"
    access = LinkAccess(former) if former in list(LinkAccess) else LinkAccess.AUTO
    topology = replace(run.topology, settings=replace(run.topology.settings, link_access=access))
    rendered = await manifests.render(topology, site, name, issues=former != "none")
    await applying.apply(run, site, [item for item in rendered if item["kind"] == "Site"])
    return f"the Site's link access is {former} again"


def _access(snapshot: Snapshot) -> str | None:
    """The type of link access that the Site has.

    Skupper 2.2 keeps the RouterAccess, and with it the address, when the Site's link access becomes `none` (read).
    """
    access = objects.spec(snapshot.skupper_site or {}).get("linkAccess")
    kept = snapshot.get("RouterAccess", ROUTER_ACCESS)
    if access not in (None, "", "none") or kept is None:
        return access
    return str(objects.spec(kept).get("accessType") or "default")


async def settled(run: Run, site: Site) -> None:
    """Waits until the controller has processed a change of the link access of a Site with an address.

    Until then the Site is still Ready, with its former address.
    """
    before = run.snapshots[site].skupper_site
    old = objects.status(before or {}).get("endpoints")
    access = _access(run.snapshots[site])
    if not old or access == run.topology.settings.link_access.in_site:
        return
    name = planner.skupper_name(site, run.snapshots)

    def judge(sites: Objects) -> Condition:
        now = sites.get(name)
        unchanged = objects.spec(now or {}).get("linkAccess") in (access, "none")
        moved = objects.status(now or {}).get("endpoints") != old or bool(access_types.refused(now))
        if now is not None and (unchanged or moved):
            return Condition(State.OK)
        return Condition(State.WAITING, "the Site still has its former address")

    wait = run.wait(run.kubectl(site), "Site's new address")
    wait.until = min(run.until, time.monotonic() + READDRESS_SECONDS)
    try:
        await wait.watch(RESOURCES["Site"], judge, name=name)
    except WaitTimeout:
        if time.monotonic() >= run.until:
            raise
