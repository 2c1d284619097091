"""Waits for conditions of objects: a watch whose objects are judged at each change, with a deadline and a reason.

A wait ends early if a failure cannot resolve itself: a condition that is BROKEN for longer than its grace, or an API
server that does not answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress

from hzlink.model import objects
from hzlink.model.conditions import Condition, State
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.objects import Object
from hzlink.programs import hints
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import KubectlError, Refusal
from hzlink.programs.repeating import UNREACHABLE_LIMIT_SECONDS
from hzlink.programs.tasks import running

Objects = Mapping[str, Object]
Judge = Callable[[Objects], Condition]

# Time between two progress events, and between two watches of an API server that does not answer.
PROGRESS_INTERVAL_SECONDS = 1.0
RETRY_PAUSE_SECONDS = 0.5
# Time without an event before the API server is pinged, and between two pings: a watch of an API server that hangs
# returns no events, like a watch without changes.
PING_INTERVAL_SECONDS = 5.0


class Wait:
    """One wait at a site. `text` says for what; `began` and `until` are seconds of time.monotonic."""

    def __init__(self, kubectl: Kubectl, text: str, *, began: float, until: float, emit: Emit) -> None:
        self.kubectl = kubectl
        self.text = text
        self.began = began
        self.until = until
        self.emit = emit
        self.reason = ""
        # When the API server last answered; since when `judge` returns BROKEN; the error of an unreachable API server.
        self._last_answer = time.monotonic()
        self._broken: tuple[float, Condition] | None = None
        self._unreachable: KubectlError | None = None

    async def watch(
        self, resource: str, judge: Judge, *, name: str | None = None, selector: str | None = None
    ) -> Objects:
        """Watches objects of a type (those of a label selector, or the one named) until `judge` is satisfied.

        `judge` is called at once without objects, and then at every change. Its text is the reason shown while waiting.
        A BROKEN condition ends the wait once it has lasted for its grace.

        Returns:
            The objects by name.

        Raises:
            WaitTimeout: the limit was reached.
            HzlinkError: `judge` returned BROKEN for longer than its grace.
            KubectlError: the API server refused, or has not answered for `UNREACHABLE_LIMIT_SECONDS` seconds.
        """
        seen: dict[str, Object] = {}
        self._last_answer, self._broken, self._unreachable = time.monotonic(), None, None
        background = [asyncio.create_task(self._tick())]
        try:
            async with asyncio.timeout_at(_loop_time(self.until)) as limit:
                background.append(asyncio.create_task(self._ping(limit)))
                while True:
                    if await self._one_watch(resource, name, selector, judge, seen, limit):
                        return seen
                    await asyncio.sleep(RETRY_PAUSE_SECONDS)
        except TimeoutError:
            raise self._why(resource, name) from None
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)

    async def pause(self, seconds: float, reason: str) -> None:
        """Waits for some seconds and shows the reason meanwhile."""
        self.reason = reason
        async with running(self._tick()):
            await asyncio.sleep(seconds)

    def timeout(self) -> WaitTimeout:
        """The error for a wait that reached its limit, with the last reason."""
        return WaitTimeout(
            f"timed out waiting for: {self.text}",
            site=self.kubectl.site.name,
            said=self.reason or None,
            waited=time.monotonic() - self.began,
        )

    def _why(self, resource: str, name: str | None) -> HzlinkError:
        """The error of a wait that failed: API server unreachable, condition BROKEN, or limit reached."""
        if self._unreachable is not None:
            self._unreachable.waited = time.monotonic() - self.began
            return self._unreachable
        error: HzlinkError = self.timeout()
        if self._broken is not None and self._broken[0] + self._broken[1].grace < self.until:
            error = HzlinkError(f"failed: {self.text}", site=error.site, said=self._broken[1].text, waited=error.waited)
        error.subject = f"{objects.kind_of(resource)} {name}" if name else None
        error.next_step = hints.kubectl(self.kubectl.site, f"describe {resource} {name or ''}".rstrip())
        return error

    async def _one_watch(
        self,
        resource: str,
        name: str | None,
        selector: str | None,
        judge: Judge,
        seen: dict[str, Object],
        limit: asyncio.Timeout,
    ) -> bool:
        seen.clear()
        try:
            async with self.kubectl.watch(resource, name, selector) as events:
                async for answered in _accumulate(events, seen):
                    if answered:
                        self._last_answer = time.monotonic()
                    condition = judge(seen)
                    self.reason = condition.text or self.reason
                    if condition.ok:
                        return True
                    self._end_if_broken(condition, limit)
        except KubectlError as error:
            if error.refusal not in (Refusal.UNREACHABLE, Refusal.OTHER):
                raise
            self._on_no_answer(error, limit)
        return False

    def _end_if_broken(self, condition: Condition, limit: asyncio.Timeout) -> None:
        """Ends the wait when the condition has been BROKEN for its grace."""
        if condition.state is not State.BROKEN:
            self._broken = None
            limit.reschedule(_loop_time(self.until))
            return
        since = self._broken[0] if self._broken is not None else time.monotonic()
        self._broken = (since, condition)
        limit.reschedule(_loop_time(min(self.until, since + condition.grace)))

    def _on_no_answer(self, error: KubectlError, limit: asyncio.Timeout) -> None:
        """Ends the wait when the API server has been unreachable for too long."""
        self.reason = error.said or error.message
        if error.refusal is Refusal.UNREACHABLE and time.monotonic() - self._last_answer >= UNREACHABLE_LIMIT_SECONDS:
            self._unreachable = error
            limit.reschedule(_loop_time(time.monotonic()))

    async def _ping(self, limit: asyncio.Timeout) -> None:
        while True:
            await asyncio.sleep(PING_INTERVAL_SECONDS)
            if time.monotonic() - self._last_answer < PING_INTERVAL_SECONDS:
                continue
            try:
                await self.kubectl.ping()
            except KubectlError as error:
                if error.refusal is Refusal.UNREACHABLE:
                    self._on_no_answer(error, limit)
                    continue
            # A refusal is also an answer.
            self._last_answer = time.monotonic()

    async def _tick(self) -> None:
        limit = self.until - self.began
        while True:
            await asyncio.sleep(PROGRESS_INTERVAL_SECONDS)
            elapsed = time.monotonic() - self.began
            self.emit(
                Event(
                    Mark.WAIT, self.text, self.kubectl.site.name, self.text, self.reason, elapsed=elapsed, limit=limit
                )
            )


def _loop_time(moment: float) -> float:
    """A time of time.monotonic in the event loop's time; at least the present."""
    return asyncio.get_running_loop().time() + max(0.0, moment - time.monotonic())


async def _accumulate(events: AsyncIterator[tuple[str, Object]], seen: dict[str, Object]) -> AsyncIterator[bool]:
    """Updates `seen`; yields False once at first, without objects, and True after each change."""
    yield False
    async for kind, item in events:
        if kind == "DELETED":
            with suppress(KeyError):
                del seen[objects.name(item)]
        else:
            seen[objects.name(item)] = item
        yield True
