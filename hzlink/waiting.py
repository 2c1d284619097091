"""Waits that react: a watch on one kind of object, a look at each change, a deadline, and the last reason told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress

from hzlink import hints, objects
from hzlink.errors import HzlinkError, WaitTimeout
from hzlink.events import Emit, Event, Mark
from hzlink.kubectl import Kubectl
from hzlink.objects import Object
from hzlink.readings import Reading, State
from hzlink.refusals import KubectlError, Refusal

Objects = Mapping[str, Object]
Look = Callable[[Objects], Reading]

# Seconds between two signs of life, and between two tries to reach an API server that went away.
TICK = 1.0
RETRY = 0.5


class Wait:
    """One wait at one site: what for, and until when (in time.monotonic's seconds)."""

    def __init__(self, kubectl: Kubectl, text: str, *, began: float, until: float, emit: Emit) -> None:
        self.kubectl = kubectl
        self.text = text
        self.began = began
        self.until = until
        self.emit = emit
        self.reason = ""

    async def watch(self, resource: str, look: Look, *, name: str | None = None, patient: bool = True) -> Objects:
        """Watches objects of a type (or the one named) until `look` is content. Returns them by name.

        `look` is asked at once, of nothing, and then at every change. Its text is the reason shown while waiting. A
        BROKEN reading ends the wait at once unless `patient`: an image that cannot be pulled may still come, so
        that is for the caller to say.

        Raises:
            WaitTimeout: it did not come to that in time.
            HzlinkError: `look` found it broken.
            KubectlError: the API server refused. One that only went away is asked again until the deadline.
        """
        seen: dict[str, Object] = {}
        ticking = asyncio.create_task(self._tick())
        try:
            async with asyncio.timeout_at(self._loop_time(self.until)):
                while True:
                    if await self._one_watch(resource, name, look, seen, patient):
                        return seen
                    await asyncio.sleep(RETRY)
        except TimeoutError:
            error = self.timeout()
            error.next_step = hints.kubectl(self.kubectl.site, f"describe {resource} {name or ''}".rstrip())
            raise error from None
        finally:
            ticking.cancel()

    def timeout(self) -> WaitTimeout:
        """The error for a wait whose time is over, with the last reason."""
        return WaitTimeout(
            f"timed out waiting for: {self.text}",
            site=self.kubectl.site.name,
            said=self.reason or None,
            waited=time.monotonic() - self.began,
        )

    async def _one_watch(
        self, resource: str, name: str | None, look: Look, seen: dict[str, Object], patient: bool
    ) -> bool:
        seen.clear()
        try:
            async with self.kubectl.watch(resource, name) as events:
                async for _ in _accumulate(events, seen):
                    reading = look(seen)
                    self.reason = reading.text or self.reason
                    if reading.ok:
                        return True
                    if reading.state is State.BROKEN and not patient:
                        raise HzlinkError(
                            f"failed: {self.text}",
                            site=self.kubectl.site.name,
                            said=reading.text,
                            waited=time.monotonic() - self.began,
                        )
        except KubectlError as error:
            if error.refusal not in (Refusal.UNREACHABLE, Refusal.OTHER):
                raise
            self.reason = error.said or error.message
        return False

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

    @staticmethod
    def _loop_time(moment: float) -> float:
        return asyncio.get_running_loop().time() + max(0.0, moment - time.monotonic())


async def _accumulate(events: AsyncIterator[tuple[str, Object]], seen: dict[str, Object]) -> AsyncIterator[None]:
    """Keeps `seen` up to date; yields after each change, and once at first for what is not there at all."""
    yield None
    async for kind, item in events:
        if kind == "DELETED":
            with suppress(KeyError):
                del seen[objects.name(item)]
        else:
            seen[objects.name(item)] = item
        yield None
