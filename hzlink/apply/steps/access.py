"""Enables link access of a Skupper Site of others, with the user's consent, and waits for its address."""

from __future__ import annotations

from hzlink.apply.steps.context import Run
from hzlink.apply.steps.site import SITES, is_reachable
from hzlink.model import conditions, objects
from hzlink.model.errors import WaitTimeout
from hzlink.plan.planner import Step
from hzlink.programs import hints


async def enable(run: Run, step: Step) -> str:
    """Patches the Site, which records the change on it, and waits until others can link to it.

    Raises:
        WaitTimeout: it got no address in time. `down` sets its link access back.
    """
    [patch], [ref] = step.items, step.refs
    kubectl = run.kubectl(step.site)
    await kubectl.patch(ref, patch)
    try:
        sites = await run.wait(kubectl, "Site reachable").watch(SITES, is_reachable(ref.name), name=ref.name)
    except WaitTimeout as error:
        error.subject = error.subject or f"Site {ref.name}"
        error.next_step = hints.kubectl(step.site, "describe service skupper-router")
        raise
    access = objects.spec(patch)["linkAccess"]
    return f"Site {ref.name} has linkAccess {access} now, reachable at {conditions.address(sites[ref.name])}"
