"""Makes the RouterAccess and the Certificate of --link-host, or removes those that are not used any more."""

from __future__ import annotations

import time
from contextlib import suppress

from hzlink.apply.steps import applying
from hzlink.apply.steps.context import Run
from hzlink.apply.steps.site import SITES
from hzlink.model import conditions, link_host, objects
from hzlink.model.conditions import Condition, State
from hzlink.model.errors import WaitTimeout
from hzlink.model.link_host import ACCESS
from hzlink.model.objects import RESOURCES
from hzlink.model.topology import Site
from hzlink.observe.waiting import Objects
from hzlink.plan.planner import Step, skupper_name
from hzlink.programs import hints

# How long a Site may list the endpoint of a RouterAccess that was deleted.
FORGET_SECONDS = 10.0


async def access_ready(run: Run, step: Step) -> str:
    """Applies the objects and waits until Skupper has processed them; or deletes them.

    It runs when the Site is Ready: Skupper 2.2 does not try again soon if a Certificate is older than its CA (read).

    Raises:
        HzlinkError: Skupper does not accept an object, or the time limit has passed.
    """
    if step.refs:
        return await _removed(run, step)
    await applying.apply(run, step.site, step.items)
    kubectl = run.kubectl(step.site)
    for kind in ("Certificate", "RouterAccess"):
        wait = run.wait(kubectl, f"{kind} {ACCESS}")
        try:
            await wait.watch(RESOURCES[kind], _ready, name=ACCESS)
        except WaitTimeout as error:
            error.subject = error.subject or f"{kind} {ACCESS}"
            error.next_step = hints.kubectl(step.site, f"describe {RESOURCES[kind]} {ACCESS}")
            raise
    return f"Service {ACCESS} leads to the router, for {run.topology.settings.link_host}"


def _ready(found: Objects) -> Condition:
    item = found.get(ACCESS)
    made = item is not None and objects.holds(item, "Ready")
    return Condition(State.OK) if made else conditions.skupper(item)


async def _removed(run: Run, step: Step) -> str:
    kubectl = run.kubectl(step.site)
    await kubectl.delete(step.refs)
    await kubectl.wait_gone(step.refs, max(1.0, run.until - time.monotonic()))
    await _forgotten(run, step.site)
    return f"{len(step.refs)} objects of a former --link-host removed"


async def _forgotten(run: Run, site: Site) -> None:
    """Waits until the Site does not list the endpoint, which a token would carry."""
    name = skupper_name(site, run.snapshots)

    def judge(sites: Objects) -> Condition:
        endpoints = objects.status(sites.get(name) or {}).get("endpoints") or []
        if name not in sites or any(link_host.is_own_endpoint(str(one.get("host") or "")) for one in endpoints):
            return Condition(State.WAITING, f"the Site still lists {ACCESS}")
        return Condition(State.OK)

    wait = run.wait(run.kubectl(site), "endpoint removed")
    wait.until = min(run.until, time.monotonic() + FORGET_SECONDS)
    with suppress(WaitTimeout):
        await wait.watch(SITES, judge, name=name)
