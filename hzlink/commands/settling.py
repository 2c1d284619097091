"""Settles what depends on the members: which there are, and with `--mode auto` how clients connect to them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hzlink.model.errors import UsageError
from hzlink.model.existing_members import DEFAULT_CLUSTER, NOT_ASKED, Advertised
from hzlink.model.topology import Topology
from hzlink.observe import existing_members
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.plan import modes, scaling
from hzlink.programs import hints


@dataclass(frozen=True)
class Settled:
    """The topology with its members and its mode. `advertised`: what members that hzlink did not deploy tell clients.

    `notes`: what was found, and why this mode was chosen, for the user.
    """

    topology: Topology
    advertised: Advertised = NOT_ASKED
    notes: tuple[str, ...] = ()


class Settler:
    """Settles the topology of one command, which may observe it several times: a member is asked only once."""

    def __init__(self) -> None:
        self._advertised = NOT_ASKED

    async def settled(self, topology: Topology, snapshots: Snapshots, *, ask: bool = False) -> Settled:
        """The settled topology. Writes nothing.

        `ask`: ask a member for the addresses that it tells clients also if the mode does not depend on them.

        Raises:
            UsageError: a setting of members that hzlink did not deploy was given for its own.
        """
        cluster = snapshots[topology.cluster]
        topology = scaling.with_current_members(topology, snapshots)
        if topology.found is None:
            _refuse_settings_of_others(topology)
        elif (topology.settings.mode_auto or ask) and not self._advertised.known:
            self._advertised = await _ask(topology, cluster)
        notes = _notes(topology, cluster)
        if topology.settings.mode_auto:
            connector = existing_members.connector_of_source(topology, cluster)
            choice = modes.choose(topology.found, connector, self._advertised)
            topology = replace(topology, settings=replace(topology.settings, mode=choice.mode))
            notes += (choice.why,) if choice.why else ()
        return Settled(topology, self._advertised, notes)


def _refuse_settings_of_others(topology: Topology) -> None:
    settings = topology.settings
    option = "--members-port" if settings.members_port is not None else ""
    if settings.hazelcast_cluster not in (None, DEFAULT_CLUSTER):
        option = "--hazelcast-cluster"
    if option:
        raise UsageError(
            f"{option} is for members that hzlink does not deploy: give --members-from, too",
            said=f"hzlink's own members form cluster {DEFAULT_CLUSTER} and use port {topology.member_port}",
            next_step=hints.hzlink("up --help"),
        )


async def _ask(topology: Topology, cluster: Snapshot) -> Advertised:
    # Imported here: it loads the modules for traffic, and most runs ask no member.
    from hzlink.verify import advertised

    ready = existing_members.ready_names(topology, cluster)
    return await advertised.ask(topology.cluster, ready, topology.member_port, topology.cluster_name)


def _notes(topology: Topology, cluster: Snapshot) -> tuple[str, ...]:
    if topology.found is None:
        return ()
    return (f"members: {existing_members.described(topology, cluster)}; hzlink deploys none and changes none",)
