"""Conditions and the overall state in an object's status, as Skupper's controller sets them.

Pure: changes the `status` of a dictionary in place and returns whether it changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.api.kinds import Obj, timestamp

CONFIGURED = "Configured"
RESOLVED = "Resolved"
RUNNING = "Running"
MATCHED = "Matched"
PROCESSED = "Processed"
REDEEMED = "Redeemed"
OPERATIONAL = "Operational"
READY = "Ready"

LISTENER_NEEDS = (CONFIGURED, MATCHED)
CONNECTOR_NEEDS = (CONFIGURED, MATCHED)
LINK_NEEDS = (CONFIGURED, OPERATIONAL)
GRANT_NEEDS = (PROCESSED, RESOLVED)
ACCESS_NEEDS = (CONFIGURED, RESOLVED)


def site_needs(spec: Obj) -> tuple[str, ...]:
    """The conditions of a ready Site: with link access also Resolved."""
    if spec.get("linkAccess", "") in ("", "none"):
        return (CONFIGURED, RUNNING)
    return (CONFIGURED, RUNNING, RESOLVED)


@dataclass(frozen=True)
class State:
    """The state of one condition."""

    ok: bool
    reason: str
    message: str


OK = State(ok=True, reason="Ready", message="OK")


def pending(message: str = "Pending") -> State:
    """A condition that is not true yet."""
    return State(ok=False, reason="Pending", message=message)


def error(message: str) -> State:
    """A condition that is false because of an error."""
    return State(ok=False, reason="Error", message=message)


def ok_or_error(message: str) -> State:
    """OK for an empty message, else an error."""
    return error(message) if message else OK


def ok_or_pending(ready: bool, message: str = "Pending") -> State:
    """OK or pending."""
    return OK if ready else pending(message)


def micro_time() -> str:
    """The time now in the form of a Lease, with microseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def find(obj: Obj, kind: str) -> Obj | None:
    """The condition of that type, if there is one."""
    for condition in obj.get("status", {}).get("conditions") or []:
        if condition["type"] == kind:
            return dict(condition)
    return None


def is_true(obj: Obj, kind: str) -> bool:
    """Whether that condition is there and true."""
    condition = find(obj, kind)
    return condition is not None and condition["status"] == "True"


def set_condition(obj: Obj, kind: str, state: State) -> bool:
    """Sets one condition, keeping its place and, if its status is the same, its transition time."""
    wanted = {
        "type": kind,
        "observedGeneration": obj["metadata"].get("generation", 0),
        "status": "True" if state.ok else "False",
        "reason": state.reason,
        "message": state.message,
    }
    conditions: list[Obj] = obj.setdefault("status", {}).setdefault("conditions", [])
    for condition in conditions:
        if condition["type"] != kind:
            continue
        if all(condition.get(field) == value for field, value in wanted.items()):
            return False
        if condition["status"] != wanted["status"]:
            condition["lastTransitionTime"] = timestamp()
        condition.update(wanted)
        return True
    conditions.append({"lastTransitionTime": timestamp(), **wanted})
    return True


def set_ready(obj: Obj, needs: Sequence[str]) -> bool:
    """Sets `status.status`, its message and the Ready condition from the first condition that is not true."""
    state = _combined(obj, needs)
    status = obj.setdefault("status", {})
    changed = False
    if (status.get("status"), status.get("message")) != (state.reason, state.message):
        status["status"], status["message"] = state.reason, state.message
        changed = True
    return set_condition(obj, READY, state) or changed


def mark(obj: Obj, kind: str, state: State, needs: Sequence[str]) -> bool:
    """Sets a condition and, if that changed it, the overall state."""
    if not set_condition(obj, kind, state):
        return False
    set_ready(obj, needs)
    return True


def set_field(obj: Obj, field: str, value: object) -> bool:
    """Sets (or, for an empty value, removes) a field of the status."""
    status = obj.setdefault("status", {})
    if not value and value is not False:
        return status.pop(field, None) is not None
    if status.get(field) == value:
        return False
    status[field] = value
    return True


def _combined(obj: Obj, needs: Sequence[str]) -> State:
    for kind in needs:
        condition = find(obj, kind)
        if condition is None:
            return pending(f"Not {kind}")
        if condition["status"] == "False":
            return State(ok=False, reason=condition["reason"], message=condition["message"])
    return OK
