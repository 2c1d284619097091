"""Waits: a look at every change, a deadline, and the last reason told. The watch is made of events by hand."""

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


def look(links: Objects) -> Condition:
    return conditions.skupper(links.get("l"))


def impatient(links: Objects) -> Condition:
    """As `look`, and 0.1 s of being broken are enough."""
    return replace(conditions.skupper(links.get("l")), grace=0.1)


class Waiting:
    """One wait of at most 0.3 s (the tests' own patience), with what it told."""

    def __init__(self, *scripts: Iterable[Entry], seconds: float = 0.3) -> None:
        self.kubectl = Watched(*scripts)
        self.told: list[Event] = []
        began = time.monotonic()
        self.wait = Wait(self.kubectl, "link ready", began=began, until=began + seconds, emit=self.told.append)

    def __call__(self, looking: Judge = look) -> Objects:
        return asyncio.run(self.wait.watch("links.skupper.io", looking, name="l"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "RETRY", 0.01)
    monkeypatch.setattr(waiting, "TICK", 0.05)


READY, PENDING, BROKEN = (
    ("MODIFIED", link("l")),
    ("ADDED", link("l", "Pending", "soon")),
    ("ADDED", link("l", "Error", "no")),
)


def test_it_ends_with_the_condition() -> None:
    found = Waiting([PENDING, READY, None])()
    assert objects.status(found["l"])["status"] == "Ready"


def test_what_was_deleted_is_no_longer_there() -> None:
    waits = Waiting([("ADDED", link("l", "Pending")), ("DELETED", link("l", "Pending")), None])
    with pytest.raises(WaitTimeout) as caught:
        waits()
    assert caught.value.said == "not there"


def test_a_deletion_of_what_was_never_seen_is_no_trouble() -> None:
    assert Waiting([("DELETED", link("other")), READY])()


def test_a_timeout_says_what_for_where_how_long_and_the_last_reason() -> None:
    waits = Waiting([PENDING, None])
    with pytest.raises(WaitTimeout, match="timed out waiting for: link ready") as caught:
        waits()
    assert (caught.value.site, caught.value.said) == ("core", "soon")
    assert 0.3 <= (caught.value.waited or 0) < 3
    assert {(event.reason, event.lane) for event in waits.told} == {("soon", "core")}
    assert all((event.elapsed or 0) <= (event.limit or 0) + 3 for event in waits.told)


def test_no_time_left_is_a_timeout_at_once() -> None:
    with pytest.raises(WaitTimeout):
        Waiting([None], seconds=-5)()


def test_what_is_broken_for_its_grace_ends_the_wait() -> None:
    with pytest.raises(HzlinkError, match="failed: link ready") as caught:
        Waiting([PENDING, BROKEN, None], seconds=60)(impatient)
    error = caught.value
    assert (error.said, error.subject, error.site, int(error.status)) == ("no", "Link l", "core", 1)
    assert 0.1 <= (error.waited or 0) < 50
    assert "describe links.skupper.io l" in (error.next_step or "")
    assert not isinstance(error, WaitTimeout)


def test_what_was_broken_in_between_ends_nothing() -> None:
    """It is broken all the time but for one moment, which begins its grace anew."""
    waits = Waiting([BROKEN, 0.07, BROKEN, PENDING, BROKEN, 0.07, READY], seconds=60)
    assert waits(impatient)


@pytest.mark.parametrize("looking", [look, impatient])
def test_what_is_broken_may_mend(looking: Judge) -> None:
    assert Waiting([BROKEN, READY, None])(looking)


def test_what_is_broken_is_waited_for_to_the_end_where_it_may_mend() -> None:
    with pytest.raises(WaitTimeout) as caught:
        Waiting([BROKEN, None])()
    assert caught.value.said == "no"


def test_a_grace_that_outlasts_the_time_is_a_timeout() -> None:
    with pytest.raises(WaitTimeout):
        Waiting([BROKEN, None], seconds=0.05)(impatient)


def test_a_watch_that_ends_is_begun_again() -> None:
    waits = Waiting([PENDING], [], [READY])
    assert waits()
    assert waits.kubectl.watches == 3


def test_what_the_watch_before_saw_is_not_taken_for_there() -> None:
    waits = Waiting([PENDING], [None])
    with pytest.raises(WaitTimeout) as caught:
        waits()
    assert caught.value.said == "not there"


def test_an_api_server_that_went_away_is_asked_again() -> None:
    gone = explain(CORE, "watch links", "Unable to connect to the server: EOF")
    waits = Waiting([gone], [gone], [READY])
    assert waits()
    assert waits.kubectl.watches == 3


def test_one_that_stays_away_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    # The time ends before the next try, which would begin with nothing seen.
    monkeypatch.setattr(waiting, "RETRY", 60.0)
    gone = explain(CORE, "watch links", "Unable to connect to the server: EOF")
    with pytest.raises(WaitTimeout) as caught:
        Waiting([gone], seconds=2.0)()
    assert "Unable to connect" in (caught.value.said or "")


@pytest.fixture
def short_of_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PING_INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(waiting, "UNREACHABLE_LIMIT_SECONDS", 0.1)


@pytest.mark.usefixtures("short_of_patience")
def test_one_that_is_away_for_long_ends_the_wait() -> None:
    gone = explain(CORE, "watch links", "Unable to connect to the server: EOF")
    waits = Waiting([PENDING], [gone], seconds=60)
    waits.kubectl.answers = False
    with pytest.raises(KubectlError) as caught:
        waits()
    error = caught.value
    assert (error.refusal, int(error.status), error.site) == (Refusal.UNREACHABLE, 3, "core")
    assert 0.1 <= (error.waited or 0) < 50


@pytest.mark.usefixtures("short_of_patience")
def test_a_watch_that_is_silent_as_its_server_is_frozen_ends_the_wait() -> None:
    waits = Waiting([PENDING, None], seconds=60)
    waits.kubectl.answers = False
    with pytest.raises(KubectlError, match="cannot be reached") as caught:
        waits()
    assert (caught.value.waited or 0) < 50


@pytest.mark.usefixtures("short_of_patience")
def test_a_watch_that_is_silent_as_nothing_happens_goes_on() -> None:
    with pytest.raises(WaitTimeout) as caught:
        Waiting([PENDING, None])()
    assert caught.value.said == "soon"


def test_a_right_that_is_lacking_ends_it() -> None:
    forbidden = explain(CORE, "watch links", 'links is forbidden: User "me" cannot watch')
    with pytest.raises(KubectlError) as caught:
        Waiting([forbidden], seconds=60)()
    assert caught.value is forbidden


def test_a_wait_for_nothing_to_be_there_ends_without_an_event() -> None:
    waits = Waiting([None])

    def gone(links: Objects) -> Condition:
        return Condition(State.WAITING if links else State.OK)

    assert asyncio.run(waits.wait.watch("links", gone)) == {}
