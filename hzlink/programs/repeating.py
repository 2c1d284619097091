"""Repeats a call of a program while the API server fails with a temporary error, and says what is waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

from hzlink.model.events import Emit, Event, Mark, ignore
from hzlink.model.topology import Site
from hzlink.programs import passing, refusals
from hzlink.programs.process import Completed
from hzlink.programs.refusals import Refusal

# The default limit for all tries, and the shortest and the longest pause between two tries.
RETRY_LIMIT_SECONDS = 3.0
FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 5.0
# How many tries fail before the user is told: a single failure is usual, for example while a webhook restarts.
QUIET_TRIES = 2
# How long a run tolerates an API server that has answered before and cannot be reached now.
UNREACHABLE_LIMIT_SECONDS = 15.0

_EMIT: ContextVar[Emit] = ContextVar("emit", default=ignore)


def tell(emit: Emit) -> None:
    """From now on, calls of this command that are repeated emit an event that says why."""
    _EMIT.set(emit)


async def while_passing(
    call: Callable[[], Awaitable[Completed]], until: float | None, site: Site, doing: str, *, replaces: bool = False
) -> tuple[Completed, int]:
    """The last call's result and the number of calls. `until`: seconds of time.monotonic; None for the default.

    `replaces`: the call replaces an object, and is repeated only if nothing was stored: after a lost answer, the second
    try would fail as if another run had changed the object.
    """
    end = time.monotonic() + RETRY_LIMIT_SECONDS if until is None else until
    repeats = passing.is_webhook_down if replaces else passing.is_passing
    pause, tries, told = FIRST_PAUSE_SECONDS, 1, ""
    lost: float | None = None
    while True:
        done = await call()
        # Only during a run, which has reached the API server before. Only a refused connection is known not to have
        # reached the server; but all repeated calls may be made twice.
        is_lost = until is not None and not replaces and done.code > 0 and _is_unreachable(done.said)
        lost = (lost or time.monotonic()) if is_lost else None
        limit = end if lost is None else min(end, lost + UNREACHABLE_LIMIT_SECONDS)
        if done.code <= 0 or not (is_lost or repeats(done.said)) or time.monotonic() + pause >= limit:
            return done, tries
        if tries >= QUIET_TRIES and until is not None:
            told = _told(site, doing, done.said, told)
        await asyncio.sleep(pause)
        pause, tries = min(2 * pause, MAX_PAUSE_SECONDS), tries + 1


def _is_unreachable(said: str) -> bool:
    """Whether the connection failed, for a reason that may pass: not because of a certificate."""
    return refusals.classify(said) is Refusal.UNREACHABLE and "x509:" not in said


def _told(site: Site, doing: str, said: str, before: str) -> str:
    """Emits what is waited for, if it is not what was emitted before; returns it."""
    error = refusals.explain(site, doing, said)
    text = error.message if passing.is_webhook_down(said) else f"{error.message} ({error.said})"
    if text != before:
        _EMIT.get()(Event(Mark.NOTE, f"{text}: trying again", site.name))
    return text
