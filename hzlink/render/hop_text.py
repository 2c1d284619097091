"""The texts and colours of hops and their states, the same in every output."""

from __future__ import annotations

from hzlink.model.conditions import State
from hzlink.model.durations import span
from hzlink.render.plain import one_line
from hzlink.report.hops import Hop, Path

COLOURS = {
    State.OK: "green",
    State.WAITING: "yellow",
    State.BROKEN: "red",
    State.ABSENT: "red",
    State.UNKNOWN: "magenta",
}


def age(hop: Hop) -> str:
    """The age of the hop's evidence as text; empty if it is not known."""
    return "" if hop.age is None else span(hop.age)


def state(hop: Hop) -> str:
    """The hop's state in one word."""
    return "lags" if hop.lag else str(hop.condition.state)


def colour(hop: Hop) -> str:
    """The colour of the hop's state."""
    return COLOURS[State.WAITING if hop.lag else hop.condition.state]


def label(path: Path, place: int) -> str:
    """A hop's name on its path, in brackets if it is the first broken hop."""
    return path.label(place)


def evidence(hop: Hop) -> str:
    """The subject and its message on one line, without the site."""
    return one_line(f"{hop.subject}: {hop.text}" if hop.subject else hop.text)
