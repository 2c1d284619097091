"""Renders the comparison of `bench` as a table and as bars."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from hzlink.render.plain import one_line
from hzlink.verify.comparison import Comparison, Measure, ratio_text, size_text
from hzlink.verify.latency import Latency

# Length of the longest bar, in columns.
WIDTH = 40


def render(found: Comparison) -> list[RenderableType]:
    """The table, the bars of round trips per second, and a line that describes the measurement."""
    table = Table(box=None, header_style="bold", padding=(0, 1))
    table.add_column("VALUE")
    table.add_column("PATH")
    for heading in ("trips/s", "p50 ms", "p99 ms", "n", "of direct"):
        table.add_column(heading, justify="right", no_wrap=True)
    for measure in found.measures:
        table.add_row(size_text(measure.size), "link", *_numbers(measure.link), ratio_text(measure.rate_ratio))
        table.add_row("", "direct", *_numbers(measure.direct), "")
    said = (
        f" {one_line(found.site.name)} to {', '.join(map(one_line, found.members))}; both through kubectl port-forward"
    )
    return [table, Text(), *bars(found), Text(), Text(said, "dim")]


def bars(found: Comparison) -> list[Text]:
    """Two bars for each size. Each size has a separate scale, so that the ratio is visible."""
    lines = []
    for measure in found.measures:
        for path_name, rate, colour in _rates(measure):
            label = size_text(measure.size) if path_name == "link" else ""
            most = max(measure.link.per_second, measure.direct.per_second) or 1.0
            bar = "█" * max(1, round(WIDTH * rate / most))
            lines.append(Text(f" {label:>6} {path_name:<6} ").append(bar, colour).append(f" {rate:.0f}/s"))
    return lines


def _rates(measure: Measure) -> list[tuple[str, float, str]]:
    return [("link", measure.link.per_second, "cyan"), ("direct", measure.direct.per_second, "dim")]


def _numbers(latency: Latency) -> list[str]:
    return [
        f"{latency.per_second:.0f}",
        f"{latency.p50 * 1000:.2f}",
        f"{latency.p99 * 1000:.2f}",
        str(latency.n),
    ]
