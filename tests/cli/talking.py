"""What a result looks like at a terminal of some width: through the same Console as the command line."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from hzlink.cli.console import Console
from hzlink.render.result import Result
from tests.cli import golden


@dataclass(frozen=True)
class Shown:
    """What was written where."""

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
        """Shows a result. `colour` is what a terminal would get, unless `no_color` (the flag) forbids."""
        self.monkeypatch.setenv("COLUMNS", str(columns))
        self.monkeypatch.setenv("TERM", "xterm")
        for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLORTERM"):
            self.monkeypatch.delenv(name, raising=False)
        if colour:
            # rich takes this for a terminal, wherever the output goes.
            self.monkeypatch.setenv("FORCE_COLOR", "1")
        self.capsys.readouterr()
        Console(output, 0, False, no_color).show(result)
        return Shown(*self.capsys.readouterr())

    def check(self, name: str, result: Result, output: str = "table") -> None:
        """Holds all four looks of a result against golden/`name`.txt."""

        def look(columns: int, colour: bool) -> str:
            shown = self.show(result, output, columns=columns, colour=colour)
            return golden.ended(shown.out, shown.err, result.status)

        golden.check_looks(name, look)
