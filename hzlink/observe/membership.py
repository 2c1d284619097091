"""Reads from the members' logs which Hazelcast clusters they have formed. Pure.

The lines are Hazelcast 5.5's. Each begins with `[address]:port [cluster name] [version]`; with every change of the
member list a member prints `Members {size:3, ver:3} [`, a line `Member [address]:port - UUID` for each, and `this`
after its own. Members that do not find each other are nevertheless ready: each forms a separate cluster.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_POD = re.compile(r"\[pod/([^/]+)/[^\]]*\] ")
_PREFIX = re.compile(r"\[[^\]\s]+\]:\d+ \[([^\]]+)\] \[(\d+\.\d+[^\]]*)\] ")
_LIST = re.compile(r"Members \{size:(\d+), ver:\d+\} \[")
_ENTRY = re.compile(r"Member \[[^\]]+\]:\d+ - ([0-9a-f-]{36})( this)?\b")
# From Hazelcast's sources: the message of a member that the other members refuse, for example because of its version.
_REFUSED = re.compile(r"Reason of failure for node join: (.+?)\s*$")


@dataclass(frozen=True)
class Membership:
    """A member's view of its cluster: the cluster's name, its own UUID, and the UUIDs of all members."""

    name: str
    uuid: str
    members: frozenset[str]


@dataclass(frozen=True)
class Identity:
    """What a member is: the name of its Hazelcast cluster, and its version."""

    cluster: str
    version: str


def identities(log: str) -> dict[str, Identity]:
    """The identity of each member, by pod, from the last of its lines that has one.

    `log`: the output of `kubectl logs --prefix`.
    """
    found = {}
    for line in log.splitlines():
        if (pod := _POD.match(line)) and (prefix := _PREFIX.search(line)):
            found[pod[1]] = Identity(prefix[1], prefix[2])
    return found


def memberships(log: str) -> dict[str, Membership]:
    """Each member's last view, by pod. Members whose log has no complete member list are left out.

    `log`: the output of `kubectl logs --prefix`.
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
    """Why the other members refused a member, by pod: the last reason in its log, quoted from Hazelcast."""
    found = {}
    for line in log.splitlines():
        if (reason := _REFUSED.search(line)) and (pod := _POD.match(line)):
            found[pod[1]] = reason[1]
    return found


def clusters(log: str | None, pods: Iterable[str]) -> list[tuple[str, ...]]:
    """The clusters that these pods have formed, the largest first. Pods without a member list in the log are left out.

    Two pods are in different clusters if neither lists the other: during changes, one member list may be outdated.
    """
    said = memberships(log) if log else {}
    groups: list[set[str]] = []
    for pod in sorted(set(pods) & said.keys()):
        joined = [group for group in groups if any(_sees(said, pod, other) for other in group)]
        groups = [group for group in groups if group not in joined] + [{pod}.union(*joined)]
    return sorted((tuple(sorted(group)) for group in groups), key=lambda group: (-len(group), group))


def _sees(said: Mapping[str, Membership], one: str, other: str) -> bool:
    return said[other].uuid in said[one].members or said[one].uuid in said[other].members


def problem(log: str | None, pods: Iterable[str]) -> str:
    """Why these pods are not one cluster; empty if they are, or if the logs do not show it."""
    found = clusters(log, pods)
    if len(found) < 2:
        return ""
    said = memberships(log or "")
    names = [said[group[0]].name for group in found]
    if len(set(names)) > 1:
        groups = [f"{', '.join(group)} ({name})" for group, name in zip(found, names, strict=True)]
        return f"members have different cluster names and do not form one cluster: {'; '.join(groups)}"
    sizes = [f"{', '.join(group)} (Members {{size:{len(said[group[0]].members)}}})" for group in found]
    return f"the members formed {len(found)} clusters instead of one (from their logs): {'; '.join(sizes)}"
