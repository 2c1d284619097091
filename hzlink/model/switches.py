"""Parses settings that are on or off, from flags, variables and files. Pure."""

from __future__ import annotations

# As in YAML 1.1, which Kubernetes uses, and with digits as variables often have.
_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def parse(value: object) -> bool | None:
    """The value of `true`, `yes`, `on`, `1` and their opposites, in any case; None for anything else."""
    return _WORDS.get(str(value).lower())
