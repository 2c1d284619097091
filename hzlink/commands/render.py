"""`hzlink render`: prints the manifests that `up` would apply, as YAML, for GitOps. Needs no cluster."""

from __future__ import annotations

import asyncio

from hzlink.config.resolve import Config
from hzlink.model.choices import LinkFrom
from hzlink.model.topology import Site
from hzlink.plan import manifests
from hzlink.render.result import Result


async def render(config: Config) -> Result:
    """The manifests of all sites, one after the other, each with a comment that names the site."""
    topology = config.topology
    from_client = topology.settings.link_from is LinkFrom.CLIENT

    async def one(site: Site) -> str:
        issues = site in topology.clients if from_client else site is topology.target
        text = await manifests.build(topology, site, site.name, issues)
        return f"# {site.role} site {site.name}: context {site.context!r}, namespace {site.namespace}\n{text}"

    texts = await asyncio.gather(*(one(site) for site in topology.sites))
    return Result("render", text="---\n".join(texts))
