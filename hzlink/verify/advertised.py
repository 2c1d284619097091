"""Asks a real member which addresses the members tell clients."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hzlink.model.errors import HzlinkError
from hzlink.model.existing_members import Advertised
from hzlink.model.topology import Site
from hzlink.verify import member_client
from hzlink.verify.port_forward import tunnel
from hzlink.verify.site_proof import through

DEADLINE_SECONDS = 12.0
# How many members are asked before hzlink gives up: one may hang.
MAX_ASKED = 2


async def ask(site: Site, pods: Sequence[str], port: int, cluster_name: str) -> Advertised:
    """The addresses in the member list of the first of these pods that answers. Never raises.

    Forwards a port to the pod, and connects a client. Writes nothing.
    """
    try:
        member_client.require()
    except HzlinkError as error:
        return Advertised(problem=f"{error.message} ({error.next_step})")
    if not pods:
        return Advertised(problem="no member is ready")
    problems: list[str] = []
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            for pod in pods[:MAX_ASKED]:
                try:
                    return await _ask(site, pod, port, cluster_name)
                except HzlinkError as error:
                    problems.append(f"{pod}: {error.said or error.message}")
    except TimeoutError:
        problems.append(f"no answer within {DEADLINE_SECONDS:g} s")
    return Advertised(problem="; ".join(problems))


async def _ask(site: Site, pod: str, port: int, cluster_name: str) -> Advertised:
    async with through(tunnel(site, f"pod/{pod}", port), cluster_name, asyncio.Semaphore(1)) as client:
        answer = await client.answer()
    return Advertised(tuple(sorted(member.address for member in answer.members)))
