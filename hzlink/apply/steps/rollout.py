"""Waits for the rollout of a workload. If it fails, the error contains the reasons of its pods."""

from __future__ import annotations

from hzlink.apply.steps.context import Run
from hzlink.apply.steps.pods import Pods, unless_stuck
from hzlink.model import conditions
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.objects import RESOURCES, Object
from hzlink.model.topology import Site
from hzlink.observe.pod_evidence import with_evidence
from hzlink.observe.waiting import Judge
from hzlink.programs import hints
from hzlink.programs.kubectl import Kubectl


async def rolled_out(run: Run, site: Site, kind: str, name: str, text: str, judge: Judge, *, wanted: int = 1) -> None:
    """Waits until `judge` returns OK for the workload of that kind and name. The name is also its pods' `app` label.

    Raises:
        HzlinkError: one of the `wanted` pods cannot become ready; names the pod and the reason.
        WaitTimeout: the rollout did not end in time; names the pods that are not ready, and the reasons.
    """
    kubectl = run.kubectl(site)
    pods = Pods(kind, name, f"app={name}", wanted)
    try:
        await unless_stuck(run, site, pods, run.wait(kubectl, text).watch(RESOURCES[kind], judge, name=name))
    except WaitTimeout as error:
        found = await _pods(kubectl, pods.selector)
        error.said = "; ".join(trouble.text for trouble in conditions.pod_troubles(found)) or error.said
        error.next_step = hints.pods(site, found, pods.selector, pods.described)
        raise


async def _pods(kubectl: Kubectl, selector: str) -> list[Object]:
    """The pods, for an error; none if they cannot be read."""
    try:
        return list(await with_evidence(kubectl, await kubectl.objects([RESOURCES["Pod"]], selector)))
    except HzlinkError:
        return []
