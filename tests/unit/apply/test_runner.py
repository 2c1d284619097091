"""Steps run concurrently, each after those it needs; a failed step stops only the steps that need it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from hzlink.apply import runner
from hzlink.apply.steps.context import Run
from hzlink.model.errors import HzlinkError
from hzlink.model.events import Event, Mark
from hzlink.plan.planner import Action, Step, key
from tests.unit.builders import CORE, EDGE, WEST, topology

CORE_SITE, EDGE_SITE, WEST_SITE = (Step(Action.SITE, site, "") for site in (CORE, EDGE, WEST))
EDGE_LINK = Step(Action.LINK, EDGE, "", frozenset({CORE_SITE.key, EDGE_SITE.key}))
WEST_LINK = Step(Action.LINK, WEST, "", frozenset({CORE_SITE.key, WEST_SITE.key}))
EDGE_NAMES = Step(Action.NAMES, EDGE, "", frozenset({EDGE_LINK.key, key(CORE, Action.MEMBERS)}))
STEPS = [CORE_SITE, EDGE_SITE, WEST_SITE, EDGE_LINK, WEST_LINK, EDGE_NAMES]


class RecordedRun:
    """Runs steps whose actions only record that they ran, or do what a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log: list[str] = []
        self.events: list[Event] = []
        self.acts: dict[str, Callable[[], Awaitable[None]]] = {}
        self.run = Run(topology(EDGE, WEST), {}, self.events.append, time.monotonic() + 60)
        monkeypatch.setattr(runner, "ACTIONS", dict.fromkeys(Action, self.act))

    async def act(self, run: Run, step: Step) -> str:
        self.log.append(f"{step.key} begins")
        await asyncio.sleep(0)
        if step.key in self.acts:
            await self.acts[step.key]()
        self.log.append(f"{step.key} ends")
        return f"{step.key} done"

    def fails(self, step: Step, error: Exception) -> None:
        async def fail() -> None:
            raise error

        self.acts[step.key] = fail

    def run_steps_of(self, steps: list[Step]) -> None:
        asyncio.run(runner.run_steps(self.run, steps))

    def began(self, step: Step) -> bool:
        return f"{step.key} begins" in self.log


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> RecordedRun:
    return RecordedRun(monkeypatch)


def test_every_step_runs_after_the_steps_it_needs(recorded: RecordedRun) -> None:
    recorded.run_steps_of(STEPS)
    at = {line: number for number, line in enumerate(recorded.log)}
    for step in STEPS:
        assert all(at[f"{need} ends"] < at[f"{step.key} begins"] for need in step.needs if need != "core/members")
    assert recorded.run.errors == []
    assert [event.mark for event in recorded.events] == [Mark.OK] * len(STEPS)


def test_sites_run_concurrently(recorded: RecordedRun) -> None:
    recorded.run_steps_of([CORE_SITE, EDGE_SITE])
    assert recorded.log[:2] == ["core/site begins", "edge/site begins"]


def test_failed_step_stops_only_its_own_site(recorded: RecordedRun) -> None:
    recorded.fails(EDGE_SITE, HzlinkError("refused"))
    recorded.run_steps_of(STEPS)
    assert not recorded.began(EDGE_LINK)
    assert not recorded.began(EDGE_NAMES)
    assert f"{WEST_LINK.key} ends" in recorded.log
    [error] = recorded.run.errors
    assert (error.message, error.site) == ("refused", "edge")
    [failed] = [event for event in recorded.events if event.mark is Mark.FAIL]
    assert (failed.lane, failed.text) == ("edge", "refused")


def test_failed_step_that_all_sites_need_stops_all_sites(recorded: RecordedRun) -> None:
    recorded.fails(CORE_SITE, HzlinkError("no", site="elsewhere"))
    recorded.run_steps_of(STEPS)
    assert not any(recorded.began(step) for step in (EDGE_LINK, WEST_LINK, EDGE_NAMES))
    assert [error.site for error in recorded.run.errors] == ["elsewhere"]


def test_all_failures_are_recorded(recorded: RecordedRun) -> None:
    for step in (EDGE_SITE, WEST_SITE):
        recorded.fails(step, HzlinkError(step.key))
    recorded.run_steps_of(STEPS)
    assert sorted(error.message for error in recorded.run.errors) == ["edge/site", "west/site"]


def test_unexpected_exception_is_raised(recorded: RecordedRun) -> None:
    recorded.fails(EDGE_SITE, ZeroDivisionError())
    with pytest.raises(ExceptionGroup) as caught:
        recorded.run_steps_of(STEPS)
    assert caught.group_contains(ZeroDivisionError)


def test_every_action_has_a_function() -> None:
    assert set(runner.ACTIONS) == set(Action)
