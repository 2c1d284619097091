"""Adds the reasons why pods do not run from events and previous logs, if their status does not have them.

The reasons are added to the objects, in the fields where a kubelet or controller writes them: a container's `message`,
a workload's condition ReplicaFailure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from hzlink.model import conditions, container_failures, objects
from hzlink.model.errors import HzlinkError
from hzlink.model.objects import Object
from hzlink.programs import process
from hzlink.programs.kubectl import Kubectl

# For the calls here, in addition to the observation.
DEADLINE_SECONDS = 5.0
# How many logs of crashed pods are read. Pods usually crash for the same reason.
MAX_LOGS = 2
LOG_BYTES = 4000
# Reasons of a waiting container whose cause may be only in the pod's events.
_IN_EVENTS = ("ImagePullBackOff", "ContainerCreating", "PodInitializing")


async def with_evidence(kubectl: Kubectl, items: Sequence[Object]) -> tuple[Object, ...]:
    """The objects, with reasons from events and logs added for pods that do not run."""
    crashed = [one for item in items if item.get("kind") == "Pod" and (one := _crashed(item))][:MAX_LOGS]
    needs_events = any(map(_needs_events, items)) or any(_lacks_pods(item, items) for item in items)
    if not crashed and not needs_events:
        return tuple(items)
    found = [deepcopy(dict(item)) for item in items]
    limited = Kubectl(kubectl.site, min(kubectl.deadline, DEADLINE_SECONDS))
    events, lines = await asyncio.gather(
        _warnings(limited) if needs_events else _none(),
        asyncio.gather(*(_last_line(limited, *one) for one in crashed)),
    )
    for (pod, container), line in zip(crashed, lines, strict=True):
        _put_line(found, pod, container, line)
    for item in found:
        _put_events(item, items, events)
    return tuple(found)


def _crashed(pod: Object) -> tuple[str, str] | None:
    """The names of the pod and of its crashed container whose previous log has to be read; None if there is none."""
    container = conditions.crashed_container(pod)
    if container is None or conditions.is_ready(pod) or not container_failures.has_previous_log(container):
        return None
    if container_failures.ended(container).get("message"):
        return None
    return objects.name(pod), str(container.get("name", ""))


def _needs_events(item: Object) -> bool:
    """Whether the object is a waiting pod whose events may have the reason."""
    return item.get("kind") == "Pod" and not conditions.is_ready(item) and any(_waits(one) for one in _containers(item))


def _waits(container: Object) -> bool:
    waiting = (container.get("state") or {}).get("waiting") or {}
    # The registry's answer follows the image's name: Back-off pulling image "x": ErrImagePull: ...
    message = str(waiting.get("message") or "")
    return waiting.get("reason") in _IN_EVENTS and '": ' not in message


_containers = container_failures.all_of


def _lacks_pods(item: Object, items: Sequence[Object]) -> bool:
    """Whether the object is a StatefulSet with fewer pods than replicas."""
    if item.get("kind") != "StatefulSet":
        return False
    own = [pod for pod in items if pod.get("kind") == "Pod" and objects.is_owned_by(pod, objects.uid(item))]
    return len(own) < conditions.wanted_replicas(item)


async def _none() -> list[Object]:
    return []


async def _warnings(kubectl: Kubectl) -> list[Object]:
    """The namespace's Warning events, the newest last; none if they cannot be read."""
    try:
        return await kubectl.events()
    except HzlinkError:
        return []


async def _last_line(kubectl: Kubectl, pod: str, container: str) -> str:
    """The last log line of a container's previous run; empty if it cannot be read."""
    try:
        text = await kubectl.log(pod, container, lines=20, limit_bytes=LOG_BYTES, previous=True)
    except HzlinkError:
        return ""
    # Each line begins with its time.
    return process.redact(container_failures.last_line("\n".join(line.partition(" ")[2] for line in text.splitlines())))


def _put_line(found: list[dict[str, Any]], pod: str, name: str, line: str) -> None:
    for item in found:
        if item.get("kind") != "Pod" or objects.name(item) != pod or not line:
            continue
        for container in _containers(item):
            if container.get("name") == name:
                ended: Any = container_failures.ended(container)
                ended["message"] = line


def _put_events(item: dict[str, Any], items: Sequence[Object], events: Sequence[Object]) -> None:
    if _lacks_pods(item, items):
        if message := _newest(events, item, ("FailedCreate",)):
            failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
            status = item.setdefault("status", {})
            status["conditions"] = [*(status.get("conditions") or []), failure]
    elif _needs_events(item) and (message := _newest(events, item, ())):
        for container in _containers(item):
            if _waits(container):
                waiting: Any = (container.get("state") or {})["waiting"]
                waiting["message"] = message


def _newest(events: Sequence[Object], item: Object, reasons: Sequence[str]) -> str:
    """The newest message about the object; only of events with one of the reasons, if any are given."""
    messages = [
        str(event.get("message") or "")
        for event in events
        if (event.get("involvedObject") or {}).get("uid") == objects.uid(item)
        and (not reasons or event.get("reason") in reasons)
        # These repeat the status, without the cause.
        and event.get("reason") not in ("BackOff", "Unhealthy")
        and not str(event.get("message") or "").startswith("Error: ")
    ]
    return messages[-1] if messages else ""
