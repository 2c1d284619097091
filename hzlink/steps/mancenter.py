"""Management Center: ready, and restarted only where it needs it."""

from __future__ import annotations

from hzlink import mancenter, objects, readings
from hzlink.errors import HzlinkError
from hzlink.objects import RESOURCES
from hzlink.observe import observe_all
from hzlink.plan import Step
from hzlink.readings import Reading
from hzlink.steps.context import Run
from hzlink.steps.rollout import rolled_out
from hzlink.topology import MANCENTER
from hzlink.waiting import Objects


async def mancenter_ready(run: Run, step: Step) -> str:
    """Waits for Management Center, and restarts it only where it started too early and sees nobody."""
    kubectl = run.kubectl(step.site)
    restarted = ""
    found = (await observe_all([step.site], ("Pod", "Service")))[step.site]
    if readings.mancenter_came_first(found.of("Pod"), found.of("Service"), run.topology.member_names):
        started = readings.mancenter_started(found.of("Pod"))
        if not await _sees_members(run, started.isoformat() if started else None):
            await kubectl.restart(objects.Ref(RESOURCES["Deployment"], MANCENTER))
            restarted = ", restarted: it had started before the members' names were there and sees none of them"

    def look(deployments: Objects) -> Reading:
        return readings.rollout(deployments.get(MANCENTER))

    await rolled_out(run, step.site, "Deployment", MANCENTER, "Management Center", look)
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
