"""Why a container of a pod ended, by the pod's status. Pure.

The container's memory limit may come from a LimitRange: the API server then records this in the annotation
`kubernetes.io/limit-ranger`, as `LimitRanger plugin set: memory request for container a; memory limit for container a`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hzlink.model import objects
from hzlink.model.objects import Object

LIMIT_RANGER = "kubernetes.io/limit-ranger"
# The kernel ended the container because it exceeded its memory limit.
OOM = "OOMKilled"
# Reasons of a container that has no useful log: it never started, or it was ended from outside.
_NO_LOG = ("StartError", "ContainerCannotRun", "ContainerStatusUnknown", OOM)
# Maximum length of a log line in a message, in characters.
MAX_LINE = 200


def all_of(pod: Object) -> list[Object]:
    """The statuses of the pod's containers, init containers first."""
    status = objects.status(pod)
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def ended(container: Object) -> Mapping[str, Any]:
    """The container's last failure, as `terminated` of its state or last state; empty if it has not failed."""
    for place in ("state", "lastState"):
        found: Mapping[str, Any] = (container.get(place) or {}).get("terminated") or {}
        if found and (place == "lastState" or found.get("exitCode")):
            return found
    return {}


def has_previous_log(container: Object) -> bool:
    """Whether the container's previous run ended and may have a log."""
    before = (container.get("lastState") or {}).get("terminated") or {}
    return bool(before) and before.get("reason") not in _NO_LOG


def was_out_of_memory(pod: Object) -> Object | None:
    """The status of the pod's container that is not ready and was OOMKilled; None if there is none."""
    for container in all_of(pod):
        if not container.get("ready") and ended(container).get("reason") == OOM:
            return container
    return None


def cause(pod: Object, container: Object) -> str:
    """How the container ended: reason, exit code, and memory limit or last log line; empty if it has not ended."""
    found = ended(container)
    if not found:
        return ""
    reason, code = found.get("reason") or "ended", found.get("exitCode", "?")
    said = _memory(pod, container) if reason == OOM else last_line(str(found.get("message") or ""))
    return f"{reason}, exit code {code}{f': {said}' if said else ''}"


def times(container: Object) -> str:
    """How often the container was restarted, as text."""
    count = container.get("restartCount", 0)
    return f"restarted {count} {'time' if count == 1 else 'times'}"


def last_line(text: str) -> str:
    """The last line that is not blank, cut to `MAX_LINE` characters."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:MAX_LINE] if lines else ""


def is_limit_from_range(pod: Object, container: Object) -> bool:
    """Whether a LimitRange has set the container's memory limit."""
    name = container.get("name")
    noted = (pod.get("metadata") or {}).get("annotations") or {}
    parts = {part.strip() for part in str(noted.get(LIMIT_RANGER, "")).partition("set:")[2].split(";")}
    return any(f"memory limit for {kind} {name}" in parts for kind in ("container", "init container"))


def _memory(pod: Object, container: Object) -> str:
    limit = _limit(container) or _limit(_of_spec(pod, str(container.get("name"))))
    source = ", set by a LimitRange of the namespace" if is_limit_from_range(pod, container) else ""
    return f"memory limit {limit}{source}" if limit else ""


def _limit(container: Object) -> str:
    resources = container.get("resources")
    limits = resources.get("limits") if isinstance(resources, Mapping) else None
    return str(limits.get("memory") or "") if isinstance(limits, Mapping) else ""


def _of_spec(pod: Object, name: str) -> Object:
    spec = objects.spec(pod)
    for key in ("initContainers", "containers"):
        listed = spec.get(key)
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, Mapping) and one.get("name") == name:
                return one
    return {}
