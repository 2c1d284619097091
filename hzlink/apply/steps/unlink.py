"""Removes Links that the topology no longer has, and what hzlink made at its former hub."""

from __future__ import annotations

from hzlink.apply import removal
from hzlink.apply.steps import applying
from hzlink.apply.steps.context import Run
from hzlink.linking import token_flow
from hzlink.model import objects
from hzlink.observe.snapshot import observe
from hzlink.plan import hub, hub_steps, sharing
from hzlink.plan.planner import Step


async def unlink(run: Run, step: Step) -> str:
    """Removes the Links, then applies the Site without link access, if no other site links to it any more."""
    found = hub.removable_links(run.topology, run.snapshots).get(step.site, [])
    if found:
        now = await observe(step.site, ("Link",))
        if now.error is not None:
            raise now.error
        # The step that linked may have replaced a Link of the same name.
        former = {objects.uid(link) for link in found}
        await token_flow.unlink(
            run.kubectl(step.site), [link for link in now.of("Link") if objects.uid(link) in former]
        )
    if step.items:
        await applying.apply(run, step.site, step.items)
    return step.why


async def leave(run: Run, step: Step) -> str:
    """Removes what hzlink made at the former hub, with its namespace if hzlink made it."""
    topology = hub_steps.with_hub(run.topology, step.site)
    handover = sharing.handovers(topology, run.snapshots)[step.site]
    planned = await removal.plan(topology, run.snapshots[step.site], handover)
    await removal.remove(planned, run.until, run.emit)
    if planned.namespace:
        await removal.remove_namespace(planned, run.until, run.emit)
    heir = f"; its Site remains for topology {handover.heir}" if handover.refs else ""
    return f"the hub is no longer used{heir}"
