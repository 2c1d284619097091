"""Waits: a look at every change, a deadline, and the last reason told. The watch is made of events by hand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest

from hzlink import objects, readings, waiting
from hzlink.errors import HzlinkError, WaitTimeout
from hzlink.events import Event
from hzlink.kubectl import Kubectl
from hzlink.objects import Object
from hzlink.readings import Reading, State
from hzlink.refusals import KubectlError, explain
from hzlink.waiting import Objects, Wait
from tests.unit.builders import CORE, Obj, link

Entry = tuple[str, Obj] | Exception | None


class Watched(Kubectl):
    """Each watch plays the next of the scripts: events, an error to raise, or None to stay silent from there on."""

    def __init__(self, *scripts: Iterable[Entry]) -> None:
        super().__init__(CORE)
        self.scripts = [list(script) for script in scripts]
        self.watches = 0

    @asynccontextmanager
    async def watch(self, resource: str, name: str | None = None) -> AsyncIterator[AsyncIterator[tuple[str, Object]]]:
        script = self.scripts[min(self.watches, len(self.scripts) - 1)]
        self.watches += 1
        yield self._play(script)

    async def _play(self, script: list[Entry]) -> AsyncIterator[tuple[str, Object]]:
        for entry in script:
            await asyncio.sleep(0)
            if entry is None:
                await asyncio.sleep(3600)
            elif isinstance(entry, Exception):
                raise entry
            else:
                yield entry


def look(links: Objects) -> Reading:
    return readings.skupper(links.get("l"))


class Waiting:
    """One wait of at most 0.3 s (the tests' own patience), with what it told."""

    def __init__(self, *scripts: Iterable[Entry], seconds: float = 0.3) -> None:
        self.kubectl = Watched(*scripts)
        self.told: list[Event] = []
        began = time.monotonic()
        self.wait = Wait(self.kubectl, "link ready", began=began, until=began + seconds, emit=self.told.append)

    def __call__(self, patient: bool = True) -> Objects:
        return asyncio.run(self.wait.watch("links", look, name="l", patient=patient))


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


def test_what_is_broken_ends_the_wait_of_who_is_not_patient() -> None:
    with pytest.raises(HzlinkError, match="failed: link ready") as caught:
        Waiting([BROKEN, None], seconds=60)(patient=False)
    assert caught.value.said == "no"
    assert not isinstance(caught.value, WaitTimeout)


def test_what_is_broken_may_mend() -> None:
    assert Waiting([BROKEN, READY, None])(patient=True)


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


def test_one_that_stays_away_is_the_reason() -> None:
    gone = explain(CORE, "watch links", "Unable to connect to the server: EOF")
    with pytest.raises(WaitTimeout) as caught:
        Waiting([gone])()
    assert "Unable to connect" in (caught.value.said or "")


def test_a_right_that_is_lacking_ends_it() -> None:
    forbidden = explain(CORE, "watch links", 'links is forbidden: User "me" cannot watch')
    with pytest.raises(KubectlError) as caught:
        Waiting([forbidden], seconds=60)()
    assert caught.value is forbidden


def test_a_wait_for_nothing_to_be_there_ends_without_an_event() -> None:
    waits = Waiting([None])

    def gone(links: Objects) -> Reading:
        return Reading(State.WAITING if links else State.OK)

    assert asyncio.run(waits.wait.watch("links", gone)) == {}
