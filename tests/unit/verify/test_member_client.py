"""The client's threads and its silence. Members themselves are called in tests/sandbox."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from hzlink.verify import member_client
from hzlink.verify.member_client import NoAnswer, in_thread


def test_what_the_thread_gives() -> None:
    assert asyncio.run(in_thread(lambda: 3, 5)) == 3


def test_one_that_takes_too_long_is_left_behind() -> None:
    over = threading.Event()
    began = time.monotonic()
    with pytest.raises(NoAnswer) as caught:
        asyncio.run(in_thread(lambda: over.wait(30), 0.2))
    assert time.monotonic() - began < 5, "nor does Python wait for it at the end of the loop"
    assert caught.value.said == "no answer within 0.2 s"
    assert caught.value.waited is not None
    over.set()


def test_what_fails_says_how() -> None:
    def fail() -> None:
        raise KeyError("partition")

    with pytest.raises(NoAnswer) as caught:
        asyncio.run(in_thread(fail, 5))
    assert caught.value.said == "KeyError: 'partition'"


def test_cancelling_does_not_wait() -> None:
    over = threading.Event()

    async def cancelled() -> float:
        task = asyncio.create_task(in_thread(lambda: over.wait(30), 30))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began

    assert asyncio.run(cancelled()) < 2
    over.set()


@pytest.fixture
def deaf() -> Iterator[str]:
    """An address that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_client, "CONNECT_DEADLINE", 1.0)


def failing(address: str, said: str = "") -> NoAnswer:
    async def connect() -> None:
        await member_client.connect(address, "dev", lambda: said)

    with pytest.raises(NoAnswer) as caught:
        asyncio.run(connect())
    return caught.value


def test_nobody_is_there(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = f"127.0.0.1:{server.getsockname()[1]}"
    assert "refused" in (failing(free).said or "")
    assert failing(free, "error: lost connection to pod").said == "error: lost connection to pod"
    assert capfd.readouterr() == ("", ""), "the client's own log stays off the terminal"


def test_one_that_says_nothing(deaf: str, capfd: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    failing(deaf)
    assert time.monotonic() - began < 15
    assert capfd.readouterr() == ("", "")


def test_no_handler_is_left_of_a_try(deaf: str) -> None:
    before = list(logging.getLogger("hazelcast").handlers)
    failing(deaf)
    assert logging.getLogger("hazelcast").handlers == before
