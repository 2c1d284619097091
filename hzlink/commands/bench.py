"""`hzlink bench`: compares round trips to the members through the link with direct ones at the cluster site."""

from __future__ import annotations

import asyncio
import time

from hzlink.commands.verify import plan_for
from hzlink.config.resolve import Config
from hzlink.model.errors import HzlinkError, UsageError, WaitTimeout
from hzlink.model.events import Emit
from hzlink.model.topology import Site, Topology
from hzlink.observe.snapshot import OBSERVE_DEADLINE_SECONDS, observe_all
from hzlink.programs import hints
from hzlink.render import result
from hzlink.render.result import Result
from hzlink.report import report
from hzlink.verify import member_client
from hzlink.verify.bench import bench_site


async def bench(
    config: Config,
    emit: Emit,
    *,
    seconds: float,
    only: str | None = None,
    cluster_name: str | None = None,
) -> Result:
    """Measures and returns the comparison. Writes values to a new map at the members, and removes the map.

    Args:
        config: the configuration.
        emit: gets the progress events.
        seconds: duration for each value size and each path.
        only: the client site's name; None for the first.
        cluster_name: the Hazelcast cluster's name; None for the default.
    """
    member_client.require()
    topology = config.topology
    client = _client(topology, only)
    began = time.monotonic()
    snapshots = await observe_all(topology.sites, deadline=min(OBSERVE_DEADLINE_SECONDS, config.timeout))
    errors = [error for site in (topology.cluster, client) if (error := snapshots[site].error)]
    if errors:
        return result.of_errors("bench", errors)
    plan = plan_for(report.make(topology, snapshots), snapshots, client, cluster_name)
    try:
        async with asyncio.timeout(max(0.0, config.timeout - (time.monotonic() - began))):
            comparison = await bench_site(plan, topology.cluster, seconds, emit)
    except TimeoutError:
        raise WaitTimeout(
            "timed out measuring",
            waited=time.monotonic() - began,
            next_step=f"{hints.hzlink('bench')} --seconds LESS   (or: --timeout MORE)",
        ) from None
    except HzlinkError as error:
        error.site = error.site or client.name
        error.next_step = error.next_step or f"{hints.hzlink('verify')}   (names what does not answer)"
        raise
    return Result("bench", comparison=comparison)


def _client(topology: Topology, only: str | None) -> Site:
    for client in topology.clients:
        if only in (None, client.name):
            return client
    names = ", ".join(client.name for client in topology.clients)
    raise UsageError(f"there is no client site {only!r}", said=f"client sites: {names}")
