"""Creates namespaces, applies manifests and prunes objects."""

from __future__ import annotations

import time

from hzlink.apply.steps import applying
from hzlink.apply.steps.context import Run
from hzlink.model.topology import labels
from hzlink.plan.planner import Step


async def create_namespace(run: Run, step: Step) -> str:
    """Creates the namespace, with hzlink's labels so that `down` removes it."""
    name = step.site.namespace
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels(run.topology.name)}}
    await run.kubectl(step.site).create(body)
    return f"namespace {name} created"


async def collected(run: Run, step: Step) -> str:
    """Waits until the garbage collector has deleted the objects of a deleted Site."""
    wait = run.wait(run.kubectl(step.site), "leftovers of a deleted Site removed")
    if not await wait.kubectl.wait_gone(step.refs, max(1.0, run.until - time.monotonic())):
        wait.reason = f"not removed yet: {', '.join(map(str, step.refs))}"
        raise wait.timeout()
    return "leftovers of a deleted Site removed"


async def apply(run: Run, step: Step) -> str:
    """Applies the objects that differ from the manifests.

    The Site is first: Skupper 2.2 processes a Listener or Connector that is much older than the Site only at its next
    resync, up to 30 s later (read in its code, and observed).
    """
    await applying.apply(run, step.site, sorted(step.items, key=lambda item: item["kind"] != "Site"))
    return f"{_count(len(step.items), 'object')} applied"


async def prune(run: Run, step: Step) -> str:
    """Removes objects that hzlink applied before and that are no longer needed."""
    await run.kubectl(step.site).delete(step.refs)
    return f"{_count(len(step.refs), 'object')} no longer needed: {step.why}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
