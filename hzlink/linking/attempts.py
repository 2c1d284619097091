"""Repeats the redemption with a new token, while the failure may be temporary and the run has time left."""

from __future__ import annotations

import re
import time

from hzlink.linking import remedy
from hzlink.linking.remedy import Remedy
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.events import Event, Mark
from hzlink.observe.waiting import Wait

# Pauses before the next attempts; the last one repeats. An address may answer at any time, but a name server caches the
# answer that a name does not exist (CoreDNS: 30 s).
PAUSES_SECONDS = (2.0, 3.0, 5.0, 8.0, 10.0)
# How many new tokens are issued if only the token itself is refused.
MAX_FRESH_TOKENS = 1

_URL = re.compile(r'(?:Controller got error: )?Post "[^"]*": ')


class Attempts:
    """The attempts to make one link. `began`: when the first one began; `reason`: why the last one failed."""

    def __init__(self, wait: Wait) -> None:
        self.began = wait.began
        self.reason = ""
        self._wait = wait
        self._failed = 0
        self._last: HzlinkError | None = None
        self._refused = 0

    async def pause(self, error: HzlinkError) -> None:
        """Waits until the next attempt.

        Raises:
            HzlinkError: the error cannot resolve itself.
            WaitTimeout: the run has no time left for another attempt.
        """
        found = remedy.of(error)
        self._refused += found is Remedy.REISSUE
        if found is Remedy.NONE or self._refused > MAX_FRESH_TOKENS:
            raise error
        seconds = 0.0 if found is Remedy.REISSUE else PAUSES_SECONDS[min(self._failed, len(PAUSES_SECONDS) - 1)]
        # An error that is only a timeout is less specific than the previous error.
        if self._last is None or not remedy.is_silent(error):
            self._last = error
        if time.monotonic() + seconds >= self._wait.until:
            raise self._timeout(self._last)
        self._note(error)
        self._failed += 1
        await self._wait.pause(seconds, self.reason)

    def _note(self, error: HzlinkError) -> None:
        """Emits a note once for each reason."""
        # The URL has the grant's UUID, which is another one for each token.
        said = _URL.sub("", error.said or "")
        reason = f"{error.message} ({said})" if said else error.message
        if self.reason != reason:
            lane = self._wait.kubectl.site.name
            self._wait.emit(Event(Mark.NOTE, f"{reason}: trying again with a new token", lane, self._wait.text))
        self.reason = reason

    def _timeout(self, error: HzlinkError) -> WaitTimeout:
        waited = time.monotonic() - self.began
        facts = {"site": error.site, "subject": error.subject, "said": error.said, "next_step": error.next_step}
        return WaitTimeout(error.message, waited=waited, **facts)
