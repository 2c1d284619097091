"""Runs hzlink in a process forked from one that has already imported it, which saves the time of the imports.

The server that forks is started once for each pytest process, has no threads, and ends with pytest. Tests may run
several at once in threads.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from multiprocessing.connection import wait
from pathlib import Path
from typing import NoReturn

from tests.cli import kubectl_answers
from tests.cli.kubectl_answers import Known

_PACKAGE = Path(__file__).resolve().parents[1] / "hzlink"
# All modules of hzlink, and the libraries that it imports only when it needs them.
_LOADED = [
    *sorted(
        ".".join(("hzlink", *path.relative_to(_PACKAGE).with_suffix("").parts))
        for path in _PACKAGE.glob("*/*.py")
        if path.name != "__init__.py"
    ),
    "tests.cli.kubectl_answers",
    *("yaml", "sh", "rich.console", "rich.table", "rich.tree", "rich.live", "typer.rich_utils", "uuid", "tempfile"),
    # Each forked process imports pytest's own main module again.
    "pytest",
    "tests.fork_server",
]
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(_LOADED)
# Starting a process also reads the exit codes of those that have ended, which can be read only once.
_LOCK = threading.Lock()


def run(
    args: Sequence[str], env: Mapping[str, str], cwd: Path, limit: float, known: Known | None = None
) -> tuple[int, str, str]:
    """Runs `hzlink ARGS` with that environment, without a terminal. Exit code, standard output, standard error.

    Args:
        args: what follows `hzlink`.
        env: the whole environment.
        cwd: the folder to run in.
        limit: seconds after which it is killed.
        known: for calls of kubectl to be answered without a process; None for the real kubectl alone.

    Raises:
        subprocess.TimeoutExpired: it did not end within `limit` seconds.
    """
    with tempfile.TemporaryDirectory() as streams:
        out, err = Path(streams, "stdout"), Path(streams, "stderr")
        running = _SERVER.Process(target=_hzlink, args=(list(args), dict(env), str(cwd), str(out), str(err), known))
        with _LOCK:
            running.start()
        ended = wait([running.sentinel], limit)
        with _LOCK:
            if not ended:
                running.kill()
            running.join()
        if not ended or running.exitcode is None:
            raise subprocess.TimeoutExpired(list(args), limit)
        return running.exitcode, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")


def _hzlink(args: list[str], env: dict[str, str], cwd: str, out: str, err: str, known: Known | None) -> NoReturn:
    """Sets up this process as a shell would, and runs hzlink in it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, path, mode in ((0, os.devnull, os.O_RDONLY), (1, out, flags), (2, err, flags)):
        handle = os.open(path, mode, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(0, encoding="utf-8", closefd=False),
        os.fdopen(1, "w", encoding="utf-8", closefd=False),
        os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False),
    )
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = ["hzlink", *args]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if known is not None:
        kubectl_answers.install(known)
    from hzlink.__main__ import main

    main()
