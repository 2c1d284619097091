"""Runs a command's coroutine, which ^C and SIGTERM cancel so that it can clean up, and runs coroutines in parallel."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

Outcome = TypeVar("Outcome")


def run(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """The coroutine's outcome.

    Raises:
        KeyboardInterrupt: hzlink received SIGINT or SIGTERM, and the coroutine has cleaned up.
        Exception: the coroutine's exception; the first of a group.
    """
    return asyncio.run(_interruptible(work))


async def shielded(work: Coroutine[Any, Any, None], seconds: float) -> None:
    """Awaits clean-up work even if this task is cancelled; the cancellation takes effect afterwards.

    The work is cancelled after `seconds`.
    """
    cleaning = asyncio.create_task(_within(work, seconds))
    cancelled = False
    while not cleaning.done():
        try:
            await asyncio.shield(cleaning)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    cleaning.result()


async def _within(work: Coroutine[Any, Any, None], seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work


async def _interruptible(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    except BaseExceptionGroup as group:
        raise _first(group) from group


async def together(works: Iterable[Coroutine[Any, Any, Outcome]]) -> list[Outcome]:
    """The coroutines' outcomes, in their order. If one fails, the others are cancelled first.

    Raises:
        Exception: the exception of the first coroutine that failed.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except BaseExceptionGroup as failed:
        raise _first(failed) from failed
    return [task.result() for task in tasks]


@asynccontextmanager
async def running(*works: Coroutine[Any, Any, Any]) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Runs the coroutines as tasks until the block is left. Then it cancels those that still run, and waits for all."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
