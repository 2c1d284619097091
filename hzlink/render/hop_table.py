"""Renders a path as a table: one row for each hop and each member."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from hzlink.render import hop_text
from hzlink.render.plain import one_line
from hzlink.report.hops import Hop, Path


def hop_table(path: Path) -> Table:
    """All hops of a client site's path, the first broken one in brackets."""
    table = Table(box=None, header_style="bold", pad_edge=True, padding=(0, 1), collapse_padding=True)
    table.add_column(f"PATH OF {one_line(path.client.name)}", overflow="fold", min_width=len("[Management Center]"))
    table.add_column("SITE", overflow="fold")
    table.add_column("STATE", min_width=len("unknown"))
    table.add_column("FOR", justify="right", min_width=len("59 min"))
    table.add_column("EVIDENCE", overflow="fold")
    for place, hop in enumerate(path.hops):
        _add(table, Text(hop_text.label(path, place), "bold red" if place == path.broken else ""), hop)
        for part in hop.parts:
            _add(table, Text(f"  {one_line(part.name)}"), part)
    return table


def _add(table: Table, name: Text, hop: Hop) -> None:
    state = Text(hop_text.state(hop), hop_text.colour(hop))
    table.add_row(name, hop.site.name, state, Text(hop_text.age(hop), "dim"), Text(hop_text.evidence(hop)))
