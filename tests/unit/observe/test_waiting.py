"""Waits: every change is judged; the deadline and the last reason are reported. The watch is simulated."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace

import pytest

from hzlink.model import conditions, objects
from hzlink.model.conditions import Condition, State
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.events import Event
from hzlink.observe import waiting
from hzlink.observe.waiting import Judge, Objects, Wait
from hzlink.programs.refusals import KubectlError, Refusal, explain
from tests.unit.builders import CORE, link
from tests.unit.watching import Entry, Watched


def judge(links: Objects) -> Condition:
    return conditions.skupper(links.get("l"))


def judge_with_short_grace(links: Objects) -> Condition:
    """As `judge`, with a grace period of 1.0 s."""
    return replace(conditions.skupper(links.get("l")), grace=1.0)


class Waiting:
    """One wait of at most 0.3 s, with the events it emits."""

    def __init__(self, *scripts: Iterable[Entry], seconds: float = 0.3) -> None:
        self.kubectl = Watched(*scripts)
        self.told: list[Event] = []
        began = time.monotonic()
        self.wait = Wait(self.kubectl, "link ready", began=began, until=began + seconds, emit=self.told.append)

    def __call__(self, looking: Judge = judge) -> Objects:
        return asyncio.run(self.wait.watch("links.skupper.io", looking, name="l"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "RETRY_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(waiting, "PROGRESS_INTERVAL_SECONDS", 0.05)


READY, PENDING, BROKEN = (
    ("MODIFIED", link("l")),
    ("ADDED", link("l", "Pending", "soon")),
    ("ADDED", link("l", "Error", "no")),
)


def test_wait_ends_when_the_condition_is_met() -> None:
    found = Waiting([PENDING, READY, None])()
    assert objects.status(found["l"])["status"] == "Ready"


def test_deleted_object_is_removed() -> None:
    waits = Waiting([("ADDED", link("l", "Pending")), ("DELETED", link("l", "Pending")), None])
    with pytest.raises(WaitTimeout) as caught:
        waits()
    assert caught.value.said == "not found"


def test_deletion_of_an_unknown_object_is_ignored() -> None:
    assert Waiting([("DELETED", link("other")), READY])()


def test_timeout_contains_subject_site_duration_and_last_reason() -> None:
    waits = Waiting([PENDING, None])
    with pytest.raises(WaitTimeout, match="timed out waiting for: link ready") as caught:
        waits()
    assert (caught.value.site, caught.value.said) == ("core", "soon")
    assert 0.3 <= (caught.value.waited or 0) < 3
    assert {(event.reason, event.lane) for event in waits.told} == {("soon", "core")}
    assert all((event.elapsed or 0) <= (event.limit or 0) + 3 for event in waits.told)


def test_passed_deadline_is_a_timeout_at_once() -> None:
    with pytest.raises(WaitTimeout):
        Waiting([None], seconds=-5)()


def test_condition_broken_longer_than_its_grace_ends_the_wait() -> None:
    with pytest.raises(HzlinkError, match="failed: link ready") as caught:
        Waiting([PENDING, BROKEN, None], seconds=60)(judge_with_short_grace)
    error = caught.value
    assert (error.said, error.subject, error.site, int(error.status)) == ("no", "Link l", "core", 1)
    assert 1.0 <= (error.waited or 0) < 50
    assert "describe links.skupper.io l" in (error.next_step or "")
    assert not isinstance(error, WaitTimeout)


def test_grace_restarts_after_a_recovery() -> None:
    """It is broken except for one moment, which restarts the grace period."""
    waits = Waiting([BROKEN, 0.7, BROKEN, PENDING, BROKEN, 0.7, READY], seconds=60)
    assert waits(judge_with_short_grace)


@pytest.mark.parametrize("looking", [judge, judge_with_short_grace])
def test_broken_condition_may_recover(looking: Judge) -> None:
    assert Waiting([BROKEN, READY, None])(looking)


def test_broken_condition_without_a_grace_limit_is_a_timeout() -> None:
    with pytest.raises(WaitTimeout) as caught:
        Waiting([BROKEN, None])()
    assert caught.value.said == "no"


def test_deadline_before_the_end_of_the_grace_is_a_timeout() -> None:
    with pytest.raises(WaitTimeout):
        Waiting([BROKEN, None], seconds=0.05)(judge_with_short_grace)


def test_ended_watch_is_restarted() -> None:
    waits = Waiting([PENDING], [], [READY])
    assert waits()
    assert waits.kubectl.watches == 3


def test_objects_of_a_previous_watch_are_forgotten() -> None:
    waits = Waiting([PENDING], [None])
    with pytest.raises(WaitTimeout) as caught:
        waits()
    assert caught.value.said == "not found"


def test_unreachable_api_server_is_retried() -> None:
    gone = explain(CORE, "watch links", "Unable to connect to the server: EOF")
    waits = Waiting([gone], [gone], [READY])
    assert waits()
    assert waits.kubectl.watches == 3


def test_unreachable_api_server_is_the_reason_of_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    # The deadline comes before the next try, which would start without objects.
    monkeypatch.setattr(waiting, "RETRY_PAUSE_SECONDS", 60.0)
    gone = explain(CORE, "watch links", "Unable to connect to the server: EOF")
    with pytest.raises(WaitTimeout) as caught:
        Waiting([gone], seconds=2.0)()
    assert "Unable to connect" in (caught.value.said or "")


@pytest.fixture
def short_unreachable_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PING_INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(waiting, "UNREACHABLE_LIMIT_SECONDS", 0.1)


@pytest.mark.usefixtures("short_unreachable_limit")
def test_api_server_unreachable_for_too_long_ends_the_wait() -> None:
    gone = explain(CORE, "watch links", "Unable to connect to the server: EOF")
    waits = Waiting([PENDING], [gone], seconds=60)
    waits.kubectl.answers = False
    with pytest.raises(KubectlError) as caught:
        waits()
    error = caught.value
    assert (error.refusal, int(error.status), error.site) == (Refusal.UNREACHABLE, 3, "core")
    assert 0.1 <= (error.waited or 0) < 50


@pytest.mark.usefixtures("short_unreachable_limit")
def test_silent_watch_of_a_frozen_server_ends_the_wait() -> None:
    waits = Waiting([PENDING, None], seconds=60)
    waits.kubectl.answers = False
    with pytest.raises(KubectlError, match="cannot be reached") as caught:
        waits()
    assert (caught.value.waited or 0) < 50


@pytest.mark.usefixtures("short_unreachable_limit")
def test_silent_watch_of_a_responding_server_continues() -> None:
    with pytest.raises(WaitTimeout) as caught:
        Waiting([PENDING, None])()
    assert caught.value.said == "soon"


def test_missing_right_ends_the_wait() -> None:
    forbidden = explain(CORE, "watch links", 'links is forbidden: User "me" cannot watch')
    with pytest.raises(KubectlError) as caught:
        Waiting([forbidden], seconds=60)()
    assert caught.value is forbidden


def test_wait_for_absence_ends_without_an_event() -> None:
    waits = Waiting([None])

    def gone(links: Objects) -> Condition:
        return Condition(State.WAITING if links else State.OK)

    assert asyncio.run(waits.wait.watch("links", gone)) == {}
