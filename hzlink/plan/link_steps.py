"""Plans the steps of `hzlink link`. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from hzlink.model.topology import Site, Topology
from hzlink.observe import losses
from hzlink.observe.snapshot import Snapshots
from hzlink.plan import member_names, planner
from hzlink.plan.planner import Action, Step


def make(topology: Topology, snapshots: Snapshots, *, repair: bool = False) -> list[Step]:
    """The steps of `link`; `topology` has the mode in which clients connect.

    `repair`: include the steps that repair what Skupper has lost.
    """
    chosen = planner.issuers(topology, snapshots)
    steps = [*planner.leftover_steps(topology, snapshots), *planner.access_steps(topology, snapshots)]
    before = frozenset(step.key for step in steps)
    for client in topology.linked:
        if why := planner.why_to_link(topology, snapshots, client, chosen[client]):
            steps.append(Step(Action.LINK, client, why, before))
    linking = frozenset(step.key for step in steps if step.action is Action.LINK)
    repairs = planner.repair_steps(topology, snapshots) if repair else []
    repairing = frozenset(step.key for step in repairs)
    names = []
    for client in topology.clients:
        needs = linking & {planner.key(site, Action.LINK) for site in (client, topology.cluster)} | repairing
        if needs or _names_are_due(topology, snapshots, client):
            names.append(Step(Action.NAMES, client, member_names.until(topology), needs))
    return [*steps, *repairs, *names]


def are_linked(topology: Topology, steps: Sequence[Step]) -> list[Site]:
    """The linked sites that need no link step."""
    linking = {step.site for step in steps if step.action is Action.LINK}
    return [site for site in topology.linked if site not in linking]


def _names_are_due(topology: Topology, snapshots: Snapshots, client: Site) -> bool:
    """Whether Skupper has all that it makes the members' names from, and has not made them yet.

    It makes them some time after the Link is Ready, which is when an interrupted run may have ended.
    """
    cluster = topology.cluster
    if any(lost.client == client for lost in losses.lost_members(topology, snapshots)):
        return False
    listener = snapshots[client].get("Listener", topology.service)
    connector = snapshots[cluster].get("Connector", topology.service)
    if listener is None or connector is None or not planner.members_ready(topology, snapshots[cluster]):
        return False
    return member_names.are_missing(topology, snapshots, client)
