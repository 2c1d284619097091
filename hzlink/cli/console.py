"""Prints a command's progress and errors to standard error, and its result to standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from hzlink.model.errors import Interrupted, UsageError
from hzlink.model.events import Event, Mark

if TYPE_CHECKING:
    from hzlink.render.result import Result
    from hzlink.render.watch import BlockView, LiveView
    from hzlink.report.report import Report


class Progress(Protocol):
    """Shows events until it is closed."""

    def __call__(self, event: Event) -> None:
        """Shows an event."""

    def close(self) -> None:
        """Stops showing events."""


class Console:
    """The output of one command, and its questions to the user."""

    def __init__(
        self, output: str, verbose: int, quiet: bool, no_color: bool, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.output = str(output)
        self.verbose = verbose
        self._quiet = quiet
        self._plain = no_color or bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
        self._can_redraw = environ.get("TERM") != "dumb"
        self._live = sys.stderr.isatty() and self._can_redraw
        self._progress: Progress | None = None
        self._view: LiveView | BlockView | None = None
        self._shown = False
        if verbose:
            self._trace_programs()

    def emit(self, event: Event) -> None:
        """Shows an event."""
        if self._quiet:
            return
        if self._progress is None:
            self._progress = self._start()
        self._progress(event)

    def announce(self, line: str) -> None:
        """Prints a line and closes the live view, before an interactive program uses the terminal."""
        if not self._quiet:
            from hzlink.render.plain import one_line

            self._close()
            self._print_line(one_line(line))

    def prepare(self) -> None:
        """Imports the modules that show a result. A command calls this while it waits for a cluster."""
        import hzlink.render.result

        if self.output in ("json", "yaml"):
            import hzlink.render.structured
        else:
            import hzlink.render.table  # noqa: F401 - loaded ahead of its use

    def follow(self) -> Callable[[Result], None]:
        """A view for repeated observations: it redraws at a terminal, and otherwise prints a block for each change.

        Raises:
            UsageError: the output format does not support it.
        """
        if self.output in ("svg", "mermaid"):
            raise UsageError(
                f"--watch cannot be used with -o {self.output}", next_step="-o table, wide, tree, json or yaml"
            )
        from hzlink.render.watch import BlockView, LiveView

        redraws = self.output not in ("json", "yaml") and sys.stdout.isatty() and self._can_redraw
        self._view = LiveView(self._console(sys.stdout), self._parts) if redraws else BlockView(self._block)
        return self._view

    def ask(self, lines: Sequence[str]) -> bool:
        """Shows the objects to remove, and asks for confirmation.

        Raises:
            UsageError: standard input is not a terminal.
            Interrupted: the user answered with ^C.
        """
        question = f"Remove these {len(lines)} objects?"
        return self._confirmed(lines, question, "this would be removed", "down --yes", "nothing was removed")

    def ask_restart(self, lines: Sequence[str]) -> bool:
        """Shows the consequences of stopping all members, and asks for confirmation. Raises as `ask` does."""
        asked = "all members would be stopped"
        return self._confirmed(lines, "Stop all members?", asked, "up --allow-restart", "nothing was changed")

    def _confirmed(self, lines: Sequence[str], question: str, asked: str, command: str, left: str) -> bool:
        from hzlink.render.plain import one_line

        self._close()
        for line in lines:
            self._print_line(f"  {one_line(line)}")
        if not sys.stdin.isatty():
            from hzlink.programs import hints

            raise UsageError(f"{asked}, and there is no terminal to confirm it", next_step=hints.hzlink(command))
        return _answer(f"{question} [y/N] ", left).strip().lower() in ("y", "yes")

    def show(self, result: Result) -> None:
        """Prints the result: the document or table to standard output, its errors to standard error.

        A command that keeps running shows its result before it ends. Then its errors are printed only to standard
        error, so that standard output is one document.
        """
        self._close()
        if not (self._shown or result.shown):
            self._print(result)
            self._shown = True
        if result.errors:
            from hzlink.render.plain import error_lines

            for error in result.errors:
                for line in error_lines(error):
                    self._print_line(line)

    def show_document(self, result: Result) -> None:
        """Prints the document without its errors."""
        self._print(result)

    def _print(self, result: Result) -> None:
        if self.output == "json":
            from hzlink.render.structured import as_json

            # With --watch each document is one line, so that a program can read them line by line.
            print(as_json(result, None if self._view else 2), flush=True)
        elif self.output == "yaml":
            from hzlink.render.structured import as_yaml

            print(as_yaml(result), flush=True)
        elif result.topologies:
            self._print_each(result.topologies)
        elif result.text is not None:
            print(result.text, end="" if result.text.endswith("\n") else "\n")
        elif result.findings is not None:
            from hzlink.render.check_findings import show_findings

            show_findings(self._console(sys.stdout), result.findings, wide=self.output == "wide")
        elif self.output in ("tree", "svg", "mermaid"):
            self._draw(result)
        elif result.opened is not None:
            print(result.opened.address, flush=True)
        elif result.has_table:
            from hzlink.render.table import show

            show(self._console(sys.stdout), result, wide=self.output == "wide")

    def _print_each(self, results: Sequence[Result]) -> None:
        """Prints results one after another, each with its topology's name as a heading."""
        for number, one in enumerate(results):
            if one.report is not None:
                print("\n" if number else "", f"topology {one.report.topology.name}", sep="")
            self._print(one)

    def _parts(self, result: Result) -> list[Any]:
        """The parts of a result that are redrawn."""
        if self.output == "tree" and result.report is not None:
            from hzlink.render.tree import render as render_tree

            return render_tree(result.report)
        from hzlink.render.table import render

        return render(result, wide=self.output == "wide")

    def _block(self, result: Result) -> None:
        """Prints one observation as a block, if the output cannot be redrawn."""
        at = result.report.at if result.report is not None else None
        if self.output == "yaml":
            print("---")
        elif self.output != "json":
            print(f"\n{f'at {at:%Y-%m-%d %H:%M:%S} UTC' if at is not None else 'nothing could be read'}")
        try:
            self._print(result)
            sys.stdout.flush()
        except SystemExit:
            # rich raises this when the reader has closed the pipe.
            raise BrokenPipeError from None

    def _draw(self, result: Result) -> None:
        if result.comparison is not None:
            from hzlink.render import bar_chart

            print(bar_chart.draw(result.comparison))
        elif result.report is not None:
            self._draw_paths(result.report)

    def _draw_paths(self, report: Report) -> None:
        if self.output == "tree":
            from hzlink.render.tree import show

            show(self._console(sys.stdout), report)
        elif self.output == "svg":
            from hzlink.render import svg

            print(svg.draw(report))
        else:
            from hzlink.render import mermaid

            print(mermaid.draw(report))

    def _start(self) -> Progress:
        if self._live:
            from hzlink.render.live import LiveProgress

            return LiveProgress(self._console(sys.stderr))
        from hzlink.render.plain import PlainProgress

        return PlainProgress(self._print_line)

    def _close(self) -> None:
        if self._progress is not None:
            self._progress.close()
            self._progress = None
        if self._view is not None:
            self._view.close()
            self._view = None

    def _console(self, stream: Any) -> Any:
        from rich import console as rich_console

        # Without a colour system, rich also omits bold and dim.
        return rich_console.Console(
            file=stream, color_system=None if self._plain else "auto", highlight=False, emoji=False, markup=False
        )

    @staticmethod
    def _print_line(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def _trace_programs(self) -> None:
        from shlex import join

        from hzlink.programs import process

        def trace(argv: Sequence[str], code: int, seconds: float) -> None:
            text = process.redact(f"{join(argv)}   exit {code}")
            self.emit(Event(Mark.DEBUG, text, elapsed=seconds))

        process.trace = trace


def _answer(question: str, left: str) -> str:
    """Reads a line from the terminal. This blocks the event loop, so ^C is handled here."""
    import signal

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.stderr.write(question)
        sys.stderr.flush()
        return sys.stdin.readline()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        raise Interrupted(f"interrupted: {left}") from None
    finally:
        signal.signal(signal.SIGINT, before)
