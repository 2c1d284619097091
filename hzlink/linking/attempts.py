"""Attempts to redeem: another one, with a fresh token, as long as what failed may pass and there is time."""

from __future__ import annotations

import time

from hzlink.linking import outlook
from hzlink.linking.outlook import Outlook
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.events import Event, Mark
from hzlink.observe.waiting import Wait

# Seconds before the next attempt. A name server keeps the answer that a name is not there (CoreDNS 30 s), an address
# may answer at any moment: after some quick attempts a steady, slow pace.
PAUSES = (2.0, 3.0, 5.0, 8.0, 10.0)
# How many fresh tokens are issued where nothing but the token itself is refused.
FRESH_TOKENS = 1


class Attempts:
    """The attempts of one link: since when they go on, until when they may, and why the last one failed."""

    def __init__(self, wait: Wait) -> None:
        self.began = wait.began
        self.reason = ""
        self._wait = wait
        self._failed = 0
        self._last: HzlinkError | None = None
        self._refused = 0

    async def pause(self, error: HzlinkError) -> None:
        """Waits until the next attempt is due.

        Raises:
            HzlinkError: there is none, because the error cannot pass by itself.
            WaitTimeout: there is none, because the run's time is over.
        """
        found = outlook.of(error)
        self._refused += found is Outlook.FRESH
        if found is Outlook.FINAL or self._refused > FRESH_TOKENS:
            raise error
        seconds = 0.0 if found is Outlook.FRESH else PAUSES[min(self._failed, len(PAUSES) - 1)]
        # One that was only cut off by the end of the time says less than the one before it.
        if self._last is None or not outlook.is_silent(error):
            self._last = error
        if time.monotonic() + seconds >= self._wait.until:
            raise self._timeout(self._last)
        self._tell(error)
        self._failed += 1
        await self._wait.pause(seconds, self.reason)

    def _tell(self, error: HzlinkError) -> None:
        """Says once for each reason that it is waited for; the wait's own line repeats it."""
        reason = f"{error.message} ({error.said})" if error.said else error.message
        if self.reason != reason:
            lane = self._wait.kubectl.site.name
            self._wait.emit(Event(Mark.NOTE, f"{reason}: trying again with a fresh token", lane, self._wait.text))
        self.reason = reason

    def _timeout(self, error: HzlinkError) -> WaitTimeout:
        waited = time.monotonic() - self.began
        facts = {"site": error.site, "subject": error.subject, "said": error.said, "next_step": error.next_step}
        return WaitTimeout(error.message, waited=waited, **facts)
