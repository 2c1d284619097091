"""Runs the proof at one client site: a way and a real Hazelcast client for every name, then puts and gets.

It runs where hzlink does, with forwarded ports as ways, and in a pod of the site's, which needs none: see endpoints.py.
Nothing it opens outlives it: clients, ports and the map it put its keys into are let go also on ^C and on errors.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace

from hzlink.model.errors import ExitStatus, HzlinkError
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.topology import WORKLOAD, Site
from hzlink.programs.tasks import together
from hzlink.verify import latency, member_client, proof
from hzlink.verify.endpoints import Connection, OpenConnection
from hzlink.verify.member_client import CONNECT_DEADLINE, MemberClient, NoAnswer
from hzlink.verify.proof import Call, SiteProof

# Of the map that the keys are put into; the rest of its name is drawn for each run.
MAP_PREFIX = "hzlink-verify-"
# Round trips that are timed for each member: as many, or for as many seconds.
ROUNDS = 200
TIMED_SECONDS = 2.0
# Ways that are opened at once: each may be a kubectl that needs a processor for a moment.
AT_ONCE = 8
# Seconds between two tries to reach a member, and members that are asked to remove the map until one does.
RETRY = 1.0
TRIES_TO_DESTROY = 3


@dataclass(frozen=True)
class Plan:
    """What is to be proven at a client site.

    `names` are the members' names; `services` those of the Services that are there. `wanted` is how many members there
    should be.
    """

    site: Site
    smart: bool
    names: tuple[str, ...]
    services: frozenset[str]
    wanted: int
    cluster_name: str


async def verify_site(plan: Plan, open_connection: OpenConnection, emit: Emit) -> SiteProof:
    """Calls every name, writes and reads data through those that answer, and judges.

    Raises:
        HzlinkError: the site's API server cannot be reached, or does not let hzlink forward ports.
    """
    names = plan.names if plan.smart else (WORKLOAD,)
    async with AsyncExitStack() as open_ones:
        free = asyncio.Semaphore(AT_ONCE)
        called = await together(_call(plan, open_connection, name, open_ones, free, emit) for name in names)
        clients = {call.name: client for call, client in called if client is not None}
        calls = await _with_data(plan, [call for call, _ in called], clients, emit)
    if plan.smart:
        return proof.judge(plan.site, plan.names, calls)
    return proof.judge_unisocket(plan.site, plan.wanted, calls[0])


async def _call(
    plan: Plan,
    open_connection: OpenConnection,
    name: str,
    open_ones: AsyncExitStack,
    free: asyncio.Semaphore,
    emit: Emit,
) -> tuple[Call, MemberClient | None]:
    """Who answers through Service `name`. What it opens stays open until the stack is closed."""
    if name not in plan.services:
        return Call(name, service=False), None
    began = time.monotonic()
    while True:
        try:
            client = await open_ones.enter_async_context(
                through(open_connection(f"service/{name}"), plan.cluster_name, free)
            )
            answer = await client.answer()
        except HzlinkError as error:
            if error.status is ExitStatus.PREREQUISITE:
                raise
            waited = time.monotonic() - began
            if waited < CONNECT_DEADLINE - RETRY:
                # A name may be there a moment before what it leads to.
                await asyncio.sleep(RETRY)
                continue
            said = f": {error.said}" if error.said else ""
            return Call(name, trouble=f"no member answered through Service {name} within {waited:.0f} s{said}"), None
        emit(Event(Mark.OK, f"{name}: {answer.member.address} answered", plan.site.name))
        return Call(name, answer=answer), client


@asynccontextmanager
async def through(
    opening: AbstractAsyncContextManager[Connection], cluster_name: str, free: asyncio.Semaphore
) -> AsyncIterator[MemberClient]:
    """A client connected by a way that is opened for it, for as long as the block runs.

    Raises:
        HzlinkError: the way could not be opened, or nobody answered as a member.
    """
    async with AsyncExitStack() as stack:
        async with free:
            way = await stack.enter_async_context(opening)
        yield await stack.enter_async_context(_connected(way, cluster_name))


@asynccontextmanager
async def _connected(way: Connection, cluster_name: str) -> AsyncIterator[MemberClient]:
    """A client that gives up at once where the way ends, as a kubectl does when the far end takes no connection."""
    connecting = asyncio.create_task(member_client.connect(way.address, cluster_name, lambda: way.said))
    dropped = asyncio.create_task(way.ended())
    try:
        await asyncio.wait([connecting, dropped], return_when=asyncio.FIRST_COMPLETED)
        if not connecting.done():
            raise NoAnswer("no member answered", said=dropped.result())
        client = connecting.result()
    finally:
        connecting.cancel()
        dropped.cancel()
        await asyncio.gather(connecting, dropped, return_exceptions=True)
    try:
        yield client
    finally:
        await client.close()


async def _with_data(plan: Plan, calls: Sequence[Call], clients: dict[str, MemberClient], emit: Emit) -> list[Call]:
    """The calls, with what came of puts and gets through each, and with their latency.

    Every member keeps a key of its own, and the next one is asked for it: they are one cluster, then.
    """
    if not clients:
        return list(calls)
    map_name = f"{MAP_PREFIX}{secrets.token_hex(8)}"
    ring = dict(zip(clients, [*list(clients)[1:], *clients], strict=False))
    try:
        tries = [_try_data(map_name, name, clients[name], ring[name], clients[ring[name]]) for name in clients]
        outcomes = dict(zip(clients, await together(tries), strict=True))
    finally:
        await _destroy(map_name, list(clients.values()), plan.site, emit)
    done = []
    for call in calls:
        trouble, times = outcomes.get(call.name, ("", []))
        done.append(replace(call, data_trouble=trouble, latency=latency.of(times)))
    return done


async def _try_data(
    map_name: str, name: str, client: MemberClient, other_name: str, other: MemberClient
) -> tuple[str, list[float]]:
    """What went wrong with a put and a get here and a get there, and the seconds of each timed get."""
    value = secrets.token_bytes(32)
    try:
        await client.wake(map_name)
        key = await client.own_key(name)
        await client.put(map_name, key, value)
        if await client.get(map_name, key) != value:
            return f"a value written through {name} was not found afterwards", []
        if not await _finds(other, map_name, key, value):
            return f"a value written through {name} was not found through {other_name}", []
        return "", await client.times(map_name, key, rounds=ROUNDS, seconds=TIMED_SECONDS)
    except NoAnswer as error:
        return f"puts and gets through {name} failed: {error.said or error.message}", []


async def _finds(other: MemberClient, map_name: str, key: str, value: bytes) -> bool:
    try:
        return await other.get(map_name, key) == value
    except NoAnswer:
        # That is the other's trouble, and comes out when it is its turn.
        return True


async def _destroy(map_name: str, clients: Sequence[MemberClient], site: Site, emit: Emit) -> None:
    """Removes the map, through whichever client can."""
    for client in clients[:TRIES_TO_DESTROY]:
        with suppress(NoAnswer):
            await client.destroy(map_name)
            return
    emit(Event(Mark.WARN, f"map {map_name} could not be removed: no member answers any more", site.name))
