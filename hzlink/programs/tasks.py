"""Runs a command's coroutine to its end. ^C and SIGTERM cancel it, so that it can still put things in order.

And several coroutines side by side, so that none goes on when one fails.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any, TypeVar

Outcome = TypeVar("Outcome")


def run(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """The coroutine's outcome.

    Raises:
        KeyboardInterrupt: SIGINT or SIGTERM came; everything is put in order by then.
        Exception: what the coroutine raised; of a group of errors, the first.
    """
    return asyncio.run(_interruptible(work))


async def shielded(work: Coroutine[Any, Any, None], seconds: float) -> None:
    """Awaits what puts things in order, even when this task is cancelled meanwhile; that takes effect afterwards.

    After `seconds` it is given up.
    """
    ordering = asyncio.create_task(_within(work, seconds))
    cancelled = False
    while not ordering.done():
        try:
            await asyncio.shield(ordering)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    ordering.result()


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
    """The coroutines' outcomes, in their order. When one fails, the others have been ended before this says so.

    Raises:
        Exception: what the first that failed raised.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except BaseExceptionGroup as failed:
        raise _first(failed) from failed
    return [task.result() for task in tasks]


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
