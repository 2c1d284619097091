"""Removes what an interrupted run left of its linking, before anything is linked again."""

from __future__ import annotations

from hzlink.apply.steps.context import Run
from hzlink.linking import token_flow
from hzlink.model import objects
from hzlink.plan.planner import Step


async def tidy(run: Run, step: Step) -> str:
    """Marks Links as hzlink's, then removes the tokens and grants that they came from."""
    kubectl = run.kubectl(step.site)
    for link in step.items:
        await token_flow.mark(kubectl, run.topology.name, objects.name(link))
    await kubectl.delete(step.refs)
    return f"cleaned up what was {step.why}"
