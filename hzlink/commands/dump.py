"""`hzlink dump`: writes a redacted support bundle of every site. Also writes or offers one after a failed `up`."""

from __future__ import annotations

import platform
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hzlink import __version__
from hzlink.config import neighbours
from hzlink.config.resolve import Config
from hzlink.model.errors import ExitStatus, HzlinkError
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.topology import Topology
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import sharing
from hzlink.programs import hints, process, skupper
from hzlink.render import result
from hzlink.render.result import Dumped, Result
from hzlink.support import archive, bundle
from hzlink.support.dump import Found, gather_all

# Limit for the bundle after an `up`, whose own limit may be reached.
AFTER_UP_SECONDS = 60.0


async def dump(config: Config, emit: Emit, file: str | None = None) -> Result:
    """Writes the bundle. If a site cannot be read, the bundle contains its errors and the status is PREREQUISITE.

    Raises:
        UsageError: the file already exists, or its folder does not.
        HzlinkError: the file cannot be written.
    """
    topology, until, when = config.topology, time.monotonic() + config.timeout, datetime.now(UTC)
    path = archive.target(file, f"hzlink-dump-{topology.name}-{when:%Y%m%dT%H%M%SZ}")
    began = time.monotonic()
    found = await gather_all(topology, until)
    for one in found:
        logs = len(one.logs)
        text = f"{len(one.items)} objects and {logs} logs read" if one.items else "nothing could be read"
        emit(Event(Mark.OK if one.items else Mark.WARN, text, one.site.name, elapsed=time.monotonic() - began))
        if one.unread and one.items:
            emit(Event(Mark.WARN, f"not read: {len(one.unread)}, such as {one.unread[0]}", one.site.name))
    beside = [] if config.named else _beside(topology, found)
    if beside:
        names = ", ".join(one.name for one in beside)
        emit(Event(Mark.NOTE, f"also in these namespaces, each with its own summary in the bundle: topology {names}"))
    files = bundle.files(topology, found, when, await _tools(), process.concealed(), beside)
    size = archive.write(path, files, when)
    errors = tuple(one.error for one in found if one.error is not None)
    status = errors[0].status if errors else ExitStatus.DONE
    dumped = Dumped(str(path), tuple(name for name, _ in files), size)
    return Result("dump", status, errors=errors, text=str(path), dumped=dumped)


def _beside(topology: Topology, found: Sequence[Found]) -> list[Topology]:
    """The other topologies between the same sites."""
    snapshots = {one.site: Snapshot(one.site, tuple(one.items), one.error) for one in found}
    return neighbours.with_records(sharing.neighbours(topology, snapshots))


async def _tools() -> dict[str, str]:
    """The versions of the programs on this machine."""
    tools = {"hzlink": __version__, "Python": platform.python_version(), "system": platform.platform(terse=True)}
    try:
        if (done := await skupper.version(5.0)) is not None:
            tools["skupper"] = " ".join(done.stdout.split())[:80] or "unknown"
    except (process.DeadlineExceeded, HzlinkError):
        tools["skupper"] = "does not run"
    return tools


async def after_up(config: Config, emit: Emit, running: Coroutine[Any, Any, Result], wanted: bool) -> Result:
    """The result of an `up`. If it failed, writes a bundle (`wanted`) or proposes the command for it."""
    try:
        outcome = await running
    except HzlinkError as error:
        outcome = result.of_errors("up", [error])
    if outcome.status in (ExitStatus.DONE, ExitStatus.USAGE, ExitStatus.LOCKED):
        return outcome
    if not wanted:
        _offer(outcome, emit)
        return outcome
    try:
        dumped = (await dump(replace(config, timeout=AFTER_UP_SECONDS), emit)).dumped
    except HzlinkError as error:
        return replace(outcome, errors=(*outcome.errors, error))
    if dumped is not None:
        emit(Event(Mark.OK, f"support bundle: {dumped.path}"))
    return replace(outcome, dumped=dumped)


def _offer(outcome: Result, emit: Emit) -> None:
    """Offers a support bundle, except for a missing prerequisite, which its own error explains."""
    command = hints.hzlink("dump")
    if outcome.status is ExitStatus.PREREQUISITE:
        return
    if outcome.errors:
        error = outcome.errors[0]
        error.next_step = f"{error.next_step}   (a support bundle: {command})" if error.next_step else command
    else:
        emit(Event(Mark.NOTE, f"a support bundle: {command}"))
