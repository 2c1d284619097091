"""What Management Center is connected to, read from the members' own logs. Pure.

Its own endpoints for that are Enterprise features. The lines are Hazelcast 5.5's: `Received auth from Connection[...],
successfully authenticated, clientUuid: U, client name: MC-Client-<cluster name>`, and when it leaves `Destroying
ClientEndpoint{... clientUuid=U ...}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hzlink.model.conditions import Condition, State

_CAME = re.compile(r"successfully authenticated, clientUuid: ([0-9a-f-]+), client name: MC-Client-")
_LEFT = re.compile(r"Destroying ClientEndpoint\{.*clientUuid=([0-9a-f-]+)")
# A pod's line as `kubectl logs --prefix` prints it, with its time where that was asked for.
_POD = re.compile(r"\[pod/([^/]+)/[^\]]*\] (?:(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\S*Z )?")
_STARTED = " is STARTED"


@dataclass(frozen=True)
class MancenterView:
    """The members that a Management Center is connected to, and since when (UTC; empty where that is not known).

    `missing` are those whose logs, whole since their start, tell of no connection. Others may be seen or not.
    """

    members: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def count(self) -> str:
        """How many of those of which it is known."""
        return f"{len(self.members)}/{len(self.members) + len(self.missing)}"

    @property
    def since(self) -> str:
        """Since when it is connected to all of `members`."""
        return max(self.members.values(), default="")

    @property
    def sees_no_member(self) -> bool:
        """Whether it is connected to no member."""
        return not self.members

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for `-o json`."""
        members = [{"name": name, "since": since or None} for name, since in sorted(self.members.items())]
        return {"members": members, "missing": list(self.missing)}


def connected(log: str) -> dict[str, dict[str, str]]:
    """For each Management Center that is connected, by its client UUID, the pods that it is connected to, since when.

    `log` is what `kubectl logs --prefix` prints: each pod's lines in order, each with its pod's name in front.
    """
    seen: dict[str, dict[str, str]] = {}
    for line in log.splitlines():
        # Most lines are about something else.
        if "clientUuid" not in line or (pod := _POD.match(line)) is None:
            continue
        if came := _CAME.search(line):
            seen.setdefault(came[1], {})[pod[1]] = f"{pod[2]}Z" if pod[2] else ""
        elif left := _LEFT.search(line):
            seen.get(left[1], {}).pop(pod[1], None)
    return {client: pods for client, pods in seen.items() if pods}


def view(log: str | None, members: Sequence[str], centers: int) -> MancenterView | None:
    """What each of so many Management Centers sees of these members; None where the logs do not tell.

    They do not tell one Management Center from another: of several, all have to see the same.
    """
    if not log:
        return None
    known = [{pod: since for pod, since in pods.items() if pod in members} for pods in connected(log).values()]
    best = sorted(known, key=len, reverse=True)[:centers]
    if best and (len(best) < centers or any(pods.keys() != best[0].keys() for pods in best)):
        return None
    seen = best[0] if best else {}
    whole = _started(log)
    missing = tuple(name for name in members if name not in seen and name in whole)
    return MancenterView(seen, missing) if seen or missing else None


def _started(log: str) -> set[str]:
    """The pods whose log reaches back to the member's start: what is not in such a log did not happen."""
    return {pod[1] for line in log.splitlines() if _STARTED in line and (pod := _POD.match(line))}


def condition(seen: MancenterView | None) -> Condition:
    """The condition of a ready Management Center by what it sees; without that knowledge, it counts as connected."""
    if seen is None:
        return Condition(State.OK)
    if not seen.missing:
        return Condition(State.OK, f"sees {seen.count}")
    whom = "no member" if seen.sees_no_member else f"{seen.count} members, not {', '.join(seen.missing)}"
    return Condition(State.WAITING, f"ready, but connected to {whom}, by the members' logs")
