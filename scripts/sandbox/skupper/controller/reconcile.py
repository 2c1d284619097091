"""One look of the controller at everything, and the timers that it keeps between looks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from sandbox.api.kinds import KubeError, Obj, key_of
from sandbox.skupper.faults.delays import Delays, Span
from sandbox.skupper.faults.faults import Faults

log = logging.getLogger(__name__)


@dataclass
class Timers:
    """When something began to be so; kept only as long as every look asks for it again."""

    began: dict[Hashable, float] = field(default_factory=dict)
    _asked: set[Hashable] = field(default_factory=set)

    def since(self, key: Hashable, now: float) -> float:
        """When it began: now, if the last look did not ask for it."""
        self._asked.add(key)
        return self.began.setdefault(key, now)

    def restart(self, key: Hashable, now: float) -> None:
        """Lets it begin anew."""
        self.began[key] = now

    def sweep(self) -> None:
        """Ends a look: what it did not ask for has ended."""
        for key in [key for key in self.began if key not in self._asked]:
            del self.began[key]
        self._asked.clear()


@dataclass
class Cycle:
    """The time, the rules, and when the next look is needed at the latest (monotonic seconds)."""

    now: float
    delays: Delays
    faults: Faults
    timers: Timers
    next_at: float = float("inf")
    failed: bool = False
    """Something could not be written: it is tried again soon."""
    first: bool = False
    """The first look after a start: everything that is so counts as having been so for long."""

    def for_each(self, objects: Iterable[Obj], action: Callable[[Obj], object]) -> None:
        """Does something for each object; one that the API server refuses does not stop the others."""
        for obj in objects:
            try:
                action(obj)
            except KubeError as err:
                log.warning("%s %s: %s", obj.get("kind", ""), "/".join(key_of(obj)), err)
                self.failed = True

    def requeue_at(self, due: float) -> None:
        """Asks for a look at that time."""
        if due > self.now:
            self.next_at = min(self.next_at, due)

    def reached(self, moment: float) -> bool:
        """Whether that time has come; if not, asks for a look when it does."""
        self.requeue_at(moment)
        return moment <= self.now

    def elapsed(self, what: str, span: Span, *names: str, of: str = "") -> bool:
        """Whether it has been so for as long as `span` says.

        `names` narrow the span (the same names give the same length in every run); `of` tells apart things of
        the same names, such as objects that were deleted and made anew.
        """
        return self.reached(self.since(what, *names, of) + span.of(what, *names))

    def since(self, *key: Hashable) -> float:
        """When that began (monotonic seconds)."""
        return self.timers.since(key, float("-inf") if self.first else self.now)
