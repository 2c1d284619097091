"""Runs a plan: the sites in parallel, each step as soon as the steps in its `needs` are done.

If a step fails, the steps that need it do not run. The others continue, so that a failure at one client site does not
affect another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from hzlink.apply.steps import (
    access,
    app_names,
    leftovers,
    link,
    link_host,
    mancenter,
    members,
    objects,
    repair,
    site,
    unlink,
)
from hzlink.apply.steps.context import Run
from hzlink.model.errors import HzlinkError
from hzlink.model.events import Mark
from hzlink.plan.planner import Action, Step

ACTIONS: dict[Action, Callable[[Run, Step], Awaitable[str]]] = {
    Action.CLEAN_UP: leftovers.tidy,
    Action.NAMESPACE: objects.create_namespace,
    Action.COLLECT: objects.collected,
    Action.STOP: members.stopped,
    Action.APPLY: objects.apply,
    Action.PRUNE: objects.prune,
    Action.ACCESS: access.enable,
    Action.SITE: site.site_ready,
    Action.MEMBERS: members.members_ready,
    Action.LINK_HOST: link_host.access_ready,
    Action.LINK: link.link,
    Action.REPAIR: repair.repair,
    Action.NAMES: members.names_ready,
    Action.MANCENTER: mancenter.mancenter_ready,
    Action.APP_NAMES: app_names.synced,
    Action.UNLINK: unlink.unlink,
    Action.LEAVE: unlink.leave,
}


async def run_steps(run: Run, steps: Sequence[Step]) -> None:
    """Runs the steps. `run.errors` contains the errors afterwards."""
    tasks: dict[str, asyncio.Task[bool]] = {}

    async def carry_out(step: Step) -> bool:
        needed = [tasks[need] for need in sorted(step.needs) if need in tasks]
        if not all(await asyncio.gather(*needed)):
            return False
        try:
            text = await ACTIONS[step.action](run, step)
        except HzlinkError as error:
            error.site = error.site or step.site.name
            run.errors.append(error)
            run.emit_for(Mark.FAIL, step.site, error.message, step.key)
            return False
        run.emit_for(Mark.OK, step.site, text, step.key)
        return True

    async with asyncio.TaskGroup() as group:
        for step in steps:
            tasks[step.key] = group.create_task(carry_out(step))
