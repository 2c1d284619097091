"""Waits for the Skupper Site: until it runs, is Ready, and is reachable."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from hzlink.apply.steps import site_access
from hzlink.apply.steps.context import Run
from hzlink.apply.steps.pods import Pods, unless_stuck
from hzlink.model import conditions, objects
from hzlink.model.choices import LinkAccess, LinkFrom, Role
from hzlink.model.conditions import Condition, State
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.objects import RESOURCES, Object
from hzlink.model.topology import Site
from hzlink.observe.waiting import Objects
from hzlink.plan import access_types, planner
from hzlink.plan.planner import Step
from hzlink.programs import hints

SITES = RESOURCES["Site"]
# The Deployment that Skupper makes for a Site.
ROUTER = "skupper-router"


async def site_ready(run: Run, step: Step) -> str:
    """Waits for the Skupper Site. If it lacks only an address after --address-timeout, client sites may issue, too."""
    kubectl = run.kubectl(step.site)
    name = planner.skupper_name(step.site, run.snapshots)
    known: Objects = {}
    await site_access.settled(run, step.site)
    auto = run.topology.settings.issuing_side is LinkFrom.AUTO and step.site.role is Role.CLUSTER
    router = Pods("Deployment", ROUTER, "skupper.io/component=router")
    if auto:
        running = run.wait(kubectl, "Site running").watch(SITES, _runs(name), name=name)
        sites = await _explained(run, step.site, unless_stuck(run, step.site, router, running))
        if conditions.skupper(sites[name]).ok:
            return _reachable(sites[name])
        # On a busy machine, the next watch may list the Site only after the limit for the address.
        known = dict(sites)
    wait = run.wait(kubectl, "Site ready")
    if auto:
        wait.until = min(run.until, time.monotonic() + run.topology.settings.address_timeout)
    try:
        ready = wait.watch(SITES, lambda sites: is_ready(name)(sites or known), name=name)
        sites = await _explained(run, step.site, unless_stuck(run, step.site, router, ready))
    except WaitTimeout as error:
        if not wait.reason.startswith(NO_ADDRESS):
            raise
        if not auto or time.monotonic() >= run.until:
            raise _no_address(step.site, error) from None
        run.unaddressed.add(step.site)
        waited = f"after {run.topology.settings.address_timeout:g} s"
        source = _source(known.get(name))
        return f"Site runs, but {source} has no address {waited}: the client sites get link access, too"
    return _reachable(sites[name])


async def _explained(run: Run, site: Site, waiting: Awaitable[Objects]) -> Objects:
    """The result of the wait. If the controller does not process or accept the Site, the error says how to go on."""
    try:
        return await waiting
    except HzlinkError as error:
        await site_access.explain_refused(run, site, error)
        if error.said == conditions.NOT_PROCESSED:
            error.next_step = hints.cluster_wide(
                site, "get pods --all-namespaces -l app.kubernetes.io/name=skupper-controller"
            )
        raise


def _reachable(site: Object) -> str:
    host = conditions.address(site)
    return f"Site Ready, reachable at {host}" if host else "Site Ready"


NO_ADDRESS = "no address yet"


def _runs(name: str) -> Callable[[Objects], Condition]:
    def judge(sites: Objects) -> Condition:
        site = sites.get(name)
        condition = _condition(site)
        return Condition(State.OK) if condition.ok or conditions.needs_address(site) else condition

    return judge


def is_ready(name: str) -> Callable[[Objects], Condition]:
    """The judge of a wait that ends when the Site of that name is Ready."""

    def judge(sites: Objects) -> Condition:
        site = sites.get(name)
        if conditions.needs_address(site):
            return Condition(State.WAITING, f"{NO_ADDRESS} for {_subject(site)}")
        return _condition(site)

    return judge


def _condition(site: Object | None) -> Condition:
    """The condition of a Site for a wait. A link access that its controller has not enabled ends the wait at once."""
    condition = conditions.site(site)
    if not condition.text.startswith(access_types.UNSUPPORTED):
        return condition
    current = access_types.refused(site)
    return Condition(State.BROKEN, condition.text, 0.0) if current else Condition(State.WAITING, condition.text)


_BALANCED = ("default", LinkAccess.LOADBALANCER)


def _source(site: Object | None) -> str:
    """What gives the Site its address."""
    access = objects.spec(site or {}).get("linkAccess")
    return "its load balancer" if access in (None, *_BALANCED) else f"its link access {access}"


def _subject(site: Object | None) -> str:
    access = objects.spec(site or {}).get("linkAccess")
    return f"Service {ROUTER} ({'LoadBalancer' if access in _BALANCED else f'link access {access}'})"


def is_reachable(name: str) -> Callable[[Objects], Condition]:
    """The judge of a wait that ends when the Site of that name is Ready and others can link to it.

    A Site that was Ready before it got link access stays Ready until the controller has processed the change.
    """

    def judge(sites: Objects) -> Condition:
        condition = is_ready(name)(sites)
        if condition.ok and not conditions.address(sites.get(name)):
            return Condition(
                State.WAITING, f"{NO_ADDRESS}: the Skupper controller has not processed the link access yet"
            )
        return condition

    return judge


def _no_address(site: Site, error: WaitTimeout) -> WaitTimeout:
    error.message = f"{site.name} got no address for links"
    error.subject = "Service skupper-router"
    other = "client" if site.role is Role.CLUSTER else "cluster"
    error.next_step = f"{hints.hzlink(f'up --link-from {other}')}   (or give {site.context} a load balancer)"
    if site.role is Role.HUB:
        error.next_step = f"{hints.kubectl(site, 'describe service skupper-router')}   (or see --link-access)"
    return error
