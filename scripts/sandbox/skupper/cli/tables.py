"""Columns as Go's text/tabwriter makes them with tabs for padding. Pure."""

from __future__ import annotations

_TAB = 8
_PADDING = 1


def aligned(text: str, minimum: int = 0) -> str:
    """Pads tab-ended cells to whole tabs; a column lasts as long as consecutive lines have that cell.

    `minimum` is the least width of a cell, in characters.
    """
    lines = [line.split("\t") for line in text.split("\n")]
    widths: list[list[int]] = [[] for _ in lines]
    _measure(lines, widths, 0, len(lines), 0, minimum)
    return "\n".join(_line(cells, width) for cells, width in zip(lines, widths, strict=True))


def _measure(lines: list[list[str]], widths: list[list[int]], start: int, end: int, column: int, minimum: int) -> None:
    row = start
    while row < end:
        if column >= len(lines[row]) - 1:
            row += 1
            continue
        first = row
        while row < end and column < len(lines[row]) - 1:
            row += 1
        width = max(minimum, *(len(lines[n][column]) + _PADDING for n in range(first, row)))
        for n in range(first, row):
            widths[n].append(width)
        _measure(lines, widths, first, row, column + 1, minimum)


def _line(cells: list[str], widths: list[int]) -> str:
    padded = ""
    for cell, width in zip(cells[:-1], widths, strict=True):
        full = (width + _TAB - 1) // _TAB * _TAB
        padded += cell + "\t" * ((full - len(cell) + _TAB - 1) // _TAB)
    return padded + cells[-1]
