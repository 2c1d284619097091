"""`hzlink check`: checks whether `up` has what it needs, at every site and across sites. Never writes, never hangs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hzlink.checks import preflight, tools
from hzlink.commands.settling import Settler
from hzlink.observe import same_cluster
from hzlink.observe.app_namespaces import with_apps
from hzlink.observe.snapshot import ALL_KINDS
from hzlink.observe.with_members import observe_topology
from hzlink.plan import link_host
from hzlink.programs import process
from hzlink.render import result

if TYPE_CHECKING:
    from hzlink.config.resolve import Config
    from hzlink.render.result import Result

# For the observation of each site.
DEADLINE_SECONDS = 15.0


async def check(config: Config) -> Result:
    """The findings of all checks. DONE also with warnings, PREREQUISITE if a fatal check failed."""
    if process.find_program("kubectl") is None:
        missing = tools.KUBECTL.failed(None, "kubectl is not installed, or not on the PATH")
        return result.of_findings("check", (missing,))
    snapshots, gathered = await asyncio.gather(
        observe_topology(config.topology, ALL_KINDS, min(DEADLINE_SECONDS, config.timeout)),
        preflight.gather_facts(config),
    )
    snapshots = await with_apps(config.topology, snapshots, min(DEADLINE_SECONDS, config.timeout))
    topology = await same_cluster.with_link_access(link_host.with_current(config.topology, snapshots), snapshots)
    settled = await Settler().settled(topology, snapshots, ask=True)
    findings = preflight.findings(settled.topology, snapshots, gathered, advertised=settled.advertised)
    return result.of_findings("check", findings)
