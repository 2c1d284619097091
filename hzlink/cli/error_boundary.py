"""Runs a command and turns its errors into a result.

The result module is imported only if an error needs it: a command imports it while it waits for a cluster.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from hzlink.cli.console import Console
from hzlink.config import last_run, resolve
from hzlink.config.flags import Flags
from hzlink.config.resolve import Config
from hzlink.model.errors import HzlinkError, Interrupted
from hzlink.programs import hints
from hzlink.programs.tasks import run

if TYPE_CHECKING:
    from hzlink.render.result import Result

Work = Callable[[Config, Console], Coroutine[Any, Any, "Result"]]


def record_flags(values: Mapping[str, Any], sites: Iterable[str], settings: Iterable[str]) -> None:
    """Records the flags as typed, because commands that hzlink proposes must name the same sites and settings."""
    hints.site_flags[:] = [word for name in sites if name != "timeout" for word in _typed(name, values[name])]
    hints.setting_flags[:] = [word for name in settings for word in _typed(name, values.get(name))]


def _typed(name: str, value: Any) -> list[str]:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    given = [str(one) for one in (value if isinstance(value, list) else [value]) if one is not None]
    return [word for one in given for word in ([f"--{flag}={one}"] if one.startswith("-") else [f"--{flag}", one])]


def of(command: str, values: Mapping[str, Any], console: Console, work: Work) -> Result:
    """Resolves the configuration, runs the command, and returns its result."""

    def start() -> Coroutine[Any, Any, Result]:
        config = resolve.resolve(Flags.typed(values))
        working = work(config, console)
        return working if command in WITHOUT_CLUSTER else _prepared(command, config, console, working)

    return guarded(command, console, start)


# Commands that need no cluster.
WITHOUT_CLUSTER = ("render",)


async def _prepared(command: str, config: Config, console: Console, working: Coroutine[Any, Any, Result]) -> Result:
    """Runs credential plugins, checks that all sites are different namespaces, and runs the command."""
    async with AsyncExitStack() as stack:
        stack.callback(working.close)
        if any(context.missing for context in config.contexts.values()):
            from hzlink.config import same_place

            same_place.refuse_missing(config.contexts.values())
        if any(context.plugin for context in config.contexts.values()):
            from hzlink.config import logins

            holding = logins.held(config.contexts, config.timeout, sys.stdin.isatty(), console.announce)
            await stack.enter_async_context(holding)
        if config.undecided:
            from hzlink.observe import cluster_identity

            await cluster_identity.refuse_same_namespace(config.undecided, config.timeout)
        _warn_of_ignored_users(config, console)
        if command != "down":  # it checks this itself
            await _warn_of_moved(config, console)
        return await working


def _warn_of_ignored_users(config: Config, console: Console) -> None:
    """Warns about contexts that use a user entry of another file than their own."""
    if not any(context.shadowed for context in config.contexts.values()):
        return
    from hzlink.config import same_place
    from hzlink.model.events import Event, Mark

    for site, text in same_place.ignored_users(config.contexts).items():
        console.emit(Event(Mark.WARN, text, site.name))


async def _warn_of_moved(config: Config, console: Console) -> None:
    """Warns about contexts that lead to another cluster than at the last `up`."""
    if not any(last_run.CLUSTERS in one for one in last_run.load()):
        return
    from hzlink.model.events import Event, Mark
    from hzlink.observe import known_clusters

    for one in await known_clusters.moved(config, config.topology.sites, only_new_entries=True):
        console.emit(Event(Mark.WARN, f"{one.text}: {one.evidence}", one.site.name))


def guarded(command: str, console: Console, start: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Runs the command and returns its result, also for errors. With -vv, an internal error is raised."""
    try:
        return run(start())
    except HzlinkError as error:
        return failed(command, error)
    except KeyboardInterrupt:
        next_step = f"{hints.hzlink(command)}   (continues from here)"
        return failed(command, Interrupted("interrupted", next_step=next_step))
    except Exception as error:
        if console.verbose >= 2:
            raise
        said = f"{type(error).__name__}: {error}"
        next_step = f"{hints.hzlink(command)} -vv   (prints a traceback)"
        return failed(command, HzlinkError("internal error in hzlink", said=said, next_step=next_step))


def failed(command: str, error: HzlinkError) -> Result:
    """The result of a command that ended with an error."""
    from hzlink.render.result import of_errors

    return of_errors(command, [error])
