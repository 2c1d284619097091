"""Repeats a call of a program while what the API server refuses passes by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from hzlink.programs import passing
from hzlink.programs.process import Completed

# Seconds, where no run has its own time; between two tries at first, and at most.
PATIENCE = 3.0
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0


async def while_passing(call: Callable[[], Awaitable[Completed]], until: float | None) -> tuple[Completed, int]:
    """How the last call ended, and how many there were. `until` is in time.monotonic's seconds."""
    end = time.monotonic() + PATIENCE if until is None else until
    pause, tries = FIRST_PAUSE, 1
    while True:
        done = await call()
        if done.code <= 0 or not passing.is_passing(done.said) or time.monotonic() + pause >= end:
            return done, tries
        await asyncio.sleep(pause)
        pause, tries = min(2 * pause, LONGEST_PAUSE), tries + 1
