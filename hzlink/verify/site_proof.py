"""Verifies a client site by traffic: a connection and a real Hazelcast client for every name, then puts and gets.

It runs on hzlink's machine with forwarded ports, or in a pod of the site with direct connections: see endpoints.py.
Clients, ports and the map with its keys are closed and removed at the end, also after ^C and errors.
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
from hzlink.model.topology import DEFAULT_SERVICE, Site
from hzlink.programs.tasks import running, together
from hzlink.verify import latency, member_client, proof
from hzlink.verify.endpoints import Connection, OpenConnection
from hzlink.verify.member_client import CONNECT_DEADLINE_SECONDS, MemberClient, NoAnswer
from hzlink.verify.proof import PORT, Call, SiteProof

# The prefix of the map's name. The rest is random for each run.
MAP_PREFIX = "hzlink-verify-"
# Round trips that are measured for each member: this number, or for this time.
ROUNDS = 200
TIMED_SECONDS = 2.0
# Connections that are opened in parallel. Each may start a kubectl, which needs CPU time.
MAX_PARALLEL = 8
# Time between two tries to reach a member, and the number of members that are tried to remove the map.
RETRY_PAUSE_SECONDS = 1.0
TRIES_TO_DESTROY = 3


@dataclass(frozen=True)
class Plan:
    """What to verify at a client site.

    `names`: the members' names. `services`: the names of existing Services. `wanted`: the expected number of members.
    `service`: the name of the Service that leads to any member, for clients with a single connection.
    `member_port`: the members' port in their pods.
    """

    site: Site
    smart: bool
    names: tuple[str, ...]
    services: frozenset[str]
    wanted: int
    cluster_name: str
    service: str = DEFAULT_SERVICE
    member_port: int = PORT


async def verify_site(plan: Plan, open_connection: OpenConnection, emit: Emit) -> SiteProof:
    """Calls every name, writes and reads data through those that answer, and judges.

    Raises:
        HzlinkError: the site's API server cannot be reached, or refuses to forward ports.
    """
    names = plan.names if plan.smart else (plan.service,)
    async with AsyncExitStack() as open_ones:
        slots = asyncio.Semaphore(MAX_PARALLEL)
        called = await together(_call(plan, open_connection, name, open_ones, slots, emit) for name in names)
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
    slots: asyncio.Semaphore,
    emit: Emit,
) -> tuple[Call, MemberClient | None]:
    """Calls the member through Service `name`. The connection stays open until the stack is closed."""
    if name not in plan.services:
        return Call(name, service=False), None
    began = time.monotonic()
    while True:
        try:
            client = await open_ones.enter_async_context(
                through(open_connection(f"service/{name}"), plan.cluster_name, slots)
            )
            answer = await client.answer()
        except HzlinkError as error:
            if error.status is ExitStatus.PREREQUISITE:
                raise
            waited = time.monotonic() - began
            if waited < CONNECT_DEADLINE_SECONDS - RETRY_PAUSE_SECONDS:
                # A Service may exist shortly before its endpoints.
                await asyncio.sleep(RETRY_PAUSE_SECONDS)
                continue
            said = f": {error.said}" if error.said else ""
            return Call(name, problem=f"no member answered through Service {name} within {waited:.0f} s{said}"), None
        emit(Event(Mark.OK, f"{name}: {answer.member.address} answered", plan.site.name))
        return Call(name, answer=answer), client


@asynccontextmanager
async def through(
    opening: AbstractAsyncContextManager[Connection], cluster_name: str, slots: asyncio.Semaphore
) -> AsyncIterator[MemberClient]:
    """A client with a new connection, until the block is left.

    Raises:
        HzlinkError: the connection could not be opened, or no member answered.
    """
    async with AsyncExitStack() as stack:
        async with slots:
            connection = await stack.enter_async_context(opening)
        yield await stack.enter_async_context(_connected(connection, cluster_name))


@asynccontextmanager
async def _connected(connection: Connection, cluster_name: str) -> AsyncIterator[MemberClient]:
    """A client that fails at once if the connection ends, as `kubectl port-forward` does if the target refuses it."""
    connect = member_client.connect(connection.address, cluster_name, lambda: connection.said)
    async with running(connect, connection.ended()) as (connecting, dropped):
        await asyncio.wait([connecting, dropped], return_when=asyncio.FIRST_COMPLETED)
        if not connecting.done():
            raise NoAnswer("no member answered", said=dropped.result())
        client: MemberClient = connecting.result()
    try:
        yield client
    finally:
        await client.close()


async def _with_data(plan: Plan, calls: Sequence[Call], clients: dict[str, MemberClient], emit: Emit) -> list[Call]:
    """The calls, with the results of puts and gets through each, and with their latency.

    Each member stores a key that it owns, and the next member reads it, which proves that they are one cluster.
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
        problem, times = outcomes.get(call.name, ("", []))
        done.append(replace(call, data_problem=problem, latency=latency.of(times)))
    return done


async def _try_data(
    map_name: str, name: str, client: MemberClient, other_name: str, other: MemberClient
) -> tuple[str, list[float]]:
    """Writes a value through `client` and reads it through both: the error, if any, and the seconds of each get."""
    value = secrets.token_bytes(32)
    try:
        await client.put_first(map_name)
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
        # The other member's failure is reported by its own test.
        return True


async def _destroy(map_name: str, clients: Sequence[MemberClient], site: Site, emit: Emit) -> None:
    """Removes the map through the first client that can."""
    for client in clients[:TRIES_TO_DESTROY]:
        with suppress(NoAnswer):
            await client.destroy(map_name)
            return
    emit(Event(Mark.WARN, f"map {map_name} could not be removed: no member answers any more", site.name))
