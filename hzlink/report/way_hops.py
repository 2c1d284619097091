"""The hops between both routers of a path: the Link, or all Links of a way over other Sites. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from shlex import quote

from hzlink.model.conditions import Condition, State
from hzlink.model.link_host import of as host_of
from hzlink.model.objects import RESOURCES
from hzlink.model.topology import Site
from hzlink.observe import certificates
from hzlink.observe.snapshot import Snapshots
from hzlink.observe.ways import Way, WayLink
from hzlink.plan import link_host, sharing
from hzlink.programs import hints
from hzlink.report import hops
from hzlink.report.hops import Hop
from hzlink.report.site_status import LinkReport


def make(snapshots: Snapshots, link: LinkReport, routers: Mapping[Site, Hop]) -> tuple[Hop, ...]:
    """The Link of a client site, or Links and routers in turn, in the direction of its way.

    `routers`: the hop of the hub's router, if the topology has a hub.
    """
    if link.way is None:
        return (_direct(snapshots, link), *routers.values())
    found = []
    for one in link.way.links:
        found += [_link(snapshots, link.way, one, repaired=bool(routers)), routers.get(one.far) or _router(one.far)]
    return tuple(found[:-1])


def _direct(snapshots: Snapshots, link: LinkReport) -> Hop:
    holder = link.holder or link.client
    age = hops.age(snapshots[holder].at, link.since)
    subject = f"Link {link.title}" if link.name else ""
    step = hints.hzlink("link --repair" if certificates.is_refusal(link.condition.text) else "link")
    host = host_of(snapshots[holder].get("Link", link.name))
    if host is not None and link.issuer is not None:
        step = link_host.remedy(link.issuer, host, link.condition.text)
    return Hop("Link", "Link", link.client, hops.required(link.condition), subject, age, step, holder=holder)


def _link(snapshots: Snapshots, way: Way, one: WayLink, *, repaired: bool) -> Hop:
    """A Link of a way. `repaired`: `hzlink link` repairs the Links that hzlink made, because they lead to its hub."""
    ours = one.holder in snapshots and sharing.is_made_by_hzlink(snapshots[one.holder].get("Link", one.name))
    text = f"{one.ends}: {one.condition.text}" if one.condition.text else one.ends
    condition = replace(one.condition, text=text)
    if way.problem and one is way.links[-1]:
        condition = Condition(State.WAITING, way.problem)
    next_step = hints.hzlink("link") if repaired and ours else _next_step(one)
    age = hops.age(snapshots[one.holder].at, one.since) if one.holder in snapshots else None
    return Hop("Link", "Link", one.holder, hops.required(condition), f"Link {one.name}", age, next_step)


def _next_step(one: WayLink) -> str:
    """What can be done from here about a Link of others: show it if its namespace can be read, or make a direct one."""
    direct = f"{hints.hzlink('link')}   (makes a direct Link"
    if not one.holder.context:
        return f"{direct}; or the owner of Site {one.holder.name} repairs Link {one.name})"
    show = hints.kubectl(one.holder, f"describe {RESOURCES['Link']} {quote(one.name)}")
    return f"{show}   (or {direct}))"


def _router(site: Site) -> Hop:
    """The router between two Links. Only its Site's entry in the network of others is known."""
    return Hop("router", "Site", site, Condition(State.OK, f"Site {site.name} in namespace {site.namespace}"))
