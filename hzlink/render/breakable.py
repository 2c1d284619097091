"""A table cell whose long names are wrapped after a hyphen, slash or colon, not inside a word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.text import Text

# A piece of text that is not broken, and the characters after which a line may end.
_PIECE = re.compile(r"[^-/:@._\s]*[-/:@._\s]*")
# Names up to this length fit into a column of a terminal with 80 columns.
LONG_NAME = 12


class Breakable:
    """The text of a table cell."""

    def __init__(self, text: Text) -> None:
        self.text = text

    @property
    def pieces(self) -> list[str]:
        """The pieces that should not be broken, without trailing spaces and without long ones, which rich may fold."""
        return [piece for piece in _pieces(self.text.plain) if cell_len(piece) <= LONG_NAME]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """The text, wrapped to the available width. rich folds pieces that are longer."""
        lines = self.text.split("\n")
        yield Text("\n", end="").join(part for line in lines for part in _broken(line, options.max_width))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """The minimum is the longest piece, the maximum the longest line."""
        lines = self.text.plain.split("\n")
        return Measurement(max(map(cell_len, _pieces(self.text.plain)), default=0), max(map(cell_len, lines)))


def breakable(text: Text) -> Text | Breakable:
    """The text, which may be wrapped inside names if one of them is long."""
    return Breakable(text) if any(cell_len(word) > LONG_NAME for word in text.plain.split()) else text


def _pieces(text: str) -> list[str]:
    return [piece.rstrip() for piece in _PIECE.findall(text) if piece.strip()]


def _broken(line: Text, width: int) -> list[Text]:
    breaks, start, at = [], 0, 0
    for piece in _PIECE.findall(line.plain):
        if at > start and cell_len(line.plain[start : at + len(piece)].rstrip()) > width:
            breaks.append(at)
            start = at
        at += len(piece)
    parts = list(line.divide(breaks))
    for part in parts:
        part.rstrip()
    return parts
