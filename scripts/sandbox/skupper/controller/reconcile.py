"""One reconcile cycle of the controller, and the timers that last over cycles."""

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
    """When each state began. An entry lasts as long as every cycle asks for it."""

    began: dict[Hashable, float] = field(default_factory=dict)
    _asked: set[Hashable] = field(default_factory=set)

    def since(self, key: Hashable, now: float) -> float:
        """When the state began: now, if the last cycle did not ask for it."""
        self._asked.add(key)
        return self.began.setdefault(key, now)

    def restart(self, key: Hashable, now: float) -> None:
        """Makes the state begin now."""
        self.began[key] = now

    def sweep(self) -> None:
        """Ends a cycle: drops the entries that it did not ask for."""
        for key in [key for key in self.began if key not in self._asked]:
            del self.began[key]
        self._asked.clear()


@dataclass
class Cycle:
    """One cycle: its time, delays and faults, and when the next one is due (monotonic seconds)."""

    now: float
    delays: Delays
    faults: Faults
    timers: Timers
    next_at: float = float("inf")
    failed: bool = False
    """A write failed; it is retried soon."""
    first: bool = False
    """The first cycle after a start, in which every delay has already passed."""

    def for_each(self, objects: Iterable[Obj], action: Callable[[Obj], object]) -> None:
        """Calls `action` for each object; an error of one does not stop the others."""
        for obj in objects:
            try:
                action(obj)
            except KubeError as err:
                log.warning("%s %s: %s", obj.get("kind", ""), "/".join(key_of(obj)), err)
                self.failed = True

    def requeue_at(self, due: float) -> None:
        """Requests a cycle at that time."""
        if due > self.now:
            self.next_at = min(self.next_at, due)

    def reached(self, moment: float) -> bool:
        """Whether that time has come; if not, requests a cycle then."""
        self.requeue_at(moment)
        return moment <= self.now

    def elapsed(self, what: str, span: Span, *names: str, of: str = "") -> bool:
        """Whether the state `what` of `names` has lasted for the delay `span`.

        `names` also select the length within the span (the same in every run); `of` distinguishes objects of the same
        names, such as one that was deleted and created again.
        """
        return self.reached(self.since(what, *names, of) + span.of(what, *names))

    def since(self, *key: Hashable) -> float:
        """When that state began (monotonic seconds)."""
        return self.timers.since(key, float("-inf") if self.first else self.now)
