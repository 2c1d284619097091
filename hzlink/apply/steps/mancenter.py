"""Waits for Management Center, and restarts it only if it sees no member."""

from __future__ import annotations

import asyncio
import time

from hzlink.apply.steps.context import Run
from hzlink.apply.steps.rollout import rolled_out
from hzlink.model import conditions, members, objects
from hzlink.model.conditions import Condition
from hzlink.model.errors import HzlinkError
from hzlink.model.objects import RESOURCES
from hzlink.observe import mancenter
from hzlink.observe.snapshot import LOG_LINES, observe_all
from hzlink.observe.waiting import Objects
from hzlink.plan.planner import Step
from hzlink.programs import hints

# How long a ready Management Center may take to connect to the members, and the time between two reads of their logs.
CONNECT_SECONDS = 20.0
READ_SECONDS = 1.0


async def mancenter_ready(run: Run, step: Step) -> str:
    """Waits until Management Center is ready and connected. Restarts it once, and only if it sees no member.

    Raises:
        HzlinkError: it is ready but, by the members' logs, sees no member after the restart.
    """
    why = await _started_too_early(run, step)
    if why:
        await _restart(run, step)
    await _rolled_out(run, step)
    sees_no_member = await _still_sees_no_member(run)
    if sees_no_member and not why:
        why = f"it was ready but connected to no member within {CONNECT_SECONDS:.0f} s"
        await _restart(run, step)
        await _rolled_out(run, step)
        sees_no_member = await _still_sees_no_member(run)
    if sees_no_member:
        raise HzlinkError(
            "Management Center is ready but connects to no member, even after a restart",
            site=step.site.name,
            subject=f"Deployment {run.topology.mancenter}",
            said="no member's log shows a client MC-Client-...",
            next_step=hints.kubectl(step.site, f"logs deployment/{run.topology.mancenter}"),
        )
    return f"Management Center Ready{f', restarted: {why}' if why else ''}"


async def _started_too_early(run: Run, step: Step) -> str:
    """Why it must be restarted at once; empty if not. It does not try again if it finds no member at its start."""
    found = (await observe_all([step.site], ("Pod", "Service")))[step.site]
    pods = members.mancenter_pods(run.topology, found.of("Pod"))
    if conditions.mancenter_started_too_early(pods, found.of("Service"), run.topology.member_names):
        started = conditions.newest_start(pods)
        if not await _sees_members(run, started.isoformat() if started else None):
            return "it started before the members' names existed and sees no member"
    return ""


async def _restart(run: Run, step: Step) -> None:
    await run.kubectl(step.site).restart(objects.Ref(RESOURCES["Deployment"], run.topology.mancenter))


async def _rolled_out(run: Run, step: Step) -> None:
    name = run.topology.mancenter

    def judge(deployments: Objects) -> Condition:
        return conditions.rollout(deployments.get(name))

    await rolled_out(run, step.site, "Deployment", name, "Management Center", judge)


async def _still_sees_no_member(run: Run) -> bool:
    """Whether it sees no member after `CONNECT_SECONDS`. Returns earlier if it sees all members."""
    until = min(run.until, time.monotonic() + CONNECT_SECONDS)
    topology = run.topology
    while True:
        try:
            log = await run.kubectl(topology.cluster).logs(topology.member_selector, tail=LOG_LINES)
        except HzlinkError:
            return False
        seen = mancenter.view(log, topology.member_names, len(topology.clients))
        if seen is None or not seen.missing:
            return False
        if time.monotonic() >= until:
            return seen.sees_no_member
        await asyncio.sleep(READ_SECONDS)


async def _sees_members(run: Run, since: str | None) -> bool:
    """Whether the members' logs show as many connected Management Centers as there are client sites.

    The logs do not show the site of a Management Center.
    """
    try:
        log = await run.kubectl(run.topology.cluster).logs(run.topology.member_selector, since=since)
    except HzlinkError:
        return False
    return len(mancenter.connected(log)) >= len(run.topology.clients)
