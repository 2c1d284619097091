"""Shows progress on a terminal: finished steps scroll up, current waits are redrawn below them."""

from __future__ import annotations

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from hzlink.model.events import Event, Mark
from hzlink.render.plain import LANE_WIDTH, one_line, waited
from hzlink.render.wrapping import hanging

STYLES = {
    Mark.OK: "green",
    Mark.SKIP: "dim",
    Mark.NOTE: "cyan",
    Mark.WARN: "yellow",
    Mark.FAIL: "red",
    Mark.DEBUG: "dim",
    Mark.WAIT: "dim",
}


class LiveProgress:
    """Shows events as they occur. A wait is shown until the next event of its site."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._waits: dict[tuple[str, str], Event] = {}
        self._live = Live(console=console, refresh_per_second=8, transient=True, get_renderable=self.draw)
        self._live.start()

    def __call__(self, event: Event) -> None:
        """Shows an event."""
        if event.mark is Mark.WAIT:
            self._waits[event.lane, event.key] = event
            return
        # The end of a step ends its site's waits. Another wait that continues emits its next event within a second.
        self._waits = {key: wait for key, wait in self._waits.items() if key[0] != event.lane}
        self._console.print(event_line(event))

    def close(self) -> None:
        """Removes the redrawn part. Finished steps remain."""
        self._live.stop()

    def draw(self) -> Group:
        """The current waits."""
        lines = []
        for event in self._waits.values():
            row = Table.grid(padding=(0, 1))
            row.add_row(
                Spinner("dots", style="cyan"),
                Text(f"{one_line(event.lane):<{LANE_WIDTH}}"),
                Text(one_line(event.text)),
                Text(waited(event), "dim"),
            )
            lines.append(row)
        return Group(*lines)


def event_line(event: Event) -> Table:
    """The event as a coloured line. A line that is too long for the terminal continues below its text."""
    head = Text("  ")
    if event.lane:
        head.append(f"{one_line(event.lane):<{LANE_WIDTH}} ", "bold")
    head.append(f"{event.mark:<5}", STYLES[event.mark])
    text = Text(one_line(event.text))
    if event.elapsed is not None:
        text.append(f"   {event.elapsed:.1f} s", "dim")
    return hanging(head, text)
