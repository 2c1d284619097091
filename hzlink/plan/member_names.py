"""The members' names at a client site, which Skupper makes from its Listener: whether they are there yet. Pure."""

from __future__ import annotations

from hzlink.model import conditions
from hzlink.model.choices import Mode
from hzlink.model.topology import Site, Topology
from hzlink.observe.snapshot import Snapshots


def are_missing(topology: Topology, snapshots: Snapshots, client: Site) -> bool:
    """Whether a client site lacks the Service of a member, or in unisocket mode one that leads to a member."""
    if topology.settings.mode is not Mode.UNISOCKET:
        return bool(conditions.missing_names(snapshots[client].of("Service"), topology.member_names))
    listener = snapshots[client].get("Listener", topology.service)
    connector = snapshots[topology.cluster].get("Connector", topology.service)
    # The condition of one of them may lag (skupper issue 2428).
    return not conditions.matched(listener).ok and (listener is None or not conditions.matched(connector).ok)


def until(topology: Topology) -> str:
    """What a step that waits for the names waits for."""
    if topology.settings.mode is Mode.UNISOCKET:
        return f"until Service {topology.service} leads to the members"
    return f"until Services {', '.join(topology.member_names)} exist"
