"""Observes a topology's sites and the members' logs, whether hzlink deployed the members or not. Never writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hzlink.model.topology import Topology
from hzlink.observe import existing_members
from hzlink.observe.snapshot import OBSERVE_DEADLINE_SECONDS, STATUS_KINDS, Snapshots, member_log, observe_all


async def observe_topology(
    topology: Topology,
    kinds: Sequence[str] = STATUS_KINDS,
    deadline: float = OBSERVE_DEADLINE_SECONDS,
    *,
    managed: bool = False,
    evidence: bool = False,
) -> Snapshots:
    """Observes all sites, including the members' logs. See `snapshot.observe`.

    The logs of hzlink's own members are read in parallel with the objects. For other members, the objects show first
    whose logs to read.
    """
    own = topology.member_selector if topology.settings.members_from is None else ""
    snapshots = await observe_all(topology.sites, kinds, deadline, log_selector=own, managed=managed, evidence=evidence)
    cluster = snapshots[topology.cluster]
    found = existing_members.find(topology, cluster)
    if found is None or not found.selector.requirements or cluster.error is not None:
        return snapshots
    log = await member_log(topology.cluster, str(found.selector), deadline)
    return {**snapshots, topology.cluster: replace(cluster, member_log=log)}
