"""Draws the paths as an SVG picture for documents: a row of boxes for each client site. It needs no web font."""

from __future__ import annotations

from html import escape

from hzlink.render import hop_text
from hzlink.render.plain import one_line
from hzlink.report.hops import Hop, Path
from hzlink.report.report import Report

# In pixels. CHARACTER is the maximum width of a character of the monospaced font.
MARGIN, BOX, GAP, LINE, CHARACTER = 16, 152, 20, 18, 7.3

# The colours of fill and border.
_COLOURS = {
    "ok": ("#e6f4ea", "#1a7f37"),
    "waiting": ("#fff8c5", "#9a6700"),
    "lags": ("#fff8c5", "#9a6700"),
    "broken": ("#ffebe9", "#cf222e"),
    "unknown": ("#f3e8fd", "#8250df"),
}


def draw(report: Report) -> str:
    """The picture: paths, then the verdict."""
    parts: list[str] = []
    top = MARGIN
    width = _width(report)
    for path in report.paths:
        parts.append(_text(MARGIN, top + LINE, _heading(report, path), width - 2 * MARGIN, "bold"))
        top += 2 * LINE
        parts += _row(path, top)
        top += _height(path) + LINE
    for text, weight in _verdict(report):
        top += LINE
        parts.append(_text(MARGIN, top, text, width - 2 * MARGIN, weight))
    height = top + MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12">'
    )
    title = f"<title>{_escape(f'hzlink: the topology {report.topology.name}')}</title>"
    ground = f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    return "\n".join([head, title, ground, *parts, "</svg>"])


def _width(report: Report) -> int:
    """The width of the longest path's row."""
    boxes = max(len(path.hops) for path in report.paths)
    return 2 * MARGIN + boxes * BOX + (boxes - 1) * GAP


def _heading(report: Report, path: Path) -> str:
    cluster = report.topology.cluster
    return f"{path.client.name} ({path.client.where}) to {cluster.name} ({cluster.where})"


def _verdict(report: Report) -> list[tuple[str, str]]:
    blame = report.blame
    if blame is None:
        return [("healthy", "bold")]
    lines = [(f"unhealthy: {blame.blamed}", "bold"), (blame.evidence, "")]
    return [*lines, (f"next: {blame.next_step}", "")] if blame.next_step else lines


def _height(path: Path) -> int:
    return LINE * (4 + max(len(hop.parts) for hop in path.hops))


def _row(path: Path, top: int) -> list[str]:
    parts = []
    for place in range(len(path.hops)):
        left = MARGIN + place * (BOX + GAP)
        if place:
            y = top + 2 * LINE
            line = f"M{left - GAP + 3} {y}H{left - 3}m-5 -4l5 4l-5 4"
            parts.append(f'<path d="{line}" fill="none" stroke="#57606a"/>')
        parts += _box(path, place, left, top)
    return parts


def _box(path: Path, place: int, left: int, top: int) -> list[str]:
    hop, broken = path.hops[place], place == path.broken
    fill, edge = _COLOURS[hop_text.state(hop)]
    height = LINE * (4 + len(hop.parts)) - LINE // 2
    rect = f'x="{left}" y="{top}" width="{BOX}" height="{height}" rx="6"'
    lines = [(hop.stage, "bold"), (hop.site.name, ""), (f"{hop_text.state(hop)} {hop_text.age(hop)}".rstrip(), "")]
    lines += [(f"{_short_name(part)} {hop_text.state(part)}", "") for part in hop.parts]
    texts = [
        _text(left + 8, top + LINE * (row + 1), text, BOX - 12, weight) for row, (text, weight) in enumerate(lines)
    ]
    return [
        f"<g><title>{_escape(hop_text.evidence(hop))}</title>",
        f'<rect {rect} fill="{fill}" stroke="{edge}" stroke-width="{3 if broken else 1}"/>',
        *texts,
        "</g>",
    ]


def _short_name(part: Hop) -> str:
    """A member's name, truncated so that its state fits beside it."""
    return _cut(part.name, int((BOX - 12) / CHARACTER) - 1 - len(hop_text.state(part)))


def _text(left: int, base: int, text: str, room: int, weight: str) -> str:
    bold = ' font-weight="bold"' if weight else ""
    return f'<text x="{left}" y="{base}"{bold}>{_escape(_cut(text, int(room / CHARACTER)))}</text>'


def _cut(text: str, length: int) -> str:
    text = one_line(text)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _escape(text: str) -> str:
    return escape(one_line(text))
