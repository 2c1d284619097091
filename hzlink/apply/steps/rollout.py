"""The wait for a workload to roll out; when it does not, its pods say why."""

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
    """Waits until `judge` is satisfied with the workload of that kind and name, which is its pods' `app` label, too.

    Raises:
        HzlinkError: a pod of the `wanted` will not come; says which, and why.
        WaitTimeout: it did not come to that in time; says what is wrong with which pod.
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
    """The pods, for an error; none where they cannot be read."""
    try:
        return list(await with_evidence(kubectl, await kubectl.objects([RESOURCES["Pod"]], selector)))
    except HzlinkError:
        return []
