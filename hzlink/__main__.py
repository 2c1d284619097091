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
    _prepare_streams_and_signals()
    # Start-up allocates many objects and frees few: with default thresholds, garbage collection takes a tenth of the
    # time.
    gc.set_threshold(100_000)
    from hzlink.cli.app import app, leave_out_others

    leave_out_others(sys.argv[1] if len(sys.argv) > 1 else "")
    try:
        app()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        _exit_now(status)
    _exit_now(0)


def _prepare_streams_and_signals() -> None:
    # Replace a stream that the caller closed by /dev/null, so that no file opened later gets its file descriptor.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - stays open until exit
    # As standard error does by default: print characters that the encoding (LANG) does not have as escapes.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    # Until a command runs (tasks.run), ^C ends the process at once.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _exit_now(status: int) -> NoReturn:
    """Ends the process without Python's own exit, which takes 60 ms; no clean-up is left at this point."""
    for stream in (sys.stdout, sys.stderr):
        # The reader has closed the pipe: `hzlink status | head`.
        with suppress(BrokenPipeError, ValueError):
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
