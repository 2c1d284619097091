"""The views of `status --watch`: redrawn in place at a terminal, otherwise a block for each change.

A view keeps only the last observation, so that its memory does not grow.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from hzlink.render.result import Result
from hzlink.report import document

Parts = Callable[[Result], list[RenderableType]]


class LiveView:
    """Redraws in place, and only if an observation changed something."""

    def __init__(self, console: Console, parts: Parts) -> None:
        self._parts = parts
        self._console = console
        self._last: list[RenderableType] = []
        self._shown: list[list[Segment]] = []
        self._live = Live(_Picture([]), console=console, auto_refresh=False)
        self._live.start()

    def __call__(self, result: Result) -> None:
        """Shows one observation."""
        self._last = self._parts(result)
        picture = _Picture([*self._last, Text(" watching; ^C ends", "dim")])
        lines = self._console.render_lines(picture, pad=False)
        if lines != self._shown:
            self._shown = lines
            self._live.update(picture, refresh=True)

    def close(self) -> None:
        """Stops redrawing. The last picture remains."""
        self._live.update(_Picture(self._last))
        self._live.stop()


class _Picture:
    """The parts, one below the other. If they do not fit into the terminal, only the last lines, with the verdict."""

    def __init__(self, parts: list[RenderableType]) -> None:
        self._parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = [line for part in self._parts for line in console.render_lines(part, options, pad=False)]
        for line in lines[-max(1, console.height - 1) :]:
            yield from line
            yield Segment.line()


class BlockView:
    """Prints a block for each change. A higher age is not a change."""

    def __init__(self, show: Callable[[Result], None]) -> None:
        self._show = show
        self._last_state: object = None

    def __call__(self, result: Result) -> None:
        """Shows one observation."""
        state = (result.status, document.without_volatile(result.report) if result.report is not None else None)
        if state != self._last_state:
            self._last_state = state
            self._show(result)

    def close(self) -> None:
        """Does nothing: there is nothing to close."""
