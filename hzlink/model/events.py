"""Progress events of a run. Commands emit them; render/ shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """The kind of an event."""

    NOTE = "note"
    WAIT = "wait"
    OK = "ok"
    SKIP = "skip"
    WARN = "warn"
    FAIL = "fail"
    DEBUG = "debug"


@dataclass(frozen=True)
class Event:
    """One progress event.

    `lane` is a site's name, or empty for the whole run. A `wait` event is replaced by the next one with the same
    lane and `key`; `elapsed` and `limit` are seconds of that wait.
    """

    mark: Mark
    text: str
    lane: str = ""
    key: str = ""
    reason: str = ""
    elapsed: float | None = None
    limit: float | None = None


Emit = Callable[[Event], None]


def ignore(event: Event) -> None:
    """An Emit that drops every event."""
