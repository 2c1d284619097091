"""Decides which side issues if the cluster site's load balancer is slow: the side that gets an address first.

The cluster site keeps its link access while the client sites get theirs. When one side has an address, the link access
of the other side is removed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hzlink.apply.steps import applying
from hzlink.apply.steps.context import Run
from hzlink.apply.steps.site import NO_ADDRESS, SITES, is_reachable
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.events import Mark
from hzlink.model.topology import Site
from hzlink.observe import links
from hzlink.observe.snapshot import observe_all
from hzlink.plan import foreign, manifests, planner
from hzlink.plan.drift import drift
from hzlink.programs import hints
from hzlink.programs.tasks import running


async def client_issues(run: Run) -> bool:
    """Whether the client sites issue instead of the cluster site. The result is the same for all links of a run.

    Raises:
        WaitTimeout: neither side got an address within the run's time limit.
    """
    if run.race is None:
        run.race = asyncio.create_task(_race(run))
    return await asyncio.shield(run.race)


async def _race(run: Run) -> bool:
    cluster = run.topology.cluster
    unlinked = [client for client in run.topology.clients if not _is_linked(run, client)]
    # If all client sites have a link, the links do not work.
    clients = unlinked or list(run.topology.clients)
    if not all(foreign.can_issue(run.topology, run.snapshots[client]) for client in clients):
        # hzlink does not change the link access of a Skupper Site that it did not make for this topology.
        await _reachable(run, [cluster])
        return False
    for client in clients:
        await _link_access(run, client, wanted=True)
    async with running(_reachable(run, [cluster]), _reachable(run, clients)) as (one, others):
        try:
            await _until_first(one, others)
        except WaitTimeout as error:
            raise _no_address(run, error) from None
    won_by_clients = _succeeded(others) and not _succeeded(one)
    for loser in [cluster] if won_by_clients else clients:
        await _link_access(run, loser, wanted=False)
    return won_by_clients


def _is_linked(run: Run, client: Site) -> bool:
    cluster = run.topology.cluster
    return any(links.between(run.snapshots, *pair) for pair in ((client, cluster), (cluster, client)))


async def _until_first(*tasks: asyncio.Task[None]) -> None:
    """Returns when one task succeeds. If all fail, it raises the first task's error."""
    waiting = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if any(_succeeded(task) for task in done):
            return
    tasks[0].result()


def _succeeded(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _reachable(run: Run, sites: Sequence[Site]) -> None:
    """Waits until all sites have an address."""

    async def one(site: Site) -> None:
        name = planner.skupper_name(site, run.snapshots)
        await run.wait(run.kubectl(site), "Site reachable").watch(SITES, is_reachable(name), name=name)

    await asyncio.gather(*map(one, sites))


async def _link_access(run: Run, site: Site, *, wanted: bool) -> None:
    """Enables or disables a site's link access."""
    rendered = await manifests.render(run.topology, site, planner.skupper_name(site, run.snapshots), wanted)
    [skupper_site] = [item for item in rendered if item["kind"] == "Site"]
    live = (await observe_all([site], ("Site",)))[site].skupper_site
    if not foreign.is_foreign(run.topology, live) and drift(skupper_site, live):
        await applying.apply(run, site, [skupper_site])
        state = "enabled, in addition to the other side's" if wanted else "disabled: the other side issues"
        run.emit_for(Mark.NOTE, site, f"link access {state}", f"{site.name}/access")


def _no_address(run: Run, error: WaitTimeout) -> HzlinkError:
    if not (error.said or "").startswith(NO_ADDRESS):
        return error
    error.message = "neither side can issue: no load balancer gives one of them an address"
    error.subject = "Service skupper-router"
    error.next_step = hints.kubectl(run.topology.cluster, "describe service skupper-router")
    return error
