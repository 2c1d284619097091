"""Removes tokens and grants of an interrupted run, before a link is made."""

from __future__ import annotations

from hzlink.apply.steps.context import Run
from hzlink.linking import token_flow
from hzlink.model import objects
from hzlink.plan.planner import Step


async def tidy(run: Run, step: Step) -> str:
    """Labels Links as hzlink's, then removes the tokens and grants that they were made from."""
    kubectl = run.kubectl(step.site)
    for link in step.items:
        await token_flow.mark(kubectl, run.topology.name, objects.name(link))
    await kubectl.delete(step.refs)
    return f"removed objects {step.why}"
