"""`hzlink open`: forwards a local port to Management Center, or to Skupper's network console."""

from __future__ import annotations

import asyncio
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hzlink.config.resolve import Config
from hzlink.model import mancenter_choice, objects
from hzlink.model.choices import App, Mode
from hzlink.model.errors import HzlinkError, PrerequisiteError, UsageError
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.objects import RESOURCES, Object, Ref
from hzlink.model.topology import Site, Topology
from hzlink.programs import hints
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.tasks import together
from hzlink.render.result import Opened, Result
from hzlink.report.site_status import MANCENTER_PORT
from hzlink.verify.port_forward import tunnel

CONSOLE = "skupper-network-observer"


@dataclass(frozen=True)
class _App:
    """An application to open: its name for messages, its Service, port and scheme."""

    name: str
    service: str
    port: int
    scheme: str


def _app(topology: Topology, app: App) -> _App:
    if app is App.MANCENTER:
        return _App("Management Center", topology.mancenter, MANCENTER_PORT, "http")
    return _App("Skupper's network console", CONSOLE, 443, "https")


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
    """Forwards a port until ^C, which is the normal end (DONE).

    Args:
        config: the configuration.
        app: the application to open.
        emit: gets the events.
        show: called with the address as a Result when the forward is open.
        only: the site's name; None for the first site that has the application.
        port: the local port; 0 for a free one.
        browser: open the address in the user's browser.

    Raises:
        HzlinkError: the application does not exist, its port cannot be forwarded, or the cluster closed the forward.
    """
    target = _app(config.topology, app)
    site = await _find(config.topology, target, _candidates(config.topology, app, only))
    try:
        async with tunnel(site, f"service/{target.service}", target.port, local=port) as forward:
            opened = Opened(str(app), site, f"{target.scheme}://{forward.address}")
            emit(Event(Mark.NOTE, f"{target.name} of {site.name} is at this address until ^C"))
            show(Result("open", opened=opened))
            if browser:
                # In a thread, because starting the user's browser may take a moment.
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
    others = [site for site in topology.sites if site not in topology.clients]
    sites = topology.clients if app is App.MANCENTER else (*topology.clients, *others)
    if only is None:
        return sites
    chosen = [site for site in sites if site.name == only]
    if not chosen:
        names = ", ".join(site.name for site in sites)
        raise UsageError(f"there is no site {only!r} to open {app} at", said=f"possible sites: {names}")
    return chosen


def _have_single_connection(listeners: Sequence[Object | None]) -> bool:
    """Whether all Listeners that exist have no names of members."""
    found = [listener for listener in listeners if listener is not None]
    return bool(found) and not any(objects.spec(listener).get("exposePodsByName") for listener in found)


async def _find(topology: Topology, target: _App, sites: Sequence[Site]) -> Site:
    """The first site that has the Service. An unreadable site is an error only if no other site has the Service."""

    async def has_service(site: Site) -> bool | HzlinkError:
        try:
            return await Kubectl(site).get(Ref(RESOURCES["Service"], target.service)) is not None
        except PrerequisiteError:
            raise
        except HzlinkError as error:
            return error

    found = await together(has_service(site) for site in sites)
    for site, exists in zip(sites, found, strict=True):
        if exists is True:
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
    listeners = await together(Kubectl(site).get(Ref(RESOURCES["Listener"], topology.service)) for site in sites)
    if topology.settings.mode_auto and _have_single_connection(listeners):
        said = "Management Center needs each member's name, and the clients use a single connection (--mode auto)"
        how = f"{hints.hzlink('check')}   (says why; `hzlink member-config` prints what makes members known by name)"
        raise HzlinkError(message, said=said, next_step=how)
    if all(mancenter_choice.is_left_out(topology, listener) for listener in listeners):
        said = "Management Center is left out of this topology (--no-mancenter)"
        raise HzlinkError(message, said=said, next_step=f"{hints.hzlink('up --mancenter')}   (adds it)")
    raise HzlinkError(message, next_step=hints.hzlink("status"))
