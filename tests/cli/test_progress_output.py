"""Progress: plain lines compared with a golden file, and the live view on a simulated terminal."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Literal

import pytest
from rich import console as rich_console

from hzlink.cli.console import Console
from hzlink.model.events import Event, Mark
from hzlink.render.live import LiveProgress
from hzlink.render.plain import PlainProgress
from tests.cli import golden_files
from tests.cli.golden_files import ESCAPE
from tests.cli.situations import NASTY

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def _waits(lane: str, text: str, until: int, reason: str = "") -> Iterator[Event]:
    """The events of a wait, as waiting.py emits them: one per second."""
    for second in range(1, until + 1):
        yield Event(Mark.WAIT, text, lane, text, reason, elapsed=float(second), limit=180.0)


def scripted() -> list[Event]:
    """A run from nothing: every kind of event, two sites, long waits and short ones."""
    return [
        Event(Mark.NOTE, "topology hazelcast: cluster site core (context core, namespace hz); client site edge"),
        Event(Mark.DEBUG, "kubectl --context=core get sites.skupper.io   exit 0", elapsed=0.081),
        Event(Mark.OK, "9 objects applied", "core", "core/apply", elapsed=0.42),
        Event(Mark.OK, "8 objects applied", "edge", "edge/apply", elapsed=0.51),
        *_waits("core", "Site ready", 4, "no address yet for Service skupper-router (LoadBalancer)"),
        Event(Mark.OK, "Site Ready", "edge", "edge/site", elapsed=4.84),
        Event(Mark.OK, "Site Ready, reachable at 203.0.113.7", "core", "core/site", elapsed=6.13),
        Event(Mark.NOTE, "link access on: this side issues", "core"),
        Event(Mark.OK, "linked to core (core issued: it has an address; 1 use, 1 min)", "edge", elapsed=8.2),
        *_waits("edge", "names hazelcast-0..2", 34, "no Service yet: hazelcast-0, hazelcast-1, hazelcast-2"),
        *_waits("core", "members 3/3", 12),
        Event(Mark.WARN, "namespace hz stays: others' objects are in it", "a-client-site-with-a-long-name"),
        Event(Mark.SKIP, "already linked to core", "edge"),
        Event(Mark.FAIL, f"timed out: {NASTY}", "core", elapsed=180.0),
        *_waits("edge", "Management Center", 10, NASTY),
    ]


def test_progress_without_a_terminal_is_plain_lines() -> None:
    lines: list[str] = []
    progress = PlainProgress(lines.append)
    for event in scripted():
        progress(event)
    progress.close()
    golden_files.check_variants("progress/without-terminal", lambda columns, colour: "\n".join(lines))
    assert all(line.isprintable() for line in lines)


def test_long_wait_prints_few_lines() -> None:
    lines: list[str] = []
    progress = PlainProgress(lines.append)
    for event in _waits("edge", "names", 65):
        progress(event)
    assert len(lines) == 6


def test_quiet_prints_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console("table", 0, True, False)
    for event in scripted():
        console.emit(event)
    assert capsys.readouterr() == ("", "")


class Terminal:
    """A simulated terminal of 100 columns that records what is written."""

    def __init__(self) -> None:
        self.file = io.StringIO()
        console = rich_console.Console(
            file=self.file, force_terminal=True, width=100, height=25, highlight=False, emoji=False, markup=False
        )
        self.progress = LiveProgress(console)

    @property
    def text(self) -> str:
        """The written text without control sequences."""
        return CONTROL.sub("", self.file.getvalue())

    @property
    def screen(self) -> list[str]:
        """The lines on the screen."""
        return _screen(self.file.getvalue())


def _screen(written: str) -> list[str]:
    """The lines a terminal shows: handles cursor up and down, carriage return and erase; no wrapping or scrolling."""
    rows: list[list[str]] = [[]]
    row = column = 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", written):
        if part == "\r":
            column = 0
        elif part == "\n":
            row, column = row + 1, 0
            rows += [[] for _ in range(row + 1 - len(rows))]
        elif part.startswith("\x1b["):
            count = int(part[2:-1] or 1) if part[2:-1].isdecimal() or not part[2:-1] else 0
            if part[-1] == "A":
                row = max(0, row - count)
            elif part[-1] == "K":
                rows[row] = rows[row][:column] if count != 2 else []
        else:
            line = rows[row]
            line += " " * (column - len(line))
            line[column : column + len(part)] = part
            column += len(part)
    return ["".join(line).rstrip() for line in rows]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("TERM", "xterm")
    made = Terminal()
    yield made
    made.progress.close()


def _drawn(terminal: Terminal) -> list[str]:
    terminal.progress._live.refresh()
    return terminal.screen


def test_wait_shows_elapsed_time_limit_and_reason(terminal: Terminal) -> None:
    terminal.progress(Event(Mark.WAIT, "names hazelcast-0..2", "edge", "names", "no Service yet", 14.2, 180))
    [line] = [line for line in _drawn(terminal) if line]
    assert re.fullmatch(r"\S edge +names hazelcast-0\.\.2 0:14 of 3:00 +no Service yet", line)


def test_wait_is_one_line_that_changes(terminal: Terminal) -> None:
    for event in _waits("edge", "names", 30):
        terminal.progress(event)
        shown = [line for line in _drawn(terminal) if line]
        assert len(shown) == 1
        assert f"0:{int(event.elapsed or 0):02d} of 3:00" in shown[0]


def test_waits_at_two_sites_are_two_lines(terminal: Terminal) -> None:
    terminal.progress(Event(Mark.WAIT, "Site ready", "core", "Site ready", elapsed=1))
    terminal.progress(Event(Mark.WAIT, "Site ready", "edge", "Site ready", elapsed=1))
    assert len([line for line in _drawn(terminal) if line]) == 2


def test_finished_step_replaces_its_wait(terminal: Terminal) -> None:
    terminal.progress(Event(Mark.WAIT, "Site ready", "core", "Site ready", elapsed=1))
    terminal.progress(Event(Mark.WAIT, "Site ready", "edge", "Site ready", elapsed=1))
    terminal.progress(Event(Mark.OK, "Site Ready", "core", elapsed=6.1))
    shown = [line for line in _drawn(terminal) if line]
    assert shown[0] == "  core         ok    Site Ready   6.1 s"
    assert len(shown) == 2
    assert "edge" in shown[1]


def _while_it_waits(columns: int, colour: bool) -> str:
    """The live view of the scripted run while it waits at both sites, without cursor movement."""
    written = io.StringIO()
    system: Literal["standard"] | None = "standard" if colour else None
    console = rich_console.Console(
        file=written, width=columns, color_system=system, highlight=False, emoji=False, markup=False, get_time=float
    )
    progress = LiveProgress(console)
    for event in [*scripted(), *_waits("core", "members 3/3", 12, "pod hazelcast-2: ContainerCreating")]:
        progress(event)
    console.print(progress.draw())
    progress.close()
    return written.getvalue()


def test_live_view_during_waits() -> None:
    golden_files.check_variants("progress/at-a-terminal", _while_it_waits)


def test_live_view_is_erased_at_the_end(terminal: Terminal) -> None:
    for event in scripted():
        terminal.progress(event)
        _drawn(terminal)
    terminal.progress.close()
    golden_files.check("progress/live-after-it-ended.txt", "\n".join(line for line in terminal.screen))
    assert terminal.file.getvalue().endswith("\x1b[?25h") or "\x1b[?25h" in terminal.file.getvalue()[-40:]


def test_cursor_is_shown_again(terminal: Terminal) -> None:
    terminal.progress(Event(Mark.OK, "done", "core"))
    terminal.progress.close()
    written = terminal.file.getvalue()
    assert written.rfind("\x1b[?25h") > written.rfind("\x1b[?25l")


def test_text_from_a_cluster_has_no_control_characters(terminal: Terminal) -> None:
    terminal.progress(Event(Mark.WAIT, f"Site {NASTY}", NASTY, "key", NASTY, 3, 60))
    _drawn(terminal)
    terminal.progress(Event(Mark.FAIL, NASTY, NASTY))
    terminal.progress.close()
    left = ESCAPE.sub("", CONTROL.sub("", terminal.file.getvalue()))
    assert [character for character in left if not (character.isprintable() or character == "\n")] == []
