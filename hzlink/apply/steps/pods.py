"""Ends a wait early if pods that it needs cannot become ready."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hzlink.apply.steps.context import Run
from hzlink.model import conditions, events, objects
from hzlink.model.conditions import Condition, State
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.objects import RESOURCES
from hzlink.model.topology import Site
from hzlink.observe.pod_evidence import with_evidence
from hzlink.observe.waiting import Objects, Wait
from hzlink.programs import hints, pod_hints
from hzlink.programs.refusals import KubectlError
from hzlink.programs.tasks import running

Outcome = TypeVar("Outcome")

# When to start watching the pods: most waits end earlier and need no watch.
WATCH_PODS_AFTER_SECONDS = 2.0
# Time in which a workload must have created its pods.
CREATION_GRACE_SECONDS = 8.0
# How often a pod may crash during a wait. If back-offs are short, CrashLoopBackOff never lasts as long as its grace.
MAX_CRASHES = 2
# Reasons of the events of an autoscaler that adds a node for a pod: the cluster autoscaler, Karpenter.
_NODE_IS_ADDED = ("TriggeredScaleUp", "Nominated")


@dataclass(frozen=True)
class Pods:
    """The pods of a workload: its kind and name, its pods' label selector, and their wanted number."""

    kind: str
    workload: str
    selector: str
    wanted: int = 1

    @property
    def described(self) -> str:
        """The workload, as `kubectl describe` takes it."""
        return f"{self.kind.lower()} {self.workload}"


async def unless_stuck(run: Run, site: Site, pods: Pods, waiting: Coroutine[Any, Any, Outcome]) -> Outcome:
    """The outcome of `waiting`.

    Raises:
        HzlinkError: the error of `waiting`, or a pod that it needs cannot be created, scheduled or started. Names the
            pod and the reason.
    """
    async with running(waiting, _stuck(run, site, pods)) as (awaited, stuck):
        await asyncio.wait({awaited, stuck}, return_when=asyncio.FIRST_COMPLETED)
        if not awaited.done() and (error := stuck.result()):
            raise error
        outcome: Outcome = await awaited
    return outcome


async def _stuck(run: Run, site: Site, pods: Pods) -> HzlinkError | None:
    """The error when a pod cannot become ready; None if the pods cannot be read."""
    await asyncio.sleep(WATCH_PODS_AFTER_SECONDS)
    seen_pods = _SeenPods()
    while True:
        wait = run.wait(run.kubectl(site), f"pods of {pods.kind} {pods.workload}")
        # The wait for the workload emits the progress.
        wait.emit = events.ignore
        try:
            await wait.watch(
                RESOURCES["Pod"], lambda seen: _pods_condition(pods, seen_pods.of(seen)), selector=pods.selector
            )
        except (KubectlError, WaitTimeout):
            # The wait for the workload has the same error and reports it.
            return None
        except HzlinkError as error:
            why = await _confirmed(wait, pods, error.said or "")
            if why:
                found = await with_evidence(wait.kubectl, seen_pods.pods)
                error.message = f"{pods.kind} {pods.workload} cannot become ready"
                error.subject, error.said = f"{pods.kind} {pods.workload}", _explained(why, seen_pods.pods, found)
                rule = await wait.kubectl.admission_hint(why)
                shown = hints.pods(site, found, pods.selector, pods.described)
                error.next_step = rule or pod_hints.with_pull_secret(shown, (error.said,))
                return error


def _explained(why: str, before: Sequence[objects.Object], found: Sequence[objects.Object]) -> str:
    """`why`, with the texts of `before` replaced by the more specific texts of `found`."""
    for old, new in zip(before, found, strict=True):
        text, better = conditions.pod_trouble(old).text, conditions.pod_trouble(new).text
        if text and better:
            why = why.replace(text, better)
    return why


class _SeenPods:
    """The observed pods, and the number of their restarts at the first observation, which do not count."""

    def __init__(self) -> None:
        self.pods: list[objects.Object] = []
        self._before: dict[tuple[str, str], int] = {}

    def of(self, seen: Objects) -> _SeenPods:
        """Updates the pods and returns itself."""
        self.pods = list(seen.values())
        for pod in self.pods:
            self._before.setdefault(_identity(pod), conditions.restarts(pod))
        return self

    @property
    def crashed(self) -> list[objects.Object]:
        """The pods that crashed too often during the wait and are not ready."""
        return [
            pod
            for pod in self.pods
            if conditions.restarts(pod) - self._before[_identity(pod)] > MAX_CRASHES and not conditions.is_ready(pod)
        ]


def _identity(pod: objects.Object) -> tuple[str, str]:
    """Name and UID, because a StatefulSet creates pods with the same names again."""
    return objects.name(pod), objects.uid(pod)


def _pods_condition(pods: Pods, seen_pods: _SeenPods) -> Condition:
    if crashed := seen_pods.crashed:
        return Condition(State.BROKEN, "; ".join(conditions.pod_trouble(pod).text for pod in crashed), 0.0)
    troubles = [trouble for trouble in map(conditions.pod_trouble, seen_pods.pods) if trouble.state is State.BROKEN]
    if troubles:
        text = "; ".join(trouble.text for trouble in troubles)
        return Condition(State.BROKEN, text, max(trouble.grace for trouble in troubles))
    if len(seen_pods.pods) < pods.wanted:
        text = f"{_NOT_CREATED}: {len(seen_pods.pods)} of {pods.wanted}"
        return Condition(State.BROKEN, text, CREATION_GRACE_SECONDS)
    return Condition(State.WAITING, "pods are starting")


_NOT_CREATED = "pods are not created"


async def _confirmed(wait: Wait, pods: Pods, said: str) -> str:
    """Why the pods cannot become ready, quoted from the cluster; empty if they may still become ready."""
    try:
        if said.startswith(_NOT_CREATED):
            failed_events = await wait.kubectl.events(["FailedCreate"])
            messages = [str(event.get("message", "")) for event in failed_events if _is_about(event, pods)]
            return messages[-1] if messages else ""
        if "Unschedulable" in said and await wait.kubectl.events(_NODE_IS_ADDED):
            return ""
    except HzlinkError:
        return "" if said.startswith(_NOT_CREATED) else said
    return said


def _is_about(event: objects.Object, pods: Pods) -> bool:
    """Whether the event is about the workload, or about a Deployment's ReplicaSet, whose name has the same prefix."""
    return str((event.get("involvedObject") or {}).get("name", "")).startswith(pods.workload)
