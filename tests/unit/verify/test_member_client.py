"""The client's threads, deadlines and log output. Real members are called in tests/sandbox."""

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


def test_result_of_the_thread_is_returned() -> None:
    assert asyncio.run(in_thread(lambda: 3, 5)) == 3


def test_thread_that_exceeds_its_deadline_is_abandoned() -> None:
    over = threading.Event()
    began = time.monotonic()
    with pytest.raises(NoAnswer) as caught:
        asyncio.run(in_thread(lambda: over.wait(30), 0.2))
    assert time.monotonic() - began < 25, "the event loop does not wait for the thread as it ends"
    assert caught.value.said == "no answer within 0.2 s"
    assert caught.value.waited is not None
    over.set()


def test_exception_of_the_thread_is_reported() -> None:
    def fail() -> None:
        raise KeyError("partition")

    with pytest.raises(NoAnswer) as caught:
        asyncio.run(in_thread(fail, 5))
    assert caught.value.said == "KeyError: 'partition'"


def test_cancellation_does_not_wait_for_the_thread() -> None:
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
def silent_address() -> Iterator[str]:
    """An address that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(autouse=True)
def short_connect_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_client, "CONNECT_DEADLINE_SECONDS", 1.0)


def failing(address: str, said: str = "") -> NoAnswer:
    async def connect() -> None:
        await member_client.connect(address, "dev", lambda: said)

    with pytest.raises(NoAnswer) as caught:
        asyncio.run(connect())
    return caught.value


@pytest.mark.waits
def test_closed_port_is_reported(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = f"127.0.0.1:{server.getsockname()[1]}"
    assert "refused" in (failing(free).said or "")
    assert failing(free, "error: lost connection to pod").said == "error: lost connection to pod"
    assert capfd.readouterr() == ("", ""), "the client's log is not printed"


@pytest.mark.waits(5)
def test_silent_address_times_out(silent_address: str, capfd: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    failing(silent_address)
    assert time.monotonic() - began < 50
    assert capfd.readouterr() == ("", "")


@pytest.mark.waits(5)
def test_log_handler_is_removed_after_a_connection(silent_address: str) -> None:
    # The client adds a handler of its own when it is imported.
    import hazelcast  # noqa: F401

    before = list(logging.getLogger("hazelcast").handlers)
    failing(silent_address)
    assert logging.getLogger("hazelcast").handlers == before
