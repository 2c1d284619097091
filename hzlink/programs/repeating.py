"""Repeats a call of a program while the API server fails with a temporary error."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from hzlink.programs import passing
from hzlink.programs.process import Completed

# The default limit for all tries, and the shortest and the longest pause between two tries.
RETRY_LIMIT_SECONDS = 3.0
FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 5.0


async def while_passing(call: Callable[[], Awaitable[Completed]], until: float | None) -> tuple[Completed, int]:
    """The last call's result and the number of calls. `until`: seconds of time.monotonic; None for the default."""
    end = time.monotonic() + RETRY_LIMIT_SECONDS if until is None else until
    pause, tries = FIRST_PAUSE_SECONDS, 1
    while True:
        done = await call()
        if done.code <= 0 or not passing.is_passing(done.said) or time.monotonic() + pause >= end:
            return done, tries
        await asyncio.sleep(pause)
        pause, tries = min(2 * pause, MAX_PAUSE_SECONDS), tries + 1
