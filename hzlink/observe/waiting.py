"""Waits that react: a watch on one kind of object, judged at each change, with a deadline and the last reason.

A wait ends early when a failure cannot resolve itself: a condition that was broken for its grace, or an API server that
has not answered for a while, end a wait before its time.
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

Objects = Mapping[str, Object]
Judge = Callable[[Objects], Condition]

# Seconds between two progress events, and between two tries to reach an API server that does not answer.
TICK = 1.0
RETRY = 0.5
# Seconds without an event after which the API server is pinged, and between two pings: a watch on a frozen API
# server is as silent as one without changes.
PING_INTERVAL_SECONDS = 5.0
# Seconds without an answer after which the wait fails. A control plane that is replaced answers earlier than that.
UNREACHABLE_LIMIT_SECONDS = 15.0


class Wait:
    """One wait at one site: what for, and until when (in time.monotonic's seconds)."""

    def __init__(self, kubectl: Kubectl, text: str, *, began: float, until: float, emit: Emit) -> None:
        self.kubectl = kubectl
        self.text = text
        self.began = began
        self.until = until
        self.emit = emit
        self.reason = ""
        # When the API server was last heard of, and since when `judge` has returned BROKEN for longer than its grace.
        self._heard = time.monotonic()
        self._broken: tuple[float, Condition] | None = None
        self._away: KubectlError | None = None

    async def watch(
        self, resource: str, judge: Judge, *, name: str | None = None, selector: str | None = None
    ) -> Objects:
        """Watches objects of a type (those of a label selector, or the one named) until `judge` is satisfied.

        `judge` is called at once without objects, and then at every change. Its text is the reason shown while waiting.
        A BROKEN condition ends the wait once it has lasted for its grace.

        Returns:
            The objects by name.

        Raises:
            WaitTimeout: the time is over.
            HzlinkError: `judge` returned BROKEN for longer than its grace.
            KubectlError: the API server refused, or has not answered for `UNREACHABLE_LIMIT_SECONDS` seconds.
        """
        seen: dict[str, Object] = {}
        self._heard, self._broken, self._away = time.monotonic(), None, None
        background = [asyncio.create_task(self._tick())]
        try:
            async with asyncio.timeout_at(_loop_time(self.until)) as limit:
                background.append(asyncio.create_task(self._ping(limit)))
                while True:
                    if await self._one_watch(resource, name, selector, judge, seen, limit):
                        return seen
                    await asyncio.sleep(RETRY)
        except TimeoutError:
            raise self._why(resource, name) from None
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)

    async def pause(self, seconds: float, reason: str) -> None:
        """Waits for some seconds, and shows the reason meanwhile."""
        self.reason = reason
        background = asyncio.create_task(self._tick())
        try:
            await asyncio.sleep(seconds)
        finally:
            background.cancel()
            await asyncio.gather(background, return_exceptions=True)

    def timeout(self) -> WaitTimeout:
        """The error for a wait whose time is over, with the last reason."""
        return WaitTimeout(
            f"timed out waiting for: {self.text}",
            site=self.kubectl.site.name,
            said=self.reason or None,
            waited=time.monotonic() - self.began,
        )

    def _why(self, resource: str, name: str | None) -> HzlinkError:
        """The error of a wait that failed: API server unreachable, condition broken, or time over."""
        if self._away is not None:
            self._away.waited = time.monotonic() - self.began
            return self._away
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
                async for heard in _accumulate(events, seen):
                    if heard:
                        self._heard = time.monotonic()
                    condition = judge(seen)
                    self.reason = condition.text or self.reason
                    if condition.ok:
                        return True
                    self._end_if_broken(condition, limit)
        except KubectlError as error:
            if error.refusal not in (Refusal.UNREACHABLE, Refusal.OTHER):
                raise
            self._missed(error, limit)
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

    def _missed(self, error: KubectlError, limit: asyncio.Timeout) -> None:
        """Ends the wait when the API server has been unreachable for too long."""
        self.reason = error.said or error.message
        if error.refusal is Refusal.UNREACHABLE and time.monotonic() - self._heard >= UNREACHABLE_LIMIT_SECONDS:
            self._away = error
            limit.reschedule(_loop_time(time.monotonic()))

    async def _ping(self, limit: asyncio.Timeout) -> None:
        while True:
            await asyncio.sleep(PING_INTERVAL_SECONDS)
            if time.monotonic() - self._heard < PING_INTERVAL_SECONDS:
                continue
            try:
                await self.kubectl.ping()
            except KubectlError as error:
                if error.refusal is Refusal.UNREACHABLE:
                    self._missed(error, limit)
                    continue
            # A refusal is an answer, too.
            self._heard = time.monotonic()

    async def _tick(self) -> None:
        limit = self.until - self.began
        while True:
            await asyncio.sleep(TICK)
            elapsed = time.monotonic() - self.began
            self.emit(
                Event(
                    Mark.WAIT, self.text, self.kubectl.site.name, self.text, self.reason, elapsed=elapsed, limit=limit
                )
            )


def _loop_time(moment: float) -> float:
    """A moment of time.monotonic's in the event loop's time; one that has passed is now."""
    return asyncio.get_running_loop().time() + max(0.0, moment - time.monotonic())


async def _accumulate(events: AsyncIterator[tuple[str, Object]], seen: dict[str, Object]) -> AsyncIterator[bool]:
    """Keeps `seen` up to date; yields after each change (True), and once at first (False) for what is not there."""
    yield False
    async for kind, item in events:
        if kind == "DELETED":
            with suppress(KeyError):
                del seen[objects.name(item)]
        else:
            seen[objects.name(item)] = item
        yield True
