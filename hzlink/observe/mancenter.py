"""What Management Center is connected to, read from the members' own logs. Pure.

Its own endpoints for that are Enterprise features. The lines are Hazelcast 5.5's: `Received auth from
Connection[id=N, ...], successfully authenticated, clientUuid: U, client name: MC-Client-<cluster name>`, and when a
connection ends `Destroying ClientEndpoint{connection=Connection[id=N, ...], clientUuid=U ...}`. Connections are
counted, by the id that the member gives each, and not clients: after a rolling restart of the members a Java client
(5.5) opens a second connection each second for some 45 s and closes it again, while the first one stays open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hzlink.model.conditions import Condition, State

_OPENED = re.compile(
    r"Received auth from Connection\[id=(\d+)\b.*successfully authenticated, clientUuid: ([0-9a-f-]+), "
    r"client name: MC-Client-"
)
_CLOSED = re.compile(r"Destroying ClientEndpoint\{connection=Connection\[id=(\d+)\b")
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
    for (pod, _), (client, since) in _open_connections(log).items():
        # Of several connections to one member, the oldest says since when.
        seen.setdefault(client, {}).setdefault(pod, since)
    return seen


def _open_connections(log: str) -> dict[tuple[str, str], tuple[str, str]]:
    """By pod and connection id, in the order of the log: the client's UUID, and since when.

    The ids are a member's own, and start again with its process; `kubectl logs` prints one process's lines.
    """
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for line in log.splitlines():
        # Most lines are about something else.
        if "clientUuid" not in line or (pod := _POD.match(line)) is None:
            continue
        if opened := _OPENED.search(line):
            found[pod[1], opened[1]] = (opened[2], f"{pod[2]}Z" if pod[2] else "")
        elif closed := _CLOSED.search(line):
            found.pop((pod[1], closed[1]), None)
    return found


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
