"""Steps run side by side, each after those it needs; one that fails stops only those."""

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


class Rehearsal:
    """Runs steps whose actions only note that they ran, or do what a test says."""

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

    def carry_out(self, steps: list[Step]) -> None:
        asyncio.run(runner.run_steps(self.run, steps))

    def began(self, step: Step) -> bool:
        return f"{step.key} begins" in self.log


@pytest.fixture
def rehearsal(monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    return Rehearsal(monkeypatch)


def test_every_step_runs_after_those_it_needs(rehearsal: Rehearsal) -> None:
    rehearsal.carry_out(STEPS)
    at = {line: number for number, line in enumerate(rehearsal.log)}
    for step in STEPS:
        assert all(at[f"{need} ends"] < at[f"{step.key} begins"] for need in step.needs if need != "core/members")
    assert rehearsal.run.errors == []
    assert [event.mark for event in rehearsal.events] == [Mark.OK] * len(STEPS)


def test_sites_go_side_by_side(rehearsal: Rehearsal) -> None:
    rehearsal.carry_out([CORE_SITE, EDGE_SITE])
    assert rehearsal.log[:2] == ["core/site begins", "edge/site begins"]


def test_one_sites_failure_stops_its_own_steps_only(rehearsal: Rehearsal) -> None:
    rehearsal.fails(EDGE_SITE, HzlinkError("no such luck"))
    rehearsal.carry_out(STEPS)
    assert not rehearsal.began(EDGE_LINK)
    assert not rehearsal.began(EDGE_NAMES)
    assert f"{WEST_LINK.key} ends" in rehearsal.log
    [error] = rehearsal.run.errors
    assert (error.message, error.site) == ("no such luck", "edge")
    [failed] = [event for event in rehearsal.events if event.mark is Mark.FAIL]
    assert (failed.lane, failed.text) == ("edge", "no such luck")


def test_a_failure_that_all_need_stops_all(rehearsal: Rehearsal) -> None:
    rehearsal.fails(CORE_SITE, HzlinkError("no", site="elsewhere"))
    rehearsal.carry_out(STEPS)
    assert not any(rehearsal.began(step) for step in (EDGE_LINK, WEST_LINK, EDGE_NAMES))
    assert [error.site for error in rehearsal.run.errors] == ["elsewhere"]


def test_every_failure_is_kept(rehearsal: Rehearsal) -> None:
    for step in (EDGE_SITE, WEST_SITE):
        rehearsal.fails(step, HzlinkError(step.key))
    rehearsal.carry_out(STEPS)
    assert sorted(error.message for error in rehearsal.run.errors) == ["edge/site", "west/site"]


def test_a_mistake_of_hzlinks_is_not_swallowed(rehearsal: Rehearsal) -> None:
    rehearsal.fails(EDGE_SITE, ZeroDivisionError())
    with pytest.raises(ExceptionGroup) as caught:
        rehearsal.carry_out(STEPS)
    assert caught.group_contains(ZeroDivisionError)


def test_every_action_has_something_to_do_it() -> None:
    assert set(runner.ACTIONS) == set(Action)
