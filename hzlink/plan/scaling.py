"""Decides the number of members: the user's number, otherwise the current number of the StatefulSet. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hzlink.model import conditions, objects
from hzlink.model.errors import HzlinkError
from hzlink.model.objects import Object
from hzlink.model.topology import Topology
from hzlink.observe import existing_members
from hzlink.observe.snapshot import Snapshots
from hzlink.plan import ownership
from hzlink.programs import hints


def with_current_members(topology: Topology, snapshots: Snapshots) -> Topology:
    """The topology with the StatefulSet's current number of members, unless the user gave a number.

    A StatefulSet that hzlink did not make does not count, unless `--members-from` names it: otherwise its pods are not
    members of this topology.
    """
    topology = existing_members.with_found(topology, snapshots[topology.cluster])
    if topology.found is not None:
        return topology
    workload = snapshots[topology.cluster].get("StatefulSet", topology.workload)
    if topology.settings.members_given or workload is None or not objects.is_ours(workload, topology.name):
        return topology
    return replace(topology, settings=replace(topology.settings, members=conditions.wanted_replicas(workload)))


def no_members(topology: Topology, snapshots: Snapshots) -> HzlinkError | None:
    """The error if there is no member to link to, or if members of others cannot be linked; None otherwise."""
    if error := existing_members.problem(topology, snapshots[topology.cluster]):
        return error
    if with_current_members(topology, snapshots).settings.members:
        return None
    return HzlinkError(
        "the members are scaled to 0",
        site=topology.cluster.name,
        subject=f"StatefulSet {topology.workload}",
        said="spec.replicas is 0: there is no member to link to",
        next_step=hints.hzlink(f"up --members {topology.settings.members}"),
    )


def to_apply(topology: Topology, wanted: Object, live: Object | None) -> Object:
    """The object to apply: without `spec.replicas`, if another manager has set that and the user gave no number.

    An autoscaler may change it at any time. An apply without a field removes the field only if hzlink applied it
    before.
    """
    if topology.settings.members_given or live is None or wanted.get("kind") != "StatefulSet":
        return wanted
    if not objects.is_ours(live, topology.name):
        return wanted
    if ownership.field(ownership.field(ownership.of(live), "spec"), "replicas") is not None:
        return wanted
    kept: dict[str, Any] = {key: value for key, value in objects.spec(wanted).items() if key != "replicas"}
    return {**wanted, "spec": kept}
