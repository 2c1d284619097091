"""Coroutines that run concurrently."""

from __future__ import annotations

import asyncio

import pytest

from hzlink.programs.tasks import together


async def _after(seconds: float, value: int) -> int:
    await asyncio.sleep(seconds)
    return value


def test_results_are_in_the_order_of_the_coroutines() -> None:
    assert asyncio.run(together([_after(0.05, 1), _after(0, 2)])) == [1, 2]
    assert asyncio.run(together([])) == []


def test_other_coroutines_have_ended_when_one_fails() -> None:
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
