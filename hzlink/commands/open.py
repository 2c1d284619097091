"""`hzlink open`: forwards a local port to Management Center, or to Skupper's network console."""

from __future__ import annotations

import asyncio
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hzlink.config.resolve import Config
from hzlink.model.choices import App, Mode
from hzlink.model.errors import HzlinkError, PrerequisiteError, UsageError
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.objects import RESOURCES, Ref
from hzlink.model.topology import MANCENTER, Site, Topology
from hzlink.programs import hints
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.tasks import together
from hzlink.render.result import Opened, Result
from hzlink.report.site_status import MANCENTER_PORT
from hzlink.verify.port_forward import tunnel

CONSOLE = "skupper-network-observer"


@dataclass(frozen=True)
class _App:
    """What is opened: its name for people, its Service, port and scheme."""

    name: str
    service: str
    port: int
    scheme: str


APPS = {
    App.MANCENTER: _App("Management Center", MANCENTER, MANCENTER_PORT, "http"),
    App.CONSOLE: _App("Skupper's network console", CONSOLE, 443, "https"),
}


async def open_app(
    config: Config,
    app: App,
    emit: Emit,
    show: Callable[[Result], None],
    *,
    only: str | None = None,
    port: int = 0,
    browser: bool = False,
) -> Result:
    """Forwards a port until ^C, which is how it is meant to end: DONE. FAILED when the forward drops by itself.

    Args:
        config: the topology.
        app: what to open.
        emit: told of it.
        show: given the address, as a Result, once it leads there.
        only: the name of the site whose one is meant; None for the first that has it.
        port: the local port; 0 for any that is free.
        browser: whether to show it in the user's browser.

    Raises:
        HzlinkError: it is not there, or no port can be forwarded to it.
    """
    target = APPS[app]
    site = await _find(config.topology, target, _candidates(config.topology, app, only))
    try:
        async with tunnel(site, f"service/{target.service}", target.port, local=port) as forward:
            opened = Opened(str(app), site, f"{target.scheme}://{forward.address}")
            emit(Event(Mark.NOTE, f"{target.name} of {site.name} is at this address until ^C"))
            show(Result("open", opened=opened))
            if browser:
                # Programs of the user's desktop, which Python knows how to find; it may take a moment.
                await asyncio.to_thread(webbrowser.open, opened.address)
            said = await forward.ended()
    except asyncio.CancelledError:
        return Result("open")
    raise HzlinkError(
        f"the port-forward to {target.name} was closed by the cluster",
        site=site.name,
        subject=f"Service {target.service}",
        said=said or "kubectl port-forward ended",
        next_step=hints.hzlink(f"open {app}"),
    )


def _candidates(topology: Topology, app: App, only: str | None) -> Sequence[Site]:
    sites = topology.clients if app is App.MANCENTER else (*topology.clients, topology.cluster)
    if only is None:
        return sites
    chosen = [site for site in sites if site.name == only]
    if not chosen:
        names = ", ".join(site.name for site in sites)
        raise UsageError(f"there is no site {only!r} to open {app} at", said=f"sites there: {names}")
    return chosen


async def _find(topology: Topology, target: _App, sites: Sequence[Site]) -> Site:
    """The first of the sites that has the Service. A site that cannot be read is an error only if no other has it."""

    async def has_service(site: Site) -> bool | HzlinkError:
        try:
            return await Kubectl(site).get(Ref(RESOURCES["Service"], target.service)) is not None
        except PrerequisiteError:
            raise
        except HzlinkError as error:
            return error

    found = await together(has_service(site) for site in sites)
    for site, there in zip(sites, found, strict=True):
        if there is True:
            return site
    for error in found:
        if isinstance(error, HzlinkError):
            raise error
    names = ", ".join(f"{site.name} ({site.where})" for site in sites)
    message = f"there is no Service {target.service} at {names}"
    if target.service == CONSOLE:
        raise PrerequisiteError(
            message, next_step="install Skupper's network observer in the namespace of one site (https://skupper.io)"
        )
    if topology.settings.mode is Mode.UNISOCKET:
        raise HzlinkError(message, said="Management Center is left out of unisocket topologies")
    raise HzlinkError(message, next_step=hints.hzlink("status"))
