"""Measures round trips to the same members through a client site's Services and directly to their pods, in turns."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

from hzlink.model.errors import HzlinkError
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.topology import Site
from hzlink.programs.tasks import together
from hzlink.verify import latency
from hzlink.verify.comparison import SIZES, Comparison, Measure
from hzlink.verify.endpoints import forwarded
from hzlink.verify.latency import Latency
from hzlink.verify.member_client import MemberClient, NoAnswer
from hzlink.verify.proof import PORT
from hzlink.verify.site_proof import MAX_PARALLEL, Plan, through

MAP_PREFIX = "hzlink-bench-"
# The number of turns of each path for each size, so that changes of the machine's load affect both.
TURNS = 4
# Round trips before the measurement, and the maximum in one turn, so that the times fit into memory.
WARM_UP = 20
MAX = 100_000


@dataclass(frozen=True)
class _Pair:
    """One member, reached through the link and directly, and a key that it owns."""

    name: str
    key: str
    link: MemberClient
    direct: MemberClient


async def bench_site(plan: Plan, cluster: Site, seconds: float, emit: Emit) -> Comparison:
    """Measures each value size, for `seconds` on each path.

    Raises:
        HzlinkError: a member is reached on only one path, no member is reached, or a member stops answering.
    """
    slots = asyncio.Semaphore(MAX_PARALLEL)
    names = plan.names if plan.smart else (plan.service,)

    async def call(site: Site, target: str, port: int = PORT) -> tuple[str, MemberClient]:
        client = await stack.enter_async_context(through(forwarded(site, port)(target), plan.cluster_name, slots))
        return (await client.answer()).member.uuid, client

    async with AsyncExitStack() as stack:
        links = dict(await together(call(plan.site, f"service/{name}") for name in names))
        emit(Event(Mark.OK, f"members reached through the link: {len(links)}", plan.site.name))
        direct = dict(await together(call(cluster, f"pod/{name}", plan.member_port) for name in plan.names))
        emit(Event(Mark.OK, f"members reached directly: {len(direct)}", cluster.name))
        map_name = f"{MAP_PREFIX}{secrets.token_hex(8)}"
        try:
            await next(iter(direct.values())).put_first(map_name)
            pairs = await _pairs(plan, links, direct)
            measures = [await _measure(pairs, map_name, size, seconds, emit) for size in SIZES]
        finally:
            with suppress(NoAnswer):
                await next(iter(direct.values())).destroy(map_name)
    return Comparison(plan.site, tuple(pair.name for pair in pairs), tuple(measures))


async def _pairs(plan: Plan, links: Mapping[str, MemberClient], direct: Mapping[str, MemberClient]) -> Sequence[_Pair]:
    pairs = []
    for uuid, client in links.items():
        if uuid not in direct:
            raise HzlinkError(
                f"member {uuid} answers through the link but is not one of the cluster site's pods", site=plan.site.name
            )
        name = (await client.answer()).member.name
        pairs.append(_Pair(name, await client.own_key(name), client, direct[uuid]))
    return pairs


async def _measure(pairs: Sequence[_Pair], map_name: str, size: int, seconds: float, emit: Emit) -> Measure:
    value = secrets.token_bytes(size)
    turn = seconds / TURNS / len(pairs)
    found: dict[bool, list[float]] = {True: [], False: []}
    for pair in pairs:
        for client in (pair.link, pair.direct):
            await client.times(map_name, pair.key, rounds=WARM_UP, seconds=seconds, value=value)
        for number in range(TURNS * 2):
            through_link = number % 2 == 0
            client = pair.link if through_link else pair.direct
            found[through_link] += await client.times(map_name, pair.key, rounds=MAX, seconds=turn, value=value)
    link, direct = _of(found[True]), _of(found[False])
    text = f"{size} bytes: {link.per_second:.0f} round trips/s through the link, {direct.per_second:.0f} directly"
    emit(Event(Mark.OK, text))
    return Measure(size, link, direct)


def _of(times: Sequence[float]) -> Latency:
    found = latency.of(times)
    if found is None:
        raise NoAnswer("no round trip was completed in the given time", next_step="increase --seconds")
    return found
