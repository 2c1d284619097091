"""Reads the connections of Management Center from the members' logs. Pure.

Management Center's own endpoints for this are Enterprise features. The lines are Hazelcast 5.5's: `Received auth from
Connection[id=N, ...], successfully authenticated, clientUuid: U, client name: MC-Client-<cluster name>`, and when a
connection ends `Destroying ClientEndpoint{connection=Connection[id=N, ...], clientUuid=U ...}`. Connections are
counted by the member's connection id, not by client: after a rolling restart of the members a Java client (5.5) opens a
second connection each second for about 45 s and closes it again, while the first one stays open.
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
# The prefix of a line of `kubectl logs --prefix`, with the time of `--timestamps` if there is one.
_POD = re.compile(r"\[pod/([^/]+)/[^\]]*\] (?:(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\S*Z )?")
_STARTED = " is STARTED"


@dataclass(frozen=True)
class MancenterView:
    """The members that a Management Center is connected to, and since when (UTC; empty if not known).

    `missing`: members whose log is complete since their start and has no connection. For other members it is not known.
    """

    members: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def count(self) -> str:
        """The number of connected members, of those for which it is known: `2/3`."""
        return f"{len(self.members)}/{len(self.members) + len(self.missing)}"

    @property
    def since(self) -> str:
        """When the last of `members` was connected (UTC)."""
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
    """For each connected Management Center, by its client UUID: its pods, and since when it is connected to each.

    `log`: the output of `kubectl logs --prefix`, with the lines of each pod in order.
    """
    seen: dict[str, dict[str, str]] = {}
    for (pod, _), (client, since) in _open_connections(log).items():
        # The oldest of several connections to a member counts.
        seen.setdefault(client, {}).setdefault(pod, since)
    return seen


def _open_connections(log: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Open connections by pod and connection id, in the order of the log: the client's UUID, and since when.

    The ids are unique in a member's process; `kubectl logs` prints the lines of one process.
    """
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for line in log.splitlines():
        # Skip most lines without a regular expression.
        if "clientUuid" not in line or (pod := _POD.match(line)) is None:
            continue
        if opened := _OPENED.search(line):
            found[pod[1], opened[1]] = (opened[2], f"{pod[2]}Z" if pod[2] else "")
        elif closed := _CLOSED.search(line):
            found.pop((pod[1], closed[1]), None)
    return found


def view(log: str | None, members: Sequence[str], centers: int) -> MancenterView | None:
    """The view of each of `centers` Management Centers on these members; None if the logs do not show it.

    The logs do not identify a Management Center's site, so the result is None unless all of them see the same members.
    """
    if not log:
        return None
    known = [{pod: since for pod, since in pods.items() if pod in members} for pods in connected(log).values()]
    best = sorted(known, key=len, reverse=True)[:centers]
    if best and (len(best) < centers or any(pods.keys() != best[0].keys() for pods in best)):
        return None
    seen = best[0] if best else {}
    complete = _with_complete_log(log)
    missing = tuple(name for name in members if name not in seen and name in complete)
    return MancenterView(seen, missing) if seen or missing else None


def _with_complete_log(log: str) -> set[str]:
    """The pods whose log begins before the member's start, so that it contains all connections."""
    return {pod[1] for line in log.splitlines() if _STARTED in line and (pod := _POD.match(line))}


def condition(seen: MancenterView | None) -> Condition:
    """The condition of a ready Management Center by its connections; if they are not known, it counts as connected."""
    if seen is None:
        return Condition(State.OK)
    if not seen.missing:
        return Condition(State.OK, f"sees {seen.count}")
    members = "no member" if seen.sees_no_member else f"{seen.count} members, not {', '.join(seen.missing)}"
    return Condition(State.WAITING, f"ready, but connected to {members} (from the members' logs)")
