"""The one place that runs programs, and the only module that imports sh.

Arguments are lists, never a shell string. Every run has a deadline, ends with its caller (cancelling the
coroutine ends the program), and gives its output back whole: sh cuts what it puts into its exceptions.

Programs are started by the event loop's thread and waited for in a thread each. sh's own `_async` finds out that a
program has ended by looking once a second, and its `_timeout` adds up to 0.1 s to every run (sh 2.4, measured).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from hzlink.model.errors import PrerequisiteError
from hzlink.programs import environment

if TYPE_CHECKING:
    import sh

# Told of every program run: arguments, exit code, seconds. Set once by the command line for `-vv`.
trace: Callable[[Sequence[str], int, float], None] | None = None

_secrets: set[str] = set()


def conceal(secret: str) -> None:
    """Has `secret` struck out of every text that `redact` sees from now on."""
    if secret:
        _secrets.add(secret)


def concealed() -> frozenset[str]:
    """The secrets that were named to `conceal`."""
    return frozenset(_secrets)


def redact(text: str) -> str:
    """`text` without any secret that was named to `conceal`."""
    for secret in _secrets:
        text = text.replace(secret, "[redacted]")
    return text


@dataclass(frozen=True)
class Completed:
    """A program that has ended: its exit code (negative for a signal), and what it printed."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def said(self) -> str:
        """What it said, in one text without secrets: standard error, or standard output where that is empty."""
        return redact(self.stderr.strip() or self.stdout.strip())


class DeadlineExceeded(Exception):
    """A program did not end within its deadline and was ended. `seconds` is that deadline."""

    def __init__(self, argv: Sequence[str], seconds: float) -> None:
        super().__init__(f"{argv[0]} did not end within {seconds:g} s")
        self.argv = tuple(argv)
        self.seconds = seconds


def find_program(name: str) -> str | None:
    """The path of a program on the PATH, or beside the Python that runs hzlink, or None.

    The second place is where the `kubectl` extra puts its kubectl.
    """
    return shutil.which(name) or shutil.which(name, path=os.path.dirname(sys.executable))


def require_program(name: str, hint: str) -> str:
    """The program's path.

    Raises:
        PrerequisiteError: it is not installed; `hint` says how to get it.
    """
    path = find_program(name)
    if path is None:
        raise PrerequisiteError(f"{name} is not installed, or not on the PATH", next_step=hint)
    return path


async def run(
    argv: Sequence[str],
    *,
    deadline: float,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    at_terminal: bool = False,
) -> Completed:
    """Runs a program to its end.

    Args:
        argv: the program's path and its arguments.
        deadline: seconds; then the program is ended.
        stdin: text for its standard input; without it the program reads nothing.
        env: variables to add to `environment.own`.
        cwd: the folder to run it in; None for this one.
        at_terminal: it asks a person: it gets hzlink's own standard input and standard error, and ^C as well.

    Raises:
        DeadlineExceeded: it did not end in time.
        PrerequisiteError: it could not be started.
    """
    began = time.monotonic()
    # In a process group of its own it could not read from the terminal.
    shared: dict[str, Any] = {"_in": sys.stdin, "_err": sys.stderr, "_new_group": False} if at_terminal else {}
    command = _start(argv, stdin=stdin, env=env, _cwd=cwd, _out_bufsize=65536, **shared)
    ended = _ended(command)
    try:
        code = await asyncio.wait_for(asyncio.shield(ended), deadline)
    except TimeoutError:
        raise DeadlineExceeded(argv, deadline) from None
    finally:
        _end(command)
        await _settled(ended)
    seconds = time.monotonic() - began
    if trace:
        trace(argv, code, seconds)
    out, err = command.process.stdout, command.process.stderr
    return Completed(tuple(argv), code, out.decode(errors="replace"), err.decode(errors="replace"), seconds)


