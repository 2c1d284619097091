"""Makes the README's pictures and the recording in docs/ from real runs on its own sandbox.

    .venv/bin/python scripts/pictures.py

docs/up.svg shows `hzlink up` when it waits for the most objects. The pictures in COMMANDS show the output of those
commands, those in WHEN_BROKEN the output after BREAK. docs/demo.cast is SESSION at a terminal (asciinema play
docs/demo.cast).
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, RenderableType
from rich.text import Text

import casting
from hzlink.commands.up import up
from hzlink.config import resolve
from hzlink.config.flags import Flags
from hzlink.model.events import Event, Mark
from hzlink.render.live import LiveProgress, event_line
from sandbox.layout import Layout

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
HZLINK = Path(sys.executable).parent / "hzlink"
SANDBOX = "pictures"
# The README's names; the sandbox calls them client and cluster.
RENAMED = {"client": "edge", "cluster": "core"}
WIDTH = casting.WIDTH
UP = "hzlink up --client-ctx edge --cluster-ctx core"

# File and command, on a topology that is up.
COMMANDS = {"status.svg": "hzlink status", "verify.svg": "hzlink verify"}
BREAK = "kubectl --context edge delete links.skupper.io --all"
WHEN_BROKEN = {"tree.svg": "hzlink status -o tree"}
SESSION = (UP, "hzlink status")


def main() -> None:
    """Starts a sandbox, runs `hzlink up` and writes all files."""
    with _sandbox():
        moment = Moment()
        asyncio.run(up(resolve.resolve(Flags(client_ctx=("edge",), cluster_ctx="core")), moment))
        draw("up.svg", UP, moment.best)
        for file, command in COMMANDS.items():
            draw(file, command, [_output(command, 0)])
        subprocess.run(BREAK.split(), check=True)
        for file, command in WHEN_BROKEN.items():
            draw(file, command, [_output(command, 1)])
        subprocess.run([HZLINK, "down", "--yes", "--quiet"], check=True)
        casting.record(DOCS / "demo.cast", SESSION, os.environ, "hzlink")
        print("wrote docs/demo.cast")


@contextmanager
def _sandbox() -> Iterator[None]:
    """A sandbox with real Skupper's delays, selected by this process's environment."""
    sandbox = str(ROOT / "scripts/sandbox.sh")
    owner = str(os.getpid())
    subprocess.run([sandbox, "up", "--name", SANDBOX, "--profile", "measured", "--owner", owner], check=True)
    layout = Layout.named(SANDBOX)
    os.environ["KUBECONFIG"] = str(layout.kubeconfig)
    os.environ["PATH"] = os.pathsep.join([str(layout.bin), str(HZLINK.parent), os.environ["PATH"]])
    os.environ["XDG_STATE_HOME"] = str(layout.state / "xdg")
    try:
        for old, new in RENAMED.items():
            subprocess.run(["kubectl", "config", "rename-context", old, new], check=True)
        yield
    finally:
        subprocess.run([sandbox, "down", "--name", SANDBOX], check=True)


class Moment:
    """Receives a run's events. `best` is the last terminal content with the most waits."""

    def __init__(self) -> None:
        self.best: list[RenderableType] = []
        self._most = 0
        self._done: list[RenderableType] = []
        self._live = LiveProgress(Console(file=io.StringIO()))

    def __call__(self, event: Event) -> None:
        """Receives an event."""
        self._live(event)
        if event.mark is not Mark.WAIT:
            self._done.append(event_line(event))
        waits = self._live.draw().renderables
        if len(waits) >= self._most:
            self._most, self.best = len(waits), [*self._done, *waits]


def _output(command: str, code: int) -> Text:
    """The command's output at a terminal. CalledProcessError for any other exit code."""
    colours = {"FORCE_COLOR": "1", "COLORTERM": "truecolor", "TERM": "xterm-256color", "COLUMNS": str(WIDTH)}
    done = subprocess.run(
        command.split(), env={**os.environ, **colours}, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != code:
        raise subprocess.CalledProcessError(done.returncode, command)
    return Text.from_ansi(done.stdout)


def draw(file: str, command: str, parts: Sequence[RenderableType]) -> None:
    """Draws a command and its output."""
    console = Console(
        file=io.StringIO(), record=True, width=WIDTH, force_terminal=True, color_system="truecolor", highlight=False
    )
    console.print(f"$ {command}", style="bold")
    for part in parts:
        console.print(part)
    svg = console.export_svg(title="hzlink", unique_id=Path(file).stem)
    # Without the font's download address, so that viewing the picture needs no network.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    (DOCS / file).write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")
    print(f"wrote docs/{file}")


if __name__ == "__main__":
    main()
