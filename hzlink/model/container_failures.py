"""Why a container of a pod ended, as the kubelet has written it into the pod's status. Pure.

The memory limit that ended a container may come from a LimitRange: the API server then says so in the annotation
`kubernetes.io/limit-ranger`, as `LimitRanger plugin set: memory request for container a; memory limit for container a`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hzlink.model import objects
from hzlink.model.objects import Object

LIMIT_RANGER = "kubernetes.io/limit-ranger"
# The kernel ended it for its memory.
OOM = "OOMKilled"
# The container was never started: it has written no log.
_NO_LOG = ("StartError", "ContainerCannotRun", "ContainerStatusUnknown", OOM)
# Characters of a last line that are worth showing.
MAX_LINE = 200


def all_of(pod: Object) -> list[Object]:
    """The statuses of the pod's containers, init containers first."""
    status = objects.status(pod)
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def ended(container: Object) -> Mapping[str, Any]:
    """How it ended last with a failure, as `terminated` of its state or of its last one; empty where it has not."""
    for place in ("state", "lastState"):
        found: Mapping[str, Any] = (container.get(place) or {}).get("terminated") or {}
        if found and (place == "lastState" or found.get("exitCode")):
            return found
    return {}


def has_previous_log(container: Object) -> bool:
    """Whether a run before this one has ended and may have written something."""
    before = (container.get("lastState") or {}).get("terminated") or {}
    return bool(before) and before.get("reason") not in _NO_LOG


def was_out_of_memory(pod: Object) -> Object | None:
    """The pod's container that is not ready and was ended for its memory."""
    for container in all_of(pod):
        if not container.get("ready") and ended(container).get("reason") == OOM:
            return container
    return None


def cause(pod: Object, container: Object) -> str:
    """How the container ended: reason, exit code, and the limit or its last words; empty where it has not ended."""
    found = ended(container)
    if not found:
        return ""
    reason, code = found.get("reason") or "ended", found.get("exitCode", "?")
    said = _memory(pod, container) if reason == OOM else last_line(str(found.get("message") or ""))
    return f"{reason}, exit code {code}{f': {said}' if said else ''}"


def last_line(text: str) -> str:
    """The last line that says something, cut to a length that is worth showing."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:MAX_LINE] if lines else ""


def limit_is_a_ranges(pod: Object, container: Object) -> bool:
    """Whether a LimitRange has set the container's memory limit."""
    name = container.get("name")
    noted = (pod.get("metadata") or {}).get("annotations") or {}
    parts = {part.strip() for part in str(noted.get(LIMIT_RANGER, "")).partition("set:")[2].split(";")}
    return any(f"memory limit for {kind} {name}" in parts for kind in ("container", "init container"))


def _memory(pod: Object, container: Object) -> str:
    limit = _limit(container) or _limit(_of_spec(pod, str(container.get("name"))))
    source = ", set by a LimitRange of the namespace" if limit_is_a_ranges(pod, container) else ""
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
