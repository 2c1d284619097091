"""Coroutines side by side; and what puts things in order is not cut off itself."""

from __future__ import annotations

import asyncio
import time

import pytest

from hzlink.running import to_the_end, together


async def _after(seconds: float, value: int) -> int:
    await asyncio.sleep(seconds)
    return value


def test_outcomes_come_in_their_order() -> None:
    assert asyncio.run(together([_after(0.05, 1), _after(0, 2)])) == [1, 2]
    assert asyncio.run(together([])) == []


def test_when_one_fails_the_others_have_ended() -> None:
    ended = []

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            ended.append(True)

    async def fails() -> None:
        await asyncio.sleep(0.01)
        raise ZeroDivisionError

    async def run() -> None:
        with pytest.raises(ZeroDivisionError):
            await together([long(), fails()])
        assert ended == [True]

    asyncio.run(run())


def test_it_passes_on_what_the_work_raises() -> None:
    async def work() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        asyncio.run(to_the_end(work(), 5))


def test_an_interrupt_waits_for_the_end_however_often_it_comes() -> None:
    done = []

    async def work() -> None:
        await asyncio.sleep(0.1)
        done.append(True)

    async def run() -> None:
        task = asyncio.create_task(to_the_end(work(), 5))
        for _ in range(3):
            await asyncio.sleep(0.01)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done == [True]

    asyncio.run(run())


def test_it_has_an_end_of_its_own() -> None:
    began = time.monotonic()
    asyncio.run(to_the_end(asyncio.sleep(5), 0.05))
    assert time.monotonic() - began < 2
