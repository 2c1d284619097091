"""Shielded cleanup is not interrupted."""

from __future__ import annotations

import asyncio

import pytest

from hzlink.programs.tasks import shielded


def test_exception_of_the_work_is_raised() -> None:
    async def work() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        asyncio.run(shielded(work(), 5))


def test_repeated_cancellation_waits_for_the_work() -> None:
    done = []

    async def work() -> None:
        await asyncio.sleep(0.1)
        done.append(True)

    async def run() -> None:
        task = asyncio.create_task(shielded(work(), 5))
        for _ in range(3):
            await asyncio.sleep(0.01)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done == [True]

    asyncio.run(run())


def test_shielded_work_has_a_time_limit() -> None:
    """Without a limit this would take an hour."""
    asyncio.run(shielded(asyncio.sleep(3600), 0.05))
