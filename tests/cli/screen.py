"""The output of a result at a terminal of a given width, through the command line's Console."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from hzlink.cli.console import Console
from hzlink.render.result import Result
from tests.cli import golden_files


@dataclass(frozen=True)
class Shown:
    """The text on each stream."""

    out: str
    err: str


@dataclass
class Screen:
    """Shows results and catches both streams."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def show(
        self, result: Result, output: str = "table", *, columns: int = 80, colour: bool = False, no_color: bool = False
    ) -> Shown:
        """Shows a result. `colour` simulates a terminal with colours; `no_color` is the flag."""
        self.monkeypatch.setenv("COLUMNS", str(columns))
        self.monkeypatch.setenv("TERM", "xterm")
        for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLORTERM"):
            self.monkeypatch.delenv(name, raising=False)
        if colour:
            # rich then treats the output as a terminal.
            self.monkeypatch.setenv("FORCE_COLOR", "1")
        self.capsys.readouterr()
        Console(output, 0, False, no_color).show(result)
        return Shown(*self.capsys.readouterr())

    def check(self, name: str, result: Result, output: str = "table") -> None:
        """Compares all four variants of a result with golden/`name`.txt."""

        def render(columns: int, colour: bool) -> str:
            shown = self.show(result, output, columns=columns, colour=colour)
            return golden_files.ended(shown.out, shown.err, result.status)

        golden_files.check_variants(name, render)
