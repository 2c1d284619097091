"""The Lease that allows one run to write at a time: makes it, reads it, and judges the Lease of another run. Pure.

Clocks of other machines are not trusted. A Lease that seems to have expired is watched for its whole duration, measured
by the own clock, and is taken only if it does not change meanwhile.
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

# A run that cannot renew its Lease for this time stops, so it is longer than the restart of an API server.
DURATION_SECONDS = 30.0
RENEW_SECONDS = DURATION_SECONDS / 3

_ANNOTATION_PREFIX = "hzlink.io"


@dataclass(frozen=True)
class Process:
    """A process on a machine: boot ID, PID namespace, PID, and its start in clock ticks since the machine's start."""

    boot: str
    namespace: str
    pid: int
    started: int


@dataclass(frozen=True)
class Holder:
    """A run: its name for messages, its unique ID, and its process if that is known."""

    name: str
    run: str
    process: Process | None = None


class Verdict(StrEnum):
    """The state of another run's Lease: HELD by a run, DEAD (its process has ended), or possibly EXPIRED."""

    HELD = "held"
    DEAD = "dead"
    EXPIRED = "silent"


def ref() -> Ref:
    """The Lease in the cluster site's namespace. All topologies there have the same one, because they share Sites."""
    return Ref(RESOURCES["Lease"], "hzlink")


def make(topology_name: str, holder: Holder, now: datetime, before: Object | None = None) -> dict[str, Any]:
    """The Lease for `holder`, acquired at `now`. It replaces `before` if that was not changed since it was read."""
    metadata: dict[str, Any] = {
        "name": ref().name,
        "labels": labels(topology_name),
        "annotations": annotations_of(holder),
    }
    transitions = 0
    if before is not None:
        metadata["resourceVersion"] = before["metadata"]["resourceVersion"]
        transitions = int(objects.spec(before).get("leaseTransitions") or 0) + 1
    spec = {
        "holderIdentity": holder.name,
        "acquireTime": _micro(now),
        "renewTime": _micro(now),
        "leaseDurationSeconds": int(DURATION_SECONDS),
        "leaseTransitions": transitions,
    }
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def renewed(mine: Object, now: datetime) -> dict[str, Any]:
    """The same Lease with a new renewTime. The server accepts it only if the Lease was not changed since."""
    return {**mine, "spec": {**objects.spec(mine), "renewTime": _micro(now)}}


def holder(found: Object) -> Holder:
    """The holder of a Lease. Any user of the namespace may have written its fields, so they may be invalid."""
    marks = _marks(found)
    return Holder(str(objects.spec(found).get("holderIdentity") or "somebody"), marks.get("run", ""), _process(marks))


def is_mine(found: Object, me: Holder) -> bool:
    """Whether this run holds the Lease."""
    return holder(found).run == me.run


def judge(found: Object, now: datetime, runs: bool | None) -> Verdict:
    """The state of another run's Lease.

    `runs`: whether the holder's process runs; None for a process on another machine. A Lease is HELD while its
    renewTime is close to `now`; a time far in the past or in the future proves nothing, because the other clock may be
    wrong.
    """
    if runs is False:
        return Verdict.DEAD
    renewed_at = objects.moment(objects.spec(found).get("renewTime"))
    if renewed_at is None:
        return Verdict.EXPIRED
    return Verdict.HELD if abs(now - renewed_at) <= timedelta(seconds=DURATION_SECONDS) else Verdict.EXPIRED


def changed(before: Object, after: Object) -> bool:
    """Whether the Lease was changed between two reads, which proves that its holder runs."""
    return _version(before) != _version(after)


def describe(found: Object, now: datetime) -> str:
    """The holder and the time since when it holds the Lease, for messages."""
    since = objects.moment(objects.spec(found).get("acquireTime"))
    if since is None:
        return holder(found).name
    seconds = (now - since).total_seconds()
    ago = f", {seconds:.0f} s ago" if 0 <= seconds < 3600 else ""
    return f"{holder(found).name}, since {since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC{ago}"


def annotations_of(one: Holder) -> dict[str, str]:
    """The annotations that identify the run of an object."""
    marks = {f"{_ANNOTATION_PREFIX}/run": one.run}
    if one.process is not None:
        marks |= {
            f"{_ANNOTATION_PREFIX}/boot-id": one.process.boot,
            f"{_ANNOTATION_PREFIX}/pid-namespace": one.process.namespace,
            f"{_ANNOTATION_PREFIX}/pid": str(one.process.pid),
            f"{_ANNOTATION_PREFIX}/started": str(one.process.started),
        }
    return marks


def _marks(found: Object) -> dict[str, str]:
    annotations = (found.get("metadata") or {}).get("annotations") or {}
    return {key.removeprefix(f"{_ANNOTATION_PREFIX}/"): str(value) for key, value in annotations.items()}


def _process(marks: Mapping[str, str]) -> Process | None:
    try:
        process = Process(marks["boot-id"], marks["pid-namespace"], int(marks["pid"]), int(marks["started"]))
    except (KeyError, ValueError):
        return None
    # Other numbers are process groups for kill(2), or exceed its range.
    return process if 0 < process.pid < 2**31 else None


def _version(found: Object) -> tuple[str, str]:
    return objects.uid(found), str((found.get("metadata") or {}).get("resourceVersion", ""))


def _micro(moment: datetime) -> str:
    """A time as the API's MicroTime: six digits, Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
