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
        text = await manifests.build(topology, site, site.name, from_client == (site is not topology.cluster))
        named = f"{site.role} site {site.name}: context {site.context!r}"
        apps = [
            f"# applications at {named}, namespace {namespace}\n{manifests.app_services(topology, site, namespace)}"
            for namespace in topology.app_namespaces(site)
        ]
        return "---\n".join([f"# {named}, namespace {site.namespace}\n{text}", *apps])

    texts = await asyncio.gather(*(one(site) for site in topology.sites))
    return Result("render", text="---\n".join(texts))
