"""The Lease that lets one run write at a time: what it says, and what to make of another's. Pure.

Clocks of other machines are not trusted. A Lease that looks as if it were over is watched for one whole duration by
the own clock; only if nothing changes meanwhile is it taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from hzlink.model import objects
from hzlink.model.objects import RESOURCES, Object, Ref
from hzlink.model.topology import labels

# Seconds. A run that cannot renew for a whole duration stops, so it is longer than an API server's restart takes.
DURATION = 30.0
RENEW = DURATION / 3

_MARKS = "hzlink.io"


@dataclass(frozen=True)
class Process:
    """A process as its own machine knows it. `started` is in clock ticks since the machine's start."""

    boot: str
    namespace: str
    pid: int
    started: int


@dataclass(frozen=True)
class Holder:
    """A run: its name for people, its own number among all runs, and its process where that is known."""

    name: str
    run: str
    process: Process | None = None


class Verdict(StrEnum):
    """What a Lease means to a run that wants it."""

    HELD = "held"
    DEAD = "dead"
    SILENT = "silent"


def ref(topology_name: str) -> Ref:
    """The Lease of a topology, in the cluster site's namespace."""
    return Ref(RESOURCES["Lease"], f"hzlink-{topology_name}")


def make(topology_name: str, holder: Holder, now: datetime, before: Object | None = None) -> dict[str, Any]:
    """The Lease as `holder` has it from `now` on; in the place of `before`, if that is still as it was read."""
    metadata: dict[str, Any] = {
        "name": ref(topology_name).name,
        "labels": labels(topology_name),
        "annotations": marks_of(holder),
    }
    transitions = 0
    if before is not None:
        metadata["resourceVersion"] = before["metadata"]["resourceVersion"]
        transitions = int(objects.spec(before).get("leaseTransitions") or 0) + 1
    spec = {
        "holderIdentity": holder.name,
        "acquireTime": _micro(now),
        "renewTime": _micro(now),
        "leaseDurationSeconds": int(DURATION),
        "leaseTransitions": transitions,
    }
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def renewed(mine: Object, now: datetime) -> dict[str, Any]:
    """The same Lease with a new time; the server accepts it only if it was not changed since."""
    return {**mine, "spec": {**objects.spec(mine), "renewTime": _micro(now)}}


def holder(found: Object) -> Holder:
    """Who has the Lease. Whatever another wrote there is read with care."""
    marks = _marks(found)
    return Holder(str(objects.spec(found).get("holderIdentity") or "somebody"), marks.get("run", ""), _process(marks))


def is_mine(found: Object, me: Holder) -> bool:
    """Whether this run has the Lease."""
    return holder(found).run == me.run


def judge(found: Object, now: datetime, runs: bool | None) -> Verdict:
    """What another's Lease means.

    `runs`: whether its process does; None for one on another machine. A Lease is held while its time is near `now`;
    one far in the past or in the future says nothing, as another's clock may be wrong.
    """
    if runs is False:
        return Verdict.DEAD
    renewed_at = objects.moment(objects.spec(found).get("renewTime"))
    if renewed_at is None:
        return Verdict.SILENT
    return Verdict.HELD if abs(now - renewed_at) <= timedelta(seconds=DURATION) else Verdict.SILENT


def changed(before: Object, after: Object) -> bool:
    """Whether anybody wrote to the Lease between two looks: then somebody is alive."""
    return _version(before) != _version(after)


def describe(found: Object, now: datetime) -> str:
    """Who has it and since when, for people."""
    since = objects.moment(objects.spec(found).get("acquireTime"))
    if since is None:
        return holder(found).name
    seconds = (now - since).total_seconds()
    ago = f", {seconds:.0f} s ago" if 0 <= seconds < 3600 else ""
    return f"{holder(found).name}, since {since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC{ago}"


def marks_of(one: Holder) -> dict[str, str]:
    """How an object says whose run it belongs to."""
    marks = {f"{_MARKS}/run": one.run}
    if one.process is not None:
        marks |= {
            f"{_MARKS}/boot-id": one.process.boot,
            f"{_MARKS}/pid-namespace": one.process.namespace,
            f"{_MARKS}/pid": str(one.process.pid),
            f"{_MARKS}/started": str(one.process.started),
        }
    return marks


def _marks(found: Object) -> dict[str, str]:
    annotations = (found.get("metadata") or {}).get("annotations") or {}
    return {key.removeprefix(f"{_MARKS}/"): str(value) for key, value in annotations.items()}


def _process(marks: Mapping[str, str]) -> Process | None:
    try:
        process = Process(marks["boot-id"], marks["pid-namespace"], int(marks["pid"]), int(marks["started"]))
    except (KeyError, ValueError):
        return None
    # kill(2) takes other numbers for groups of processes, and has a largest.
    return process if 0 < process.pid < 2**31 else None


def _version(found: Object) -> tuple[str, str]:
    return objects.uid(found), str((found.get("metadata") or {}).get("resourceVersion", ""))


def _micro(moment: datetime) -> str:
    """As the API wants a MicroTime: six digits, Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
