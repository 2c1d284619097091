"""How the command ends when it does not end well. Its own errors go to stdout."""

from __future__ import annotations


class Outcome(Exception):
    """Ends the command with a text and an exit code."""

    code = 1


class Failed(Outcome):
    """Something went wrong while doing it: exit 1."""


class InvalidError(Outcome):
    """The arguments, or the state of things, do not allow it: exit 2."""

    code = 2
