"""The fields of a document, and those that a page in docs/ lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any


def fields(part: Any, place: str = "") -> Iterator[str]:
    """The paths of all fields of a part; a list's items are `name[]`."""
    if isinstance(part, list):
        yield f"{place}[]"
        for item in part:
            yield from fields(item, f"{place}[]")
    elif isinstance(part, dict):
        if place and not place.endswith("[]"):
            yield place
        for key, value in part.items():
            yield from fields(value, f"{place}.{key}".removeprefix("."))
    else:
        yield place


def named(text: str) -> set[str]:
    """The names in the first column of the page's tables."""
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
