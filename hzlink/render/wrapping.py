"""A line that goes on below itself where it is longer than the terminal is wide."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

# Columns: a head up to so wide is not broken. Names of users may make it wider, and it must leave room.
HEAD = 40


def hanging(head: Text, text: Text) -> Table:
    """The head, and the text beside it, whose further lines begin where its first does."""
    line = Table.grid(padding=(0, 1, 0, 0))
    line.add_column(overflow="fold", no_wrap=head.cell_len <= HEAD)
    line.add_column(overflow="fold")
    line.add_row(head, text)
    return line
