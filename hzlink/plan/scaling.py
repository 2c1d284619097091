"""How many members there are to be: the user's number, or else the one at which the StatefulSet stands. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hzlink.model import conditions, objects
from hzlink.model.errors import HzlinkError
from hzlink.model.objects import Object
from hzlink.model.topology import WORKLOAD, Topology
from hzlink.observe.snapshot import Snapshots
from hzlink.plan import ownership
from hzlink.programs import hints


def as_scaled(topology: Topology, snapshots: Snapshots) -> Topology:
    """The topology with the StatefulSet's own number of members, where the user gave none.

    Somebody else's StatefulSet of that name does not count: its pods are not this topology's members.
    """
    workload = snapshots[topology.cluster].get("StatefulSet", WORKLOAD)
    if topology.settings.members_given or workload is None or not objects.is_ours(workload, topology.name):
        return topology
    return replace(topology, settings=replace(topology.settings, members=conditions.wanted_replicas(workload)))


def no_members(topology: Topology, snapshots: Snapshots) -> HzlinkError | None:
    """The error where the members are scaled to none, so that nothing can be linked to; None otherwise."""
    if as_scaled(topology, snapshots).settings.members:
        return None
    return HzlinkError(
        "the members are scaled to 0",
        site=topology.cluster.name,
        subject=f"StatefulSet {WORKLOAD}",
        said="spec.replicas is 0: there is no member to link to",
        next_step=hints.hzlink(f"up --members {topology.settings.members}"),
    )


def to_apply(topology: Topology, wanted: Object, live: Object | None) -> Object:
    """What is applied of a wanted object: a number of replicas that somebody else set, and that stands, is left out.

    An autoscaler may change it at any moment. A field that hzlink has not set before is not removed when hzlink leaves
    it out; one that hzlink has set would be.
    """
    if topology.settings.members_given or live is None or wanted.get("kind") != "StatefulSet":
        return wanted
    if not objects.is_ours(live, topology.name):
        return wanted
    if ownership.field(ownership.field(ownership.of(live), "spec"), "replicas") is not None:
        return wanted
    kept: dict[str, Any] = {key: value for key, value in objects.spec(wanted).items() if key != "replicas"}
    return {**wanted, "spec": kept}
