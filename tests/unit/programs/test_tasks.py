"""What puts things in order is not cut off itself."""

from __future__ import annotations

import asyncio

import pytest

from hzlink.programs.tasks import shielded


def test_it_passes_on_what_the_work_raises() -> None:
    async def work() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        asyncio.run(shielded(work(), 5))


def test_an_interrupt_waits_for_the_end_however_often_it_comes() -> None:
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


def test_it_has_an_end_of_its_own() -> None:
    """Without one this would take an hour."""
    asyncio.run(shielded(asyncio.sleep(3600), 0.05))