class Lines:
    """The lines of a running program, as an asynchronous iterator that ends when the program does."""

    def __init__(self, argv: Sequence[str], command: sh.RunningCommand, queue: asyncio.Queue[str | None]) -> None:
        self._argv = tuple(argv)
        self._command = command
        self._queue = queue
        self._began = time.monotonic()

    async def __aiter__(self) -> AsyncIterator[str]:
        """Each line without its line end."""
        while (line := await self._queue.get()) is not None:
            yield line.rstrip("\n")

    @property
    def completed(self) -> Completed:
        """How the program ended, after its last line. Of its output, only standard error is kept."""
        code, stderr = self._command.process.exit_code, self._command.process.stderr
        seconds = time.monotonic() - self._began
        return Completed(self._argv, code or 0, "", stderr.decode(errors="replace"), seconds)


@asynccontextmanager
async def lines(argv: Sequence[str]) -> AsyncIterator[Lines]:
    """Runs a program that goes on printing, and gives its lines as they come. Leaving the block ends it."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue()

    def take(line: str) -> None:
        with suppress(RuntimeError):  # the loop is closed: hzlink is on its way out
            loop.call_soon_threadsafe(queue.put_nowait, line)

    # The lines go to the callback only: a watch that runs for long must not pile them up.
    command = _start(argv, stdin=None, env=None, _out=take, _no_out=True, _out_bufsize=1, _decode_errors="replace")

    ended = _ended(command)
    ended.add_done_callback(lambda _: queue.put_nowait(None))
    began = time.monotonic()
    try:
        yield Lines(argv, command, queue)
    finally:
        _end(command)
        await _settled(ended)
        if trace:
            trace(argv, command.process.exit_code or 0, time.monotonic() - began)


# prctl(2): the signal that a process gets when its parent ends.
_PR_SET_PDEATHSIG = 1


@cache
def _die_with_hzlink() -> Callable[[], None] | None:
    """What a program does before it begins, so that SIGKILL for hzlink ends it, too. Linux only.

    Else a watch would go on until its next event, and a write could come through while the next run is at work.
    """
    if sys.platform != "linux":
        return None
    import ctypes

    prctl, parent = ctypes.CDLL(None, use_errno=True).prctl, os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # the parent has ended already

    return tie


@cache
def _threads() -> ThreadPoolExecutor:
    # One thread waits for one program; asyncio's own pool is too small on a small machine.
    return ThreadPoolExecutor(max_workers=64, thread_name_prefix="program")


def _start(argv: Sequence[str], *, stdin: str | None, env: Mapping[str, str] | None, **options: Any) -> Any:
    import sh

    with open(os.devnull) as nothing:
        try:
            standard: dict[str, Any] = {
                "_in": nothing if stdin is None else stdin,
                # ^C reaches hzlink alone; hzlink then ends its programs.
                "_new_group": True,
            }
            return sh.Command(argv[0])(
                *argv[1:],
                _bg=True,
                _bg_exc=False,
                _tty_out=False,
                _env={**environment.own(os.environ), **(env or {})},
                _preexec_fn=_die_with_hzlink(),
                **standard | options,
            )
        except (sh.ForkException, sh.CommandNotFound) as error:
            # Such as one for another processor. Its text is the child's traceback; the last line says why.
            said = str(error).strip().rpartition("\n")[2]
            raise PrerequisiteError(f"{argv[0]} cannot be run", said=said, next_step="install it again") from None


def _ended(command: Any) -> asyncio.Future[int]:
    """Done at the program's end: its exit code, negative for a signal.

    No task, which the event loop's own end would cancel.
    """
    return asyncio.get_running_loop().run_in_executor(_threads(), command.process.wait)


async def _settled(ended: asyncio.Future[int]) -> None:
    """Waits until a program that was ended has ended, however often the waiting is cancelled meanwhile.

    sh's own thread tells the event loop of the end, and prints a traceback where that loop is closed by then.
    """
    cancelled = False
    while not ended.done():
        try:
            await asyncio.wait({ended})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


def _end(command: Any) -> None:
    """Ends a program that still runs: its whole group, so that an auth plug-in goes with its kubectl.

    By SIGKILL: neither kubectl nor skupper has anything to put in order, and a plug-in that hangs must not keep
    hzlink from ending.
    """
    with suppress(OSError):
        if command.process.exit_code is None:
            command.process.signal_group(signal.SIGKILL)
