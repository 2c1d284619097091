"""`hzlink status`: one observation of every site, or repeated ones. Never writes, never hangs."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hzlink.observe.with_members import observe_topology

if TYPE_CHECKING:
    from hzlink.config.resolve import Config
    from hzlink.model.choices import Goal
    from hzlink.model.conditions import Condition
    from hzlink.model.events import Emit
    from hzlink.model.topology import Topology
    from hzlink.observe.snapshot import Snapshots
    from hzlink.render.result import Result

# For the observation of each site: a status must answer soon.
DEADLINE_SECONDS = 10.0
# Time between observations. hzlink polls, because kubectl can watch only one kind of object, and there are ten.
OBSERVE_INTERVAL_SECONDS = 2.0


async def status(config: Config, meanwhile: Callable[[], None] = lambda: None, *, single: bool = False) -> Result:
    """The state of every site and link. DONE if healthy, FAILED if not, PREREQUISITE if a site cannot be read.

    Without a name, the state of every topology in the namespaces, with the exit status of the worst.

    Args:
        config: the configuration.
        meanwhile: called while the sites are observed, to prepare the output.
        single: whether the output can show only one topology.

    Raises:
        UsageError: the output can show only one topology, and there are several.
    """
    seen, snapshots = await _observe(config, meanwhile)
    if config.named:
        return seen
    from hzlink.observe import app_namespaces
    from hzlink.plan import sharing
    from hzlink.render import result

    shown = sharing.candidates(config.topology, snapshots)
    if len(shown) > 1:
        from hzlink.config import neighbours

        own = config.topology
        shown = [one if one == own else neighbours.with_records([one])[0] for one in shown]
    if single:
        _refuse_several(shown)
    # Only the members' log and the application namespaces of this topology were read.
    others = {site: replace(snapshot, member_log=None, apps=()) for site, snapshot in snapshots.items()}
    deadline = min(DEADLINE_SECONDS, config.timeout)
    results = [
        seen if one == config.topology else _result(one, await app_namespaces.with_apps(one, others, deadline))
        for one in shown
    ]
    return results[0] if len(results) == 1 else result.several("status", results)


def _refuse_several(shown: Sequence[Topology]) -> None:
    if len(shown) > 1:
        from hzlink.plan import sharing

        raise sharing.ambiguous("status", [one.name for one in shown], "this output is of one topology")


async def _observe(config: Config, meanwhile: Callable[[], None] = lambda: None) -> tuple[Result, Snapshots]:
    topology, deadline = config.topology, min(DEADLINE_SECONDS, config.timeout)
    observing = asyncio.create_task(observe_topology(topology, deadline=deadline, evidence=True))
    # Long enough to start every site's kubectl, which runs while the rest is loaded.
    await asyncio.sleep(0.001)
    meanwhile()
    # Loaded before the sites have answered.
    from hzlink.observe import app_namespaces
    from hzlink.plan import sharing
    from hzlink.report import report  # noqa: F401
    from hzlink.verify import verdict_file  # noqa: F401

    snapshots = await observing
    # --name alone names a topology, too, whose record another machine has.
    topology = sharing.with_its_service(topology, snapshots)
    snapshots = await app_namespaces.with_apps(topology, snapshots, deadline)
    return _result(topology, snapshots), snapshots


def _result(topology: Topology, snapshots: Snapshots) -> Result:
    from hzlink.render import result
    from hzlink.report import report
    from hzlink.verify import saved_verdict, verdict_file

    verified = saved_verdict.at_time(verdict_file.load(topology), time.time())
    seen = saved_verdict.prefer_over_conditions(report.make(topology, snapshots), verified)
    return result.verdict("status", seen, verified=verified)


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

    Raises:
        UsageError: no name was given, and there are several topologies.
    """
    began, last = time.monotonic(), None
    try:
        while True:
            observed_at = time.monotonic()
            # The last observation has no shorter limit than the others, because it would be incomplete.
            seen, snapshots = await _observe(config)
            if last is None and not config.named:
                from hzlink.plan import sharing

                _refuse_several(sharing.candidates(config.topology, snapshots))
            last = seen
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
