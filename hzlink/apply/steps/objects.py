"""Namespaces and manifests: what is created, applied and pruned."""

from __future__ import annotations

import time

from hzlink.apply.steps import applying
from hzlink.apply.steps.context import Run
from hzlink.model.topology import labels
from hzlink.plan.planner import Step


async def create_namespace(run: Run, step: Step) -> str:
    """Makes the namespace, marked as hzlink's so that `down` removes it."""
    name = step.site.namespace
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels(run.topology.name)}}
    await run.kubectl(step.site).create(body)
    return f"namespace {name} created"


async def collected(run: Run, step: Step) -> str:
    """Waits until the garbage collector has taken what a deleted Site left."""
    wait = run.wait(run.kubectl(step.site), "leftovers of a deleted Site removed")
    if not await wait.kubectl.wait_gone(step.refs, max(1.0, run.until - time.monotonic())):
        wait.reason = f"still there: {', '.join(map(str, step.refs))}"
        raise wait.timeout()
    return "leftovers of a deleted Site removed"


async def apply(run: Run, step: Step) -> str:
    """Applies what differs from what is wanted.

    The Site first: Skupper 2.2 takes up a Listener or Connector that came well before it at its next tick only, up to
    30 s later (read, and seen).
    """
    await applying.apply(run, step.site, sorted(step.items, key=lambda item: item["kind"] != "Site"))
    return f"{_count(len(step.items), 'object')} applied"


async def prune(run: Run, step: Step) -> str:
    """Removes what hzlink applied before and is no longer wanted."""
    await run.kubectl(step.site).delete(step.refs)
    return f"{_count(len(step.refs), 'object')} no longer needed: {step.why}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
