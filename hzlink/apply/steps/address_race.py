"""Which side issues where the cluster site's load balancer is slow: the one that gets an address first.

Link access that is on its way is never dropped: the client sites get theirs beside the cluster site's, and only when
one side has its address is the other's taken back.
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


async def client_issues(run: Run) -> bool:
    """Whether the client sites issue; False: the cluster site does. All links of a run get the same answer.

    Raises:
        WaitTimeout: neither side got an address within the run's time.
    """
    if run.race is None:
        run.race = asyncio.create_task(_race(run))
    return await asyncio.shield(run.race)


async def _race(run: Run) -> bool:
    cluster = run.topology.cluster
    unlinked = [client for client in run.topology.clients if not _is_linked(run, client)]
    # Where all have a link, it is one that does not work.
    clients = unlinked or list(run.topology.clients)
    if not all(foreign.can_issue(run.topology, run.snapshots[client]) for client in clients):
        # A Skupper Site of others is not given link access.
        await _reachable(run, [cluster])
        return False
    for client in clients:
        await _link_access(run, client, wanted=True)
    one = asyncio.create_task(_reachable(run, [cluster]))
    others = asyncio.create_task(_reachable(run, clients))
    try:
        await _first(one, others)
    except WaitTimeout as error:
        raise _no_address(run, error) from None
    finally:
        for task in (one, others):
            task.cancel()
        await asyncio.gather(one, others, return_exceptions=True)
    won_by_clients = _is_done_well(others) and not _is_done_well(one)
    for loser in [cluster] if won_by_clients else clients:
        await _link_access(run, loser, wanted=False)
    return won_by_clients


def _is_linked(run: Run, client: Site) -> bool:
    cluster = run.topology.cluster
    return any(links.between(run.snapshots, *pair) for pair in ((client, cluster), (cluster, client)))


async def _first(*tasks: asyncio.Task[None]) -> None:
    """Ends when one of them ends well, or all have failed: then raises what the first one raised."""
    waiting = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if any(_is_done_well(task) for task in done):
            return
    tasks[0].result()


def _is_done_well(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _reachable(run: Run, sites: Sequence[Site]) -> None:
    """Waits until all of the sites have an address."""

    async def one(site: Site) -> None:
        name = planner.skupper_name(site, run.snapshots)
        await run.wait(run.kubectl(site), "Site reachable").watch(SITES, is_reachable(name), name=name)

    await asyncio.gather(*map(one, sites))


async def _link_access(run: Run, site: Site, *, wanted: bool) -> None:
    """Switches a site's link access."""
    rendered = await manifests.render(run.topology, site, planner.skupper_name(site, run.snapshots), wanted)
    [skupper_site] = [item for item in rendered if item["kind"] == "Site"]
    live = (await observe_all([site], ("Site",)))[site].skupper_site
    if not foreign.is_foreign(run.topology, live) and drift(skupper_site, live):
        await applying.apply(run, site, [skupper_site])
        state = "on, beside the other side's" if wanted else "off: the other side issues"
        run.tell(Mark.NOTE, site, f"link access {state}", f"{site.name}/turn")


def _no_address(run: Run, error: WaitTimeout) -> HzlinkError:
    if not (error.said or "").startswith(NO_ADDRESS):
        return error
    error.message = "no side can be linked to: neither site's load balancer gives it an address"
    error.subject = "Service skupper-router"
    error.next_step = hints.kubectl(run.topology.cluster, "describe service skupper-router")
    return error
