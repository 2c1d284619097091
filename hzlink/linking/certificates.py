"""Ends a wait for a Link early if the routers do not accept each other's certificates, which no waiting changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from hzlink.model import conditions, objects
from hzlink.model.errors import HzlinkError
from hzlink.model.objects import RESOURCES, Object
from hzlink.observe import certificates, links, router_evidence
from hzlink.observe.waiting import Objects
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.tasks import running

if TYPE_CHECKING:
    from hzlink.linking.token_flow import Linking

# A link is usually up before the first check. A router connects again every 5 s at the latest. While a Site is new, its
# router may still have the certificate from before it got its address: only refusals in all checks count.
FIRST_CHECK_SECONDS = 15.0
CHECK_SECONDS = 6.0
CHECKS = 2


class CertificateRefused(HzlinkError):
    """The routers do not accept each other's certificates."""


async def unless_refused(linking: Linking, waiting: Coroutine[None, None, Objects]) -> Objects:
    """The result of a wait for the Links of the token.

    Raises:
        CertificateRefused: the router says so in all of several checks.
        HzlinkError: the wait failed.
    """
    async with running(waiting, _until_refused(linking)) as (awaited, refusing):
        await asyncio.wait({awaited, refusing}, return_when=asyncio.FIRST_COMPLETED)
        if awaited.done():
            found: Objects = awaited.result()
            return found
        ends = f"{linking.redeemer.site.name} and {linking.issuer.site.name}"
        raise CertificateRefused(
            f"the routers of {ends} do not accept each other's certificates",
            site=linking.redeemer.site.name,
            subject=f"Link {linking.name}",
            said=refusing.result(),
        )


async def refused(redeemer: Kubectl, found: Sequence[Object]) -> bool:
    """Whether a certificate was refused at the last attempt to connect by these Links, of which none is up."""
    if any(conditions.skupper(link).ok for link in found):
        return False
    try:
        log = await router_evidence.router_log(
            redeemer, await redeemer.objects([RESOURCES["Pod"]], conditions.ROUTER_SELECTOR)
        )
    except HzlinkError:
        return False
    made = min((moment for link in found if (moment := objects.created(link))), default=None)
    lines = (router_evidence.last_attempt(log, host) for host in links.hosts(found))
    return any(certificates.is_refusal(line) and _is_since(line, made) for line in lines)


def _is_since(line: str, made: datetime | None) -> bool:
    """Whether the log has the line since the Link exists: the log also has the refusals of former Links."""
    logged = objects.moment(line.partition(" ")[0])
    return logged is None or made is None or logged >= made


async def _until_refused(linking: Linking) -> str:
    """Checks the router's log until it has a new refusal in each of `CHECKS` consecutive checks; returns the last one.

    The log still has the refusals of a former Link.
    """
    await asyncio.sleep(FIRST_CHECK_SECONDS)
    before: str | None = None
    refusals = 0
    while True:
        began, line = time.monotonic(), ""
        with suppress(HzlinkError):
            line = await _last_attempt(linking)
        is_new, before = before is not None and line != before, line
        refusals = refusals + 1 if is_new and certificates.is_refusal(line) else 0
        if refusals == CHECKS:
            return next(iter(router_evidence.failed_connections(line).values()))
        await asyncio.sleep(max(0.0, began + CHECK_SECONDS - time.monotonic()))


async def _last_attempt(linking: Linking) -> str:
    """The line in the router's log about its last failed connection to the host of the Links; empty if none failed."""
    found = await linking.redeemer.objects([RESOURCES["Link"], RESOURCES["Pod"]])
    made = links.of_token((item for item in found if item.get("kind") == "Link"), linking.name)
    if not made or any(conditions.skupper(link).ok for link in made):
        return ""
    log = await router_evidence.router_log(linking.redeemer, found)
    return max((router_evidence.last_attempt(log, host) for host in links.hosts(made)), default="")
