"""Repairs what Skupper has lost: adds missing Links, which interrupts no connection, or restarts a router.

Only a restart of the router's pod restores a lost record (Skupper 2.2.1, tried). Annotating the objects first is cheap,
and may be enough in other releases.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

from hzlink.apply.steps.context import Run
from hzlink.linking import token_flow
from hzlink.model import conditions, objects
from hzlink.model.conditions import Condition, State
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.events import Mark
from hzlink.model.objects import RESOURCES, Object, Ref
from hzlink.model.topology import Site, labels
from hzlink.observe import losses
from hzlink.observe.losses import LostMember
from hzlink.observe.snapshot import Snapshots, observe_all
from hzlink.observe.waiting import Judge, Objects
from hzlink.plan.planner import Step
from hzlink.programs import hints

# How long to wait for the Services after the annotations, and after a restart: they took 21 to 32 s (measured).
ANNOTATE_LIMIT_SECONDS = 5.0
RESTART_LIMIT_SECONDS = 60.0
# When a wait for Services first checks for lost records, and the time between two checks.
FIRST_OBSERVE_SECONDS = 15.0
OBSERVE_INTERVAL_SECONDS = 5.0
# One restart for each end of a link.
MAX_RESTARTS = 2
_KINDS = ("Site", "Link", "Connector", "Pod", "Service")


async def repair(run: Run, step: Step) -> str:
    """Repairs what was lost at one site.

    Raises:
        HzlinkError: the repair did not help.
    """
    done = []
    if step.items:
        done.append(await _add_links(run, step))
    lost = [one for one in losses.lost_members(run.topology, run.snapshots) if one.site == step.site]
    if lost:
        done.append(await restore(run, lost))
    return "; ".join(done) or "nothing to repair"


async def _add_links(run: Run, step: Step) -> str:
    """Adds the Links and waits until they are Ready."""
    kubectl = run.kubectl(step.site)
    await kubectl.delete(step.refs)
    marked = [_marked(item, run.topology.name) for item in step.items]
    for item in marked:
        await kubectl.create(item)
    names = {objects.name(item) for item in marked}

    def judge(found: Objects) -> Condition:
        waiting = [name for name in sorted(names) if not conditions.skupper(found.get(name)).ok]
        text = "; ".join(f"{name}: {conditions.skupper(found.get(name)).text}" for name in waiting)
        return Condition(State.WAITING, text) if waiting else Condition(State.OK)

    # This change makes Skupper process a new Link at once.
    for name in sorted(names):
        await token_flow.mark(kubectl, run.topology.name, name)
    await run.wait(kubectl, f"Links {', '.join(sorted(names))}").watch(RESOURCES["Link"], judge)
    return f"added Link {', '.join(sorted(names))}: nothing was interrupted"


def _marked(item: Object, topology_name: str) -> Object:
    return {**item, "metadata": {**item["metadata"], "labels": labels(topology_name)}}


async def until_lost(run: Run, client: Site) -> tuple[LostMember, ...]:
    """Checks periodically for lost records while a client site waits for Services; returns as soon as one is lost."""
    await asyncio.sleep(FIRST_OBSERVE_SECONDS)
    while True:
        with suppress(HzlinkError):
            found = losses.lost_members(run.topology, await observe_all((run.topology.cluster, client), _KINDS))
            if lost := tuple(one for one in found if one.client == client):
                return lost
        await asyncio.sleep(OBSERVE_INTERVAL_SECONDS)


def lost_error(lost: Sequence[LostMember]) -> HzlinkError:
    """The error for lost records if --repair was not given."""
    site, names = lost[0].site, ", ".join(one.name for one in lost)
    return HzlinkError(
        f"Skupper has lost the record of {names}",
        site=site.name,
        said="; ".join(text for _, text in losses.texts(lost)),
        next_step=f"{hints.hzlink('link --repair')}   (restarts the router of {site.name}: {losses.INTERRUPTION})",
    )


async def restore(run: Run, lost: Sequence[LostMember]) -> str:
    """Restores lost records and waits until the members have their Services at the client sites.

    Raises:
        HzlinkError: the Services do not exist after a restart of the routers at both ends.
    """
    site = lost[0].site
    names = ", ".join(dict.fromkeys(one.name for one in lost))
    await _touch(run, lost)
    if await _have_services(run, lost, ANNOTATE_LIMIT_SECONDS):
        return f"the record of {names} is restored: nothing was interrupted"
    restarted: list[str] = []
    while len(restarted) < MAX_RESTARTS:
        await restart_router(run, site)
        restarted.append(site.name)
        if await _have_services(run, lost, RESTART_LIMIT_SECONDS):
            return f"the record of {names} is restored, by a restart of the router of {' and '.join(restarted)}"
        # A record that was restored at one end may be missing at the other.
        left = losses.lost_members(run.topology, await _observe(run))
        site = left[0].site if left else lost[0].client
    raise HzlinkError(
        f"{names} has no Service at {lost[0].client.name}, even after a restart of the routers",
        site=site.name,
        said="; ".join(text for _, text in losses.texts(lost)),
        next_step=hints.hzlink("dump"),
    )


async def _touch(run: Run, lost: Sequence[LostMember]) -> None:
    """Annotates Connector and Listeners, so that the controllers process them again."""
    name, stamp = run.topology.service, {"metadata": {"annotations": token_flow.stamp()}}
    await run.kubectl(run.topology.cluster).patch(Ref(RESOURCES["Connector"], name), stamp)
    for client in dict.fromkeys(one.client for one in lost):
        await run.kubectl(client).patch(Ref(RESOURCES["Listener"], name), stamp)


async def _have_services(run: Run, lost: Sequence[LostMember], seconds: float) -> bool:
    """Whether every member gets its Service within `seconds`."""
    until = min(run.until, time.monotonic() + seconds)
    for client in dict.fromkeys(one.client for one in lost):
        names = [one.name for one in lost if one.client == client]

        def judge(found: Objects, names: Sequence[str] = tuple(names)) -> Condition:
            return conditions.names(found.values(), names)

        wait = run.wait(run.kubectl(client), f"Services of {', '.join(names)}")
        wait.until = until
        try:
            await wait.watch(RESOURCES["Service"], judge)
        except WaitTimeout:
            if time.monotonic() >= run.until:
                raise
            return False
    return True


async def restart_router(run: Run, site: Site) -> None:
    """Deletes the site's router pods one after the other. The Deployment creates each of them again."""
    kubectl = run.kubectl(site)
    pods = await kubectl.objects([RESOURCES["Pod"]], conditions.ROUTER_SELECTOR)
    for pod in pods:
        name = objects.name(pod)
        run.emit_for(Mark.NOTE, site, f"restarting the router of {site.name} (pod {name}): {losses.INTERRUPTION}")
        await kubectl.delete([objects.ref(pod)])
        wait = run.wait(kubectl, f"router of {site.name} restarted")
        await wait.watch(RESOURCES["Pod"], _replaced(pod, len(pods)), selector=conditions.ROUTER_SELECTOR)


def _replaced(old: Object, count: int) -> Judge:
    """The judge of a wait that ends when `count` pods are ready and `old` is not among them."""

    def judge(found: Objects) -> Condition:
        ready = [pod for pod in found.values() if conditions.is_ready(pod)]
        if len(ready) >= count and objects.uid(old) not in map(objects.uid, ready):
            return Condition(State.OK)
        return Condition(State.WAITING, f"{len(ready)} of {count} router pods are ready")

    return judge


async def _observe(run: Run) -> Snapshots:
    return await observe_all(run.topology.sites, _KINDS)
