"""The settings of members that hzlink does not deploy: which source of settings counts, and their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hzlink.model import existing_members
from hzlink.model.errors import UsageError
from hzlink.model.existing_members import NONE, Source
from hzlink.model.topology import Topology

# Settings of members that hzlink deploys.
_OWN = {"members": "--members", "image": "--image"}
# Settings of members that it does not deploy.
_THEIRS = ("members_port", "hazelcast_cluster")
MAX_CLUSTER_NAME = 255


def without_outranked(sources: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The sources without settings that a higher source's `members_from` makes meaningless. The highest comes first.

    Raises:
        UsageError: a source that counts as much as that of `members_from`, or more, sets the number or the image of
            hzlink's own members.
    """
    rank = next((number for number, source in enumerate(sources) if "members_from" in source), None)
    if rank is None:
        return list(sources)
    chosen = str(sources[rank]["members_from"])
    outranked = _THEIRS if chosen == NONE else (*_THEIRS, *_OWN)
    if chosen != NONE:
        for key, option in _OWN.items():
            if any(key in source for source in sources[: rank + 1]):
                raise UsageError(
                    f"{option} is for members that hzlink deploys, but the members are those of {chosen}",
                    said="hzlink deploys and changes no members with --members-from",
                    next_step=f"leave out {option}, or --members-from {NONE} for members that hzlink deploys",
                )
    return [*sources[: rank + 1], *(_without(source, outranked) for source in sources[rank + 1 :])]


def _without(source: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in source.items() if key not in keys}


def parse(value: object) -> tuple[Source | None, bool]:
    """The source, and whether the user said that hzlink deploys the members.

    Raises:
        UsageError: the value has none of the forms of --members-from.
    """
    if value is None:
        return None, False
    if value == NONE:
        return None, True
    try:
        return existing_members.parse(str(value)), False
    except ValueError as error:
        raise UsageError(
            f"--members-from {str(value)!r}: {error}", said=f"it takes {existing_members.FORMS} or {NONE}"
        ) from None


def refuse_restart(topology: Topology) -> None:
    """Refuses --allow-restart for members that hzlink does not deploy.

    Raises:
        UsageError: these are such members.
    """
    if topology.settings.members_from is not None:
        raise UsageError(
            f"--allow-restart is for members that hzlink deploys, but these are {topology.settings.members_from.title}",
            next_step="leave out --allow-restart: hzlink never stops these members",
        )


def cluster_name(value: object) -> str | None:
    """The name of the Hazelcast cluster, if the user gave one.

    Raises:
        UsageError: it is empty, too long, or has control characters.
    """
    if value is None:
        return None
    name = str(value)
    if not name.strip() or len(name) > MAX_CLUSTER_NAME or not name.isprintable():
        raise UsageError(f"--hazelcast-cluster {name!r} is not a Hazelcast cluster's name")
    return name
