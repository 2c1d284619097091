"""`hzlink status`: one look at every site. Never writes, never hangs."""

from __future__ import annotations

from hzlink import report, result
from hzlink.config import Config
from hzlink.observe import observe_all
from hzlink.result import Result

# Seconds for the look at each site: a status that takes longer is no status.
DEADLINE = 10.0


async def status(config: Config) -> Result:
    """The state of every site and link. DONE when healthy, FAILED when not, PREREQUISITE when a site cannot be read."""
    snapshots = await observe_all(config.topology.sites, deadline=min(DEADLINE, config.timeout))
    return result.verdict("status", report.make(config.topology, snapshots))
