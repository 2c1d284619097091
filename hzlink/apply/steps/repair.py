"""Mends what Skupper has lost: adds missing Links, which interrupts nobody, or restarts a router.

A restart of the router's pod is what brings a lost record back; nothing gentler did (Skupper 2.2.1, tried).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from hzlink.apply.steps.context import Run
from hzlink.linking import token_flow
from hzlink.model import conditions, objects
from hzlink.model.conditions import Condition, State
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.events import Mark
from hzlink.model.objects import RESOURCES, Object, Ref
from hzlink.model.topology import WORKLOAD, Site, labels
from hzlink.observe import losses
from hzlink.observe.losses import LostMember
from hzlink.observe.snapshot import Snapshots, observe_all
from hzlink.observe.waiting import Judge, Objects
from hzlink.plan.planner import Step
from hzlink.programs import hints

# Seconds for what interrupts nobody to help, and for the Services after a restart: 21 to 32 s (measured).
GENTLE = 5.0
AFTER_RESTART = 60.0
# Seconds after which a wait for Services looks for lost records, and between two such looks.
LOOK_AFTER = 15.0
LOOK_AGAIN = 5.0
# One restart for each end of a link.
MAX_RESTARTS = 2
_KINDS = ("Site", "Link", "Connector", "Pod", "Service")


async def repair(run: Run, step: Step) -> str:
    """Mends what was lost at one site.

    Raises:
        HzlinkError: it is still lost after that.
    """
    done = []
    if step.items:
        done.append(await _add_links(run, step))
    lost = [one for one in losses.lost_members(run.topology, run.snapshots) if one.site == step.site]
    if lost:
        done.append(await bring_back(run, lost))
    return "; ".join(done) or "nothing to mend"


async def _add_links(run: Run, step: Step) -> str:
    """Adds the Links, and waits until they are up."""
    kubectl = run.kubectl(step.site)
    await kubectl.delete(step.refs)
    marked = [_marked(item, run.topology.name) for item in step.items]
    for item in marked:
        await kubectl.create(item)
    names = {objects.name(item) for item in marked}

    def look(found: Objects) -> Condition:
        waiting = [name for name in sorted(names) if not conditions.skupper(found.get(name)).ok]
        text = "; ".join(f"{name}: {conditions.skupper(found.get(name)).text}" for name in waiting)
        return Condition(State.WAITING, text) if waiting else Condition(State.OK)

    # The change that wakes a new Link.
    for name in sorted(names):
        await token_flow.mark(kubectl, run.topology.name, name)
    await run.wait(kubectl, f"Links {', '.join(sorted(names))}").watch(RESOURCES["Link"], look)
    return f"added Link {', '.join(sorted(names))}: nothing was interrupted"


def _marked(item: Object, topology_name: str) -> Object:
    return {**item, "metadata": {**item["metadata"], "labels": labels(topology_name)}}


async def found_lost(run: Run, client: Site) -> tuple[LostMember, ...]:
    """Looks now and then while a client site waits for its members' Services, and returns once a record is lost."""
    await asyncio.sleep(LOOK_AFTER)
    while True:
        with suppress(HzlinkError):
            found = losses.lost_members(run.topology, await observe_all((run.topology.cluster, client), _KINDS))
            if lost := tuple(one for one in found if one.client == client):
                return lost
        await asyncio.sleep(LOOK_AGAIN)


def error_of(lost: Sequence[LostMember]) -> HzlinkError:
    """The error for lost records that nobody asked to mend."""
    site, names = lost[0].site, ", ".join(one.name for one in lost)
    return HzlinkError(
        f"Skupper has lost the record of {names}",
        site=site.name,
        said=lost[0].text,
        next_step=f"{hints.hzlink('link --repair')}   (restarts the router of {site.name}: {losses.INTERRUPTION})",
    )


async def bring_back(run: Run, lost: Sequence[LostMember]) -> str:
    """Brings lost records back, and waits until the members have their Services at the client sites.

    Raises:
        HzlinkError: they have none after a restart of the routers at both ends.
    """
    site = lost[0].site
    names = ", ".join(dict.fromkeys(one.name for one in lost))
    await _touch(run, lost)
    if await _have_services(run, lost, GENTLE):
        return f"{names} is back: nothing was interrupted"
    restarted: list[str] = []
    while len(restarted) < MAX_RESTARTS:
        await _restart_router(run, site)
        restarted.append(site.name)
        if await _have_services(run, lost, AFTER_RESTART):
            return f"{names} is back after a restart of the router of {' and '.join(restarted)}"
        # What came back at one end may be lacking at the other.
        left = losses.lost_members(run.topology, await _observe(run))
        site = left[0].site if left else lost[0].client
    raise HzlinkError(
        f"{names} has no Service at {lost[0].client.name}, even after a restart of the routers",
        site=site.name,
        said=lost[0].text,
        next_step=hints.hzlink("dump"),
    )


async def _touch(run: Run, lost: Sequence[LostMember]) -> None:
    """Annotates the ends of the way, so that the controllers look at them again."""
    stamp = {"metadata": {"annotations": {"hzlink.io/woken": datetime.now(UTC).isoformat(timespec="milliseconds")}}}
    await run.kubectl(run.topology.cluster).patch(Ref(RESOURCES["Connector"], WORKLOAD), stamp)
    for client in dict.fromkeys(one.client for one in lost):
        await run.kubectl(client).patch(Ref(RESOURCES["Listener"], WORKLOAD), stamp)


async def _have_services(run: Run, lost: Sequence[LostMember], seconds: float) -> bool:
    """Whether every one of the members gets its Service within some seconds."""
    until = min(run.until, time.monotonic() + seconds)
    for client in dict.fromkeys(one.client for one in lost):
        names = [one.name for one in lost if one.client == client]

        def look(found: Objects, names: Sequence[str] = tuple(names)) -> Condition:
            missing = conditions.missing_names(found.values(), names)
            return Condition(State.WAITING, f"no Service yet: {', '.join(missing)}") if missing else Condition(State.OK)

        wait = run.wait(run.kubectl(client), f"Services of {', '.join(names)}")
        wait.until = until
        try:
            await wait.watch(RESOURCES["Service"], look)
        except WaitTimeout:
            if time.monotonic() >= run.until:
                raise
            return False
    return True


async def _restart_router(run: Run, site: Site) -> None:
    """Deletes the site's router pods one after the other; each is made again by its Deployment."""
    kubectl = run.kubectl(site)
    pods = await kubectl.objects([RESOURCES["Pod"]], conditions.ROUTER_SELECTOR)
    for pod in pods:
        name = objects.name(pod)
        run.tell(Mark.NOTE, site, f"restarting the router of {site.name} (pod {name}): {losses.INTERRUPTION}")
        await kubectl.delete([objects.ref(pod)])
        wait = run.wait(kubectl, f"router of {site.name} restarted")
        await wait.watch(RESOURCES["Pod"], _replaced(pod, len(pods)), selector=conditions.ROUTER_SELECTOR)


def _replaced(old: Object, count: int) -> Judge:
    """The judge of a wait that ends when there are as many ready pods as before, and the old one is none of them."""

    def look(found: Objects) -> Condition:
        ready = [pod for pod in found.values() if conditions.is_ready(pod)]
        if len(ready) >= count and objects.uid(old) not in map(objects.uid, ready):
            return Condition(State.OK)
        return Condition(State.WAITING, f"{len(ready)} of {count} router pods are ready")

    return look


async def _observe(run: Run) -> Snapshots:
    return await observe_all(run.topology.sites, _KINDS)
