"""Coroutines side by side."""

from __future__ import annotations

import asyncio

import pytest

from hzlink.programs.tasks import together


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
