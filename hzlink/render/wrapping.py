"""A line that is wrapped with a hanging indent if it is longer than the terminal is wide."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

# A head up to this width, in columns, is not wrapped. A wider head, due to long names, would leave no space for the
# text.
MAX_HEAD_WIDTH = 40


def hanging(head: Text, text: Text) -> Table:
    """The head with the text beside it. Further lines of the text are indented like its first line."""
    line = Table.grid(padding=(0, 1, 0, 0))
    line.add_column(overflow="fold", no_wrap=head.cell_len <= MAX_HEAD_WIDTH)
    line.add_column(overflow="fold")
    line.add_row(head, text)
    return line
