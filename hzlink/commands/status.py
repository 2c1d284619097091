"""`hzlink status`: one observation of every site, or repeated ones. Never writes, never hangs."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hzlink.observe.snapshot import observe_all

if TYPE_CHECKING:
    from hzlink.config.resolve import Config
    from hzlink.model.choices import Goal
    from hzlink.model.conditions import Condition
    from hzlink.model.events import Emit
    from hzlink.observe.snapshot import Snapshots
    from hzlink.render.result import Result

# Seconds for the observation of each site: a status must answer soon.
DEADLINE_SECONDS = 10.0
# Seconds from one look to the next. A kubectl that watches can watch one kind of object; there are ten, at every site.
OBSERVE_INTERVAL_SECONDS = 2.0


async def status(config: Config, meanwhile: Callable[[], None] = lambda: None) -> Result:
    """The state of every site and link. DONE when healthy, FAILED when not, PREREQUISITE when a site cannot be read.

    `meanwhile` is called while the sites are being observed_at at, for what can be got ready without them.
    """
    return (await _observe(config, meanwhile))[0]


async def _observe(config: Config, meanwhile: Callable[[], None] = lambda: None) -> tuple[Result, Snapshots]:
    observing = asyncio.create_task(
        observe_all(config.topology.sites, deadline=min(DEADLINE_SECONDS, config.timeout), with_log=True, evidence=True)
    )
    # Long enough for every site's kubectl to be started: it runs while the rest is loaded.
    await asyncio.sleep(0.001)
    meanwhile()
    from hzlink.render import result
    from hzlink.report import report
    from hzlink.verify import saved_verdict, verdict_file

    snapshots = await observing
    verified = saved_verdict.at_time(verdict_file.load(config.topology), time.time())
    seen = saved_verdict.prefer_over_conditions(report.make(config.topology, snapshots), verified)
    return result.verdict("status", seen, verified=verified), snapshots


@dataclass(frozen=True)
class Following:
    """How to go on observing.

    `goal` ends it as soon as it is reached; `limit`, in seconds, at the latest. `view` is shown every look; without
    one, `emit` is told what is being waited for.
    """

    goal: Goal | None
    limit: float | None
    view: Callable[[Result], None] | None
    emit: Emit


async def follow(config: Config, how: Following) -> Result:
    """Looks again and again. DONE when the goal is reached, TIMEOUT when it is not in time; without a goal, and when it
    is interrupted while it shows every look, the verdict of the last one.
    """
    began, last = time.monotonic(), None
    try:
        while True:
            observed_at = time.monotonic()
            # The last one has as long as the others: cut short, it would not know what is there.
            last, snapshots = await _observe(config)
            if how.view is not None:
                how.view(last)
            waited = time.monotonic() - began
            if ended := _ended(how, last, _goal_condition(how.goal, last, snapshots), waited):
                return ended
            # sh's commands are cycles that hold what was printed. At the pace that suits a short command (__main__)
            # they would take some 100 MB before they are observed_at for.
            gc.collect()
            left = OBSERVE_INTERVAL_SECONDS if how.limit is None else how.limit - waited
            await asyncio.sleep(max(0.0, min(observed_at + OBSERVE_INTERVAL_SECONDS - time.monotonic(), left)))
    except BrokenPipeError:
        # The reader has closed the pipe.
        if last is None:
            raise
        return _shown(how, last)
    except asyncio.CancelledError:
        if last is None or how.view is None:
            raise
        return _shown(how, last)


def _ended(how: Following, last: Result, reached: Condition | None, waited: float) -> Result | None:
    """The result, if this was the last observation; otherwise emits what it waits for."""
    from hzlink.model.errors import ExitStatus

    late = how.limit is not None and waited >= how.limit
    if reached is None:
        return _shown(how, last) if late else None
    if reached.ok:
        return replace(_shown(how, last), status=ExitStatus.DONE)
    if late:
        return _timeout(how, last, reached, waited)
    _emit_wait(how, reached, waited)
    return None


def _goal_condition(goal: Goal | None, last: Result, snapshots: Snapshots) -> Condition | None:
    from hzlink.report import wait_conditions

    return (
        wait_conditions.condition(goal, last.report, snapshots)
        if goal is not None and last.report is not None
        else None
    )


def _shown(how: Following, last: Result) -> Result:
    return replace(last, shown=how.view is not None)


def _timeout(how: Following, last: Result, reached: Condition, waited: float) -> Result:
    from hzlink.model.errors import WaitTimeout
    from hzlink.programs import hints

    blame = last.report.blame if last.report is not None else None
    error = WaitTimeout(
        f"timed out waiting for: {how.goal}",
        said=reached.text,
        waited=waited,
        next_step=blame.next_step if blame is not None and blame.next_step else hints.hzlink("status"),
    )
    return replace(_shown(how, last), status=error.status, errors=(error,))


def _emit_wait(how: Following, reached: Condition, waited: float) -> None:
    from hzlink.model.events import Event, Mark

    if how.view is None:
        text = f"until the topology is {how.goal}"
        how.emit(Event(Mark.WAIT, text, key=text, reason=reached.text, elapsed=waited, limit=how.limit))
