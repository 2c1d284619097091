"""`hzlink status`: one look at every site. Never writes, never hangs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from hzlink.observe import observe_all

if TYPE_CHECKING:
    from hzlink.config import Config
    from hzlink.result import Result

# Seconds for the look at each site: a status that takes longer is no status.
DEADLINE = 10.0


async def status(config: Config, meanwhile: Callable[[], None] = lambda: None) -> Result:
    """The state of every site and link. DONE when healthy, FAILED when not, PREREQUISITE when a site cannot be read.

    `meanwhile` is called while the sites are being looked at, for what can be got ready without them.
    """
    looking = asyncio.create_task(observe_all(config.topology.sites, deadline=min(DEADLINE, config.timeout)))
    # Long enough for every site's kubectl to be started: it runs while the rest is loaded.
    await asyncio.sleep(0.001)
    meanwhile()
    from hzlink import proof, prooffile, report, result

    verified = proof.standing(prooffile.load(config.topology), time.time())
    seen = proof.outrank(report.make(config.topology, await looking), verified)
    return result.verdict("status", seen, verified=verified)
