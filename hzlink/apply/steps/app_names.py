"""Applies and removes the names in an application namespace."""

from __future__ import annotations

from hzlink.apply.steps import applying
from hzlink.apply.steps.context import Run
from hzlink.plan.planner import Step


async def synced(run: Run, step: Step) -> str:
    """Applies the names that are missing or differ, and removes those that are no longer needed."""
    if step.items:
        await applying.apply(run, step.site, step.items)
    await run.kubectl(step.site).delete(step.refs)
    done = [f"{len(step.items)} applied"] if step.items else []
    done += [f"{len(step.refs)} removed"] if step.refs else []
    return f"names in namespace {step.site.namespace}: {', '.join(done)}"
