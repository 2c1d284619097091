"""Long names in a table's cell are broken after hyphens and the like."""

from __future__ import annotations

import io
import re

from hypothesis import given
from hypothesis import strategies as some
from rich.console import Console
from rich.text import Text

from hzlink.render.breakable import Breakable, breakable

WORDS = some.lists(some.from_regex(r"[a-z0-9]{1,10}[-/:@._ ]", fullmatch=True), min_size=1, max_size=12)


def shown(text: str, width: int) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(Breakable(Text(text)))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


@given(WORDS, some.integers(11, 40))
def test_lines_fit_and_end_where_a_name_may_be_broken(words: list[str], width: int) -> None:
    text = "".join(words)
    lines = shown(text, width)
    assert max(map(len, lines)) <= width
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)
    assert all(line[-1] in "-/:@._" or f"{line} " in text for line in lines[:-1])


def test_a_piece_that_is_too_long_is_folded() -> None:
    assert shown("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


def test_short_names_stay_plain_text() -> None:
    assert isinstance(breakable(Text("edge-core/hz to edge")), Text)
    assert isinstance(breakable(Text("payments-production/hz")), Breakable)
