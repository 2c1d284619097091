"""Waits for the Hazelcast members, and for their names at the client sites."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any

from hzlink.apply.steps import existing_members, repair
from hzlink.apply.steps.context import Run
from hzlink.apply.steps.rollout import rolled_out
from hzlink.model import conditions
from hzlink.model.choices import Mode
from hzlink.model.conditions import Condition, State
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.objects import RESOURCES, Ref
from hzlink.model.topology import Site
from hzlink.observe.losses import LostMember
from hzlink.observe.waiting import Objects
from hzlink.plan.planner import Step
from hzlink.programs import hints
from hzlink.programs.tasks import running


async def stopped(run: Run, step: Step) -> str:
    """Stops all members and waits until their pods are deleted."""
    kubectl = run.kubectl(step.site)
    # `force`, because another manager may have set the number of members. The new members get the same number.
    await kubectl.apply(step.items, force=True)
    wait = run.wait(kubectl, f"members stopped: {', '.join(ref.name for ref in step.refs)}")
    if not await kubectl.wait_gone(step.refs, max(1.0, run.until - time.monotonic())):
        wait.reason = "a member moves its data to the other members before it stops"
        raise wait.timeout()
    return f"all {len(step.refs)} members stopped"


async def members_ready(run: Run, step: Step) -> str:
    """Waits until the StatefulSet has rolled out, or until the members of others are ready."""
    if run.topology.found is not None:
        return await existing_members.ready(run, step)
    wanted, name = run.topology.settings.members, run.topology.workload

    def judge(found: Objects) -> Condition:
        workload = found.get(name)
        condition = conditions.rollout(workload)
        if workload is not None and conditions.wanted_replicas(workload) != wanted:
            return Condition(
                State.WAITING, f"StatefulSet wants {conditions.wanted_replicas(workload)}, not {wanted} members"
            )
        return condition

    text = f"members {wanted}/{wanted}"
    await rolled_out(run, step.site, "StatefulSet", name, text, judge, wanted=wanted)
    return text


async def names_ready(run: Run, step: Step) -> str:
    """Waits until the client site has a Service for every member, or in unisocket mode one Service for all.

    Raises:
        HzlinkError: Skupper has lost a member's record, so its Service is never created, and --repair was not given.
    """
    if run.topology.settings.mode is Mode.UNISOCKET:
        return await _service_ready(run, step)
    names = run.topology.member_names

    def judge(services: Objects) -> Condition:
        return conditions.names(services.values(), names)

    wait = run.wait(run.kubectl(step.site), f"names {_range(names)}")
    try:
        if lost := await _unless_lost(run, step.site, wait.watch(RESOURCES["Service"], judge)):
            if not run.repair:
                raise repair.lost_error(lost)
            return await repair.restore(run, lost)
    except WaitTimeout as error:
        listener = await _listener_says(run, step.site)
        error.subject = f"Listener {run.topology.service}"
        error.said = "; ".join(text for text in (listener, error.said) if text)
        error.next_step = hints.kubectl(step.site, f"describe {RESOURCES['Listener']} {run.topology.service}")
        raise
    return f"members' names exist: {', '.join(names)}"


def _range(names: Sequence[str]) -> str:
    """A short text for the names: `hazelcast-0..2` for those of a StatefulSet."""
    base, _, number = names[0].rpartition("-")
    if number.isdecimal() and all(name.rpartition("-")[0] == base for name in names):
        return f"{names[0]}..{names[-1].rpartition('-')[2]}"
    return ", ".join(names)


async def _unless_lost(run: Run, client: Site, waiting: Coroutine[Any, Any, Objects]) -> tuple[LostMember, ...]:
    """The members whose record is found to be lost before the wait ends; none if the wait succeeds."""
    async with running(waiting, repair.until_lost(run, client)) as (awaited, losing):
        await asyncio.wait({awaited, losing}, return_when=asyncio.FIRST_COMPLETED)
        if awaited.done():
            awaited.result()
            return ()
        lost: tuple[LostMember, ...] = losing.result()
    return lost


async def _listener_says(run: Run, site: Site) -> str:
    """The message of the Listener, from which Skupper makes the Services; empty if it cannot be read."""
    try:
        listener = await run.kubectl(site).get(Ref(RESOURCES["Listener"], run.topology.service))
    except HzlinkError:
        return ""
    return conditions.matched(listener).text


async def _service_ready(run: Run, step: Step) -> str:
    """Waits until the Listener or the Connector is matched; the condition of the other one may lag."""
    service = run.topology.service
    ends = ((step.site, "Listener"), (run.topology.cluster, "Connector"))

    def judge(found: Objects) -> Condition:
        return conditions.matched(found.get(service))

    text = f"Service {service} leads to the members"
    waits = (run.wait(run.kubectl(site), text).watch(RESOURCES[kind], judge, name=service) for site, kind in ends)
    async with running(*waits) as waiting:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        done.pop().result()
    return f"{text} (unisocket)"
