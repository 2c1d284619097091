"""`hzlink status`: one observation of every site, or repeated ones. Never writes, never hangs."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hzlink.observe.with_members import observe_topology

if TYPE_CHECKING:
    from hzlink.config.resolve import Config
    from hzlink.model.choices import Goal
    from hzlink.model.conditions import Condition
    from hzlink.model.events import Emit
    from hzlink.observe.snapshot import Snapshots
    from hzlink.render.result import Result

# For the observation of each site: a status must answer soon.
DEADLINE_SECONDS = 10.0
# Time between observations. hzlink polls, because kubectl can watch only one kind of object, and there are ten.
OBSERVE_INTERVAL_SECONDS = 2.0


async def status(config: Config, meanwhile: Callable[[], None] = lambda: None) -> Result:
    """The state of every site and link. DONE if healthy, FAILED if not, PREREQUISITE if a site cannot be read.

    `meanwhile`: called while the sites are observed, to prepare the output.
    """
    return (await _observe(config, meanwhile))[0]


async def _observe(config: Config, meanwhile: Callable[[], None] = lambda: None) -> tuple[Result, Snapshots]:
    topology, deadline = config.topology, min(DEADLINE_SECONDS, config.timeout)
    observing = asyncio.create_task(observe_topology(topology, deadline=deadline, evidence=True))
    # Long enough to start every site's kubectl, which runs while the rest is loaded.
    await asyncio.sleep(0.001)
    meanwhile()
    from hzlink.observe import app_namespaces
    from hzlink.render import result
    from hzlink.report import report
    from hzlink.verify import saved_verdict, verdict_file

    snapshots = await app_namespaces.with_apps(topology, await observing, deadline)
    verified = saved_verdict.at_time(verdict_file.load(config.topology), time.time())
    seen = saved_verdict.prefer_over_conditions(report.make(config.topology, snapshots), verified)
    return result.verdict("status", seen, verified=verified), snapshots


@dataclass(frozen=True)
class Following:
    """How to follow the status.

    It ends when `goal` is reached, and at the latest after `limit` seconds. `view` is called with every observation;
    without a view, `emit` gets wait events.
    """

    goal: Goal | None
    limit: float | None
    view: Callable[[Result], None] | None
    emit: Emit


async def follow(config: Config, how: Following) -> Result:
    """Observes repeatedly. DONE if the goal is reached, TIMEOUT if it is not reached in time. Without a goal, and after
    ^C with a view, the result is that of the last observation.
    """
    began, last = time.monotonic(), None
    try:
        while True:
            observed_at = time.monotonic()
            # The last observation has no shorter limit than the others, because it would be incomplete.
            last, snapshots = await _observe(config)
            if how.view is not None:
                how.view(last)
            waited = time.monotonic() - began
            if ended := _ended(how, last, _goal_condition(how.goal, last, snapshots), waited):
                return ended
            # sh's commands are reference cycles that contain their output. With the thresholds of __main__, they would
            # take about 100 MB before a garbage collection.
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
