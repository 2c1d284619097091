"""The console script, and `python -m hzlink`."""

import gc
import io
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn


def main() -> NoReturn:
    """Runs the command line and exits with its status."""
    _take_streams_and_signals()
    # Starting makes many objects and drops few: at its usual pace the collector takes a tenth of a short command.
    gc.set_threshold(100_000)
    from hzlink.cli.app import app

    try:
        app()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        _leave(status)
    _leave(0)


def _take_streams_and_signals() -> None:
    # A stream that the caller closed leads nowhere, and no file opened later gets its number.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - stays open to the end
    # Standard error does so by itself: what an encoding lacks (LANG, or half a character in a name) is shown escaped.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    # Until a command runs (tasks.run), ^C ends the process at once.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _leave(status: int) -> NoReturn:
    """Ends the process at once: there is nothing left to clean up, and Python's own exit takes 60 ms."""
    for stream in (sys.stdout, sys.stderr):
        # The reader has closed the pipe: `hzlink status | head`.
        with suppress(BrokenPipeError, ValueError):
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
