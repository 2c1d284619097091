"""Waits for members that hzlink did not deploy. Changes nothing."""

from __future__ import annotations

from shlex import quote

from hzlink.apply.steps.context import Run
from hzlink.model import conditions
from hzlink.model.conditions import Condition, State
from hzlink.model.errors import HzlinkError
from hzlink.model.members import pods_of
from hzlink.model.objects import RESOURCES
from hzlink.observe.waiting import Objects
from hzlink.plan.planner import Step
from hzlink.programs import hints


async def ready(run: Run, step: Step) -> str:
    """Waits until as many pods are ready as there are to be.

    Raises:
        HzlinkError: a pod cannot become ready, or they were not ready in time; names the reason.
    """
    topology, wanted = run.topology, run.topology.settings.members

    def judge(found: Objects) -> Condition:
        pods = pods_of(topology, found.values())
        count = sum(map(conditions.is_ready, pods))
        if count >= wanted:
            return Condition(State.OK)
        troubles = conditions.pod_troubles(pods)
        first = next(iter(troubles), Condition(State.WAITING))
        worst = next((one for one in troubles if one.state is State.BROKEN), first)
        text = f"{count}/{wanted} ready" + (f": {worst.text}" if worst.text else "")
        return Condition(worst.state, text, worst.grace)

    text = f"members {wanted}/{wanted} ({topology.workload_title})"
    kubectl = run.kubectl(step.site)
    try:
        found = await run.wait(kubectl, text).watch(RESOURCES["Pod"], judge, selector=topology.member_selector)
    except HzlinkError as error:
        error.subject = topology.workload_title
        error.next_step = hints.kubectl(step.site, f"describe pods -l {quote(topology.member_selector)}")
        raise
    return f"members {len(found)}/{wanted}: {topology.workload_title}, unchanged"
