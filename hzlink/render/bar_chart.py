"""Draws the comparison of `bench` as an SVG bar chart: two bars for each value size."""

from __future__ import annotations

from html import escape

from hzlink.verify.comparison import Comparison, Measure, ratio_text, size_text

# Lengths in the picture's units.
WIDTH, ROW, BAR, LEFT, RIGHT, TOP = 640, 64, 20, 90, 130, 48
COLOURS = {"link": "#1f77b4", "direct": "#9aa5b1"}


def draw(found: Comparison) -> str:
    """The chart as SVG text. Each size has a separate scale, so that the ratio is visible."""
    height = TOP + ROW * len(found.measures) + 12
    title = f"Round trips per second: {found.site.name} through the link, and direct"
    rows = [line for number, measure in enumerate(found.measures) for line in _row(measure, TOP + ROW * number)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">',
            f"<title>{_text(title)}</title>",
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            f'<text x="12" y="26" font-size="15">{_text(title)}</text>',
            *rows,
            "</svg>",
        ]
    )


def _row(measure: Measure, top: int) -> list[str]:
    most = max(measure.link.per_second, measure.direct.per_second) or 1.0
    lines = [f'<text x="{LEFT - 12}" y="{top + BAR + 4}" text-anchor="end">{size_text(measure.size)}</text>']
    for number, (path_name, latency) in enumerate((("link", measure.link), ("direct", measure.direct))):
        y = top + number * (BAR + 2)
        length = (WIDTH - LEFT - RIGHT) * latency.per_second / most
        said = f"{path_name} {latency.per_second:.0f}/s"
        if path_name == "link":
            said += f" ({ratio_text(measure.rate_ratio)})"
        lines.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{COLOURS[path_name]}"/>')
        lines.append(f'<text x="{LEFT + length + 6:.1f}" y="{y + BAR - 5}">{_text(said)}</text>')
    return lines


def _text(text: str) -> str:
    """Text for XML, which does not allow control characters, not even escaped ones."""
    return escape("".join(character if character.isprintable() else " " for character in text))
