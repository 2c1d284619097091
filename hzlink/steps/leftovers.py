"""What a run that was cut off left of its linking is removed before anything is linked anew."""

from __future__ import annotations

from hzlink import linking, objects
from hzlink.plan import Step
from hzlink.steps.context import Run


async def tidy(run: Run, step: Step) -> str:
    """Removes tokens and grants. A Link that such a token had made already is hzlink's, and marked so first."""
    kubectl, snapshot = run.kubectl(step.site), run.snapshots[step.site]
    for ref in step.refs:
        link = snapshot.get("Link", ref.name) if ref.resource == linking.TOKENS else None
        if link is not None and not objects.is_ours(link, run.topology.name):
            await linking.mark(kubectl, run.topology.name, ref.name)
    await kubectl.delete(step.refs)
    return f"removed what a run that was cut off had left: {', '.join(map(str, step.refs))}"
