"""When hzlink issues another token, how often, and the error at the timeout."""

from __future__ import annotations

import asyncio
import time

import pytest

from hzlink.linking import attempts
from hzlink.linking.attempts import Attempts
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.events import Event, Mark
from hzlink.observe.waiting import Wait
from tests.unit.watching import Watched

NO_NAME = 'Controller got error: Post "https://lb:9090/1": dial tcp: lookup lb: no such host'


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "PAUSES_SECONDS", (0.01,))


class Trying:
    """Attempts with a time limit in seconds, and the events they emit."""

    def __init__(self, seconds: float = 30.0) -> None:
        self.told: list[Event] = []
        began = time.monotonic()
        wait = Wait(Watched([None]), "token", began=began, until=began + seconds, emit=self.told.append)
        self.attempts = Attempts(wait)

    def pause(self, *said: str) -> None:
        for words in said:
            asyncio.run(self.attempts.pause(HzlinkError("not redeemed", said=words)))


def test_temporary_failure_is_retried_and_reported_once() -> None:
    trying = Trying()
    # Each token has a grant of its own, whose UUID is in the URL.
    trying.pause(NO_NAME, NO_NAME.replace("/1", "/2"), NO_NAME.replace("/1", "/3"))
    notes = [event for event in trying.told if event.mark is Mark.NOTE]
    reason = "not redeemed (dial tcp: lookup lb: no such host)"
    assert [note.text for note in notes] == [f"{reason}: trying again with a new token"]
    assert trying.attempts.reason == reason


def test_permanent_failure_ends_at_once() -> None:
    with pytest.raises(HzlinkError, match="not redeemed") as caught:
        Trying().pause("Controller got failed response: 403 (Forbidden) Redemption of access token refused")
    assert not isinstance(caught.value, WaitTimeout)


def test_used_token_is_replaced_once() -> None:
    trying, used = Trying(), "Controller got failed response: 404 (Not Found) No such access granted"
    trying.pause(used)
    with pytest.raises(HzlinkError, match="not redeemed"):
        trying.pause(used)


def test_timeout_has_the_last_reason() -> None:
    with pytest.raises(WaitTimeout) as caught:
        Trying(seconds=0.0).pause(NO_NAME)
    assert caught.value.said == NO_NAME
    assert caught.value.waited is not None


def test_attempt_interrupted_by_the_timeout_keeps_the_last_reason() -> None:
    trying = Trying(seconds=0.2)
    trying.pause(NO_NAME)
    time.sleep(0.2)
    with pytest.raises(WaitTimeout) as caught:
        asyncio.run(trying.attempts.pause(WaitTimeout("not redeemed", said="no answer yet")))
    assert caught.value.said == NO_NAME
