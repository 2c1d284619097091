"""Which clusters the members have formed, read from their own logs. Pure.

The lines are Hazelcast 5.5's. Each begins with `[address]:port [cluster name] [version]`; with every change of the
member list a member prints `Members {size:3, ver:3} [`, a line `Member [address]:port - UUID` for each, and `this`
after its own. Members that do not find each other are ready all the same: each is a cluster of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_POD = re.compile(r"\[pod/([^/]+)/[^\]]*\] ")
_PREFIX = re.compile(r"\[[^\]\s]+\]:\d+ \[([^\]]+)\] \[\d+\.\d+[^\]]*\] ")
_LIST = re.compile(r"Members \{size:(\d+), ver:\d+\} \[")
_ENTRY = re.compile(r"Member \[[^\]]+\]:\d+ - ([0-9a-f-]{36})( this)?\b")
# From Hazelcast's sources: what a member prints that the others do not take, for example because of its version.
_REFUSED = re.compile(r"Reason of failure for node join: (.+?)\s*$")


@dataclass(frozen=True)
class Membership:
    """What a member says of its cluster: the cluster's name, its own UUID, and those of all members that it sees."""

    name: str
    uuid: str
    members: frozenset[str]


def memberships(log: str) -> dict[str, Membership]:
    """By pod, what each member said last. Without those whose log does not hold a whole member list.

    `log` is what `kubectl logs --prefix` prints.
    """
    names: dict[str, str] = {}
    pending: dict[str, tuple[int, list[tuple[str, bool]]]] = {}
    found: dict[str, Membership] = {}
    for line in log.splitlines():
        if (pod := _POD.match(line)) is None:
            continue
        if prefix := _PREFIX.search(line):
            names[pod[1]] = prefix[1]
        if start := _LIST.search(line):
            pending[pod[1]] = (int(start[1]), [])
        elif pod[1] in pending and (entry := _ENTRY.search(line)):
            size, listed = pending[pod[1]]
            listed.append((entry[1], bool(entry[2])))
            if len(listed) == size:
                del pending[pod[1]]
                own = next((uuid for uuid, this in listed if this), "")
                found[pod[1]] = Membership(names.get(pod[1], ""), own, frozenset(uuid for uuid, _ in listed))
    return {pod: one for pod, one in found.items() if one.uuid}


def refusals(log: str) -> dict[str, str]:
    """By pod, why the other members did not take it, in Hazelcast's words: the last reason in its log."""
    found = {}
    for line in log.splitlines():
        if (reason := _REFUSED.search(line)) and (pod := _POD.match(line)):
            found[pod[1]] = reason[1]
    return found


def clusters(log: str | None, pods: Iterable[str]) -> list[tuple[str, ...]]:
    """The clusters that these pods have formed, the largest first; those whose log does not tell are left out.

    Two are apart if neither sees the other: while members come and go, one of two may be late.
    """
    said = memberships(log) if log else {}
    groups: list[set[str]] = []
    for pod in sorted(set(pods) & said.keys()):
        joined = [group for group in groups if any(_sees(said, pod, other) for other in group)]
        groups = [group for group in groups if group not in joined] + [{pod}.union(*joined)]
    return sorted((tuple(sorted(group)) for group in groups), key=lambda group: (-len(group), group))


def _sees(said: Mapping[str, Membership], one: str, other: str) -> bool:
    return said[other].uuid in said[one].members or said[one].uuid in said[other].members


def trouble(log: str | None, pods: Iterable[str]) -> str:
    """What is wrong with the clusters that these pods have formed; empty where they are one, or nothing tells."""
    found = clusters(log, pods)
    if len(found) < 2:
        return ""
    said = memberships(log or "")
    names = [said[group[0]].name for group in found]
    if len(set(names)) > 1:
        groups = [f"{', '.join(group)} ({name})" for group, name in zip(found, names, strict=True)]
        return f"members have different cluster names, so they do not join: {'; '.join(groups)}"
    sizes = [f"{', '.join(group)} (Members {{size:{len(said[group[0]].members)}}})" for group in found]
    return f"the members formed {len(found)} clusters instead of one, by their logs: {'; '.join(sizes)}"
