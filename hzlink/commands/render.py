"""`hzlink render`: prints the manifests that `up` would apply, as YAML, for GitOps.

Needs no cluster, except for the label selector and the names of members that hzlink does not deploy.
"""

from __future__ import annotations

import asyncio

from hzlink.config.resolve import Config
from hzlink.model.choices import LinkFrom
from hzlink.model.topology import Site, Topology
from hzlink.observe.snapshot import OBSERVE_DEADLINE_SECONDS
from hzlink.plan import link_host, manifests
from hzlink.render.result import Result


async def render(config: Config) -> Result:
    """The manifests of all sites, one after the other, each with a comment that names the site.

    Raises:
        HzlinkError: members that hzlink does not deploy cannot be read.
    """
    topology = await _with_members(config)
    from_client = topology.settings.link_from is LinkFrom.CLIENT

    async def one(site: Site) -> str:
        issues = site in topology.clients if from_client else site is topology.target
        text = await manifests.build(topology, site, site.name, issues and topology.settings.link_host is None)
        if issues and (own := link_host.wanted(topology, site)):
            text = f"{text}---\n{manifests.to_text(own)}"
        named = f"{site.role} site {site.name}: context {site.context!r}"
        apps = [
            f"# applications at {named}, namespace {namespace}\n{manifests.app_services(topology, site, namespace)}"
            for namespace in topology.app_namespaces(site)
        ]
        return "---\n".join([f"# {named}, namespace {site.namespace}\n{text}", *apps])

    texts = await asyncio.gather(*(one(site) for site in topology.sites))
    return Result("render", text="---\n".join(texts))


async def _with_members(config: Config) -> Topology:
    topology = config.topology
    if topology.settings.members_from is None:
        return topology
    from hzlink.commands.settling import Settler
    from hzlink.observe.with_members import observe_topology
    from hzlink.plan import scaling

    snapshots = await observe_topology(topology, deadline=min(OBSERVE_DEADLINE_SECONDS, config.timeout))
    if error := snapshots[topology.cluster].error or scaling.no_members(topology, snapshots):
        raise error
    return (await Settler().settled(topology, snapshots)).topology
