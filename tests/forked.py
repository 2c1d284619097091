"""Runs hzlink in a process forked from one that has already imported it, which saves the time of the imports.

The server that forks is started once for each pytest process, has no threads, and ends with pytest. Tests may run
several at once in threads.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import reduction
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO, Any, NoReturn

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
    "hazelcast.client",
    # Each forked process imports pytest's own main module again.
    "pytest",
    "tests.fork_server",
]
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(_LOADED)
# Starting a process also reads the exit codes of those that have ended, which can be read only once.
_LOCK = threading.Lock()


class Handle:
    """An open file that is passed to a forked process."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        """In the forked process it becomes the number that the file has there."""
        return _received, (reduction.DupFd(self.number),)


def _received(passed: Any) -> int:
    number: int = passed.detach()
    return number


class Started:
    """A running hzlink; its methods are those of subprocess.Popen."""

    def __init__(self, process: BaseProcess, args: Sequence[str]) -> None:
        self._process = process
        self._args = list(args)
        self.stdout: IO[str] | None = None
        self.stderr: IO[str] | None = None

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self.poll()

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        with _LOCK:
            return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """Waits until it has ended. subprocess.TimeoutExpired if that takes longer."""
        wait([self._process.sentinel], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self._args, timeout)
        return code

    def send_signal(self, number: int) -> None:
        """Sends it a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        """Kills it and waits until it has ended."""
        with _LOCK:
            self._process.kill()
            self._process.join()

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Waits until it has ended; what it has written since the last read."""
        with ThreadPoolExecutor(2) as pool:
            texts = [pool.submit(stream.read) if stream else None for stream in (self.stdout, self.stderr)]
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
            out, err = (text.result() if text else "" for text in texts)
        return out, err


def start(
    args: Sequence[str],
    env: Mapping[str, str],
    cwd: Path,
    known: Known | None = None,
    *,
    terminal: int | None = None,
    stdout: int | None = None,
) -> Started:
    """Starts `hzlink ARGS` with that environment.

    Args:
        args: what follows `hzlink`.
        env: the whole environment.
        cwd: the folder to run in.
        known: for calls of kubectl to be answered without a process; None for the real kubectl alone.
        terminal: a terminal for all three streams, which becomes its controlling terminal. Otherwise standard input is
            empty, and the others are pipes.
        stdout: a file for standard output, instead of a pipe.
    """
    if terminal is not None:
        return Started(_started(args, env, cwd, known, (terminal,) * 3, has_terminal=True), args)
    with open(os.devnull) as nothing:
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        streams = (nothing.fileno(), out_end if stdout is None else stdout, err_end)
        running = Started(_started(args, env, cwd, known, streams), args)
    os.close(out_end)
    os.close(err_end)
    running.stdout, running.stderr = os.fdopen(out, encoding="utf-8"), os.fdopen(err, encoding="utf-8")
    return running


def run(
    args: Sequence[str], env: Mapping[str, str], cwd: Path, limit: float, known: Known | None = None
) -> tuple[int, str, str]:
    """Runs `hzlink ARGS` without a terminal (see `start`). Exit code, standard output, standard error.

    Raises:
        subprocess.TimeoutExpired: it did not end within `limit` seconds, and was killed.
    """
    # Files instead of pipes: what else writes into them cannot keep the run from ending.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, open(os.devnull) as nothing:
        streams = (nothing.fileno(), out.fileno(), err.fileno())
        running = Started(_started(args, env, cwd, known, streams), args)
        try:
            code = running.wait(limit)
        except subprocess.TimeoutExpired:
            running.kill()
            raise
        out.seek(0)
        err.seek(0)
        return code, out.read().decode(), err.read().decode()


def _started(
    args: Sequence[str],
    env: Mapping[str, str],
    cwd: Path,
    known: Known | None,
    streams: tuple[int, int, int],
    *,
    has_terminal: bool = False,
) -> BaseProcess:
    handles = [Handle(number) for number in streams]
    process = _SERVER.Process(target=_hzlink, args=(list(args), dict(env), str(cwd), handles, known, has_terminal))
    with _LOCK:
        process.start()
    return process


def _hzlink(
    args: list[str], env: dict[str, str], cwd: str, streams: list[int], known: Known | None, has_terminal: bool
) -> NoReturn:
    """Sets up this process as a shell would, and runs hzlink in it."""
    for number, handle in enumerate(streams):
        os.dup2(handle, number)
    for handle in set(streams):
        os.close(handle)
    if has_terminal:
        # A session of its own: ^C is a signal for hzlink alone.
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
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
