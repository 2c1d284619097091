"""`hzlink render`: what `up` would apply, as YAML, for GitOps. Asks no cluster."""

from __future__ import annotations

import asyncio

from hzlink import manifests
from hzlink.choices import LinkFrom
from hzlink.config import Config
from hzlink.result import Result
from hzlink.topology import Site


async def render(config: Config) -> Result:
    """The manifests of every site, one after the other, each under a comment that says where it goes."""
    topology = config.topology
    from_client = topology.settings.link_from is LinkFrom.CLIENT

    async def one(site: Site) -> str:
        text = await manifests.build(topology, site, site.name, from_client == (site is not topology.cluster))
        return f"# {site.role} site {site.name}: context {site.context!r}, namespace {site.namespace}\n{text}"

    texts = await asyncio.gather(*(one(site) for site in topology.sites))
    return Result("render", text="---\n".join(texts))
