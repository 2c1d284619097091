"""Runs programs. The only module that imports sh.

Arguments are lists, never a shell string. Every run has a deadline and ends with its caller (cancelling the coroutine
ends the program). The output is complete: sh truncates it in its exceptions.

The event loop's thread starts programs, and a separate thread waits for each. sh's `_async` checks only once a second
whether a program has ended, and its `_timeout` adds up to 0.1 s to every run (sh 2.4, measured).
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

# Called after every program run with arguments, exit code and seconds. The command line sets it for `-v`.
trace: Callable[[Sequence[str], int, float], None] | None = None

_secrets: set[str] = set()


# A broken credential plugin may give a token such as `0`.
MIN_SECRET = 4


def conceal(secret: str) -> None:
    """Makes `redact` remove `secret` from every text from now on.

    Not if it has fewer than `MIN_SECRET` characters: then it is no secret, and other words contain it.
    """
    if len(secret) >= MIN_SECRET:
        _secrets.add(secret)


def concealed() -> frozenset[str]:
    """The secrets that `conceal` was called with."""
    return frozenset(_secrets)


def redact(text: str) -> str:
    """`text` without the secrets that `conceal` was called with."""
    for secret in _secrets:
        text = text.replace(secret, "[redacted]")
    return text


@dataclass(frozen=True)
class Completed:
    """The result of a program: its exit code (negative for a signal), its output and its duration in seconds."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def said(self) -> str:
        """Standard error without secrets, or standard output if standard error is empty."""
        return redact(self.stderr.strip() or self.stdout.strip())


class DeadlineExceeded(Exception):
    """A program did not end within its deadline and was killed. `seconds` is the deadline."""

    def __init__(self, argv: Sequence[str], seconds: float) -> None:
        super().__init__(f"{argv[0]} did not end within {seconds:g} s")
        self.argv = tuple(argv)
        self.seconds = seconds


def find_program(name: str) -> str | None:
    """The path of a program on the PATH, or in the folder of the Python that runs hzlink, or None.

    The extra `kubectl` installs kubectl into that folder.
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
        deadline: seconds after which the program is killed.
        stdin: text for its standard input; None for an empty one.
        env: variables to add to `environment.own`.
        cwd: its working folder; None for the current one.
        at_terminal: the program is interactive: it gets hzlink's standard input and standard error, and ^C.

    Raises:
        DeadlineExceeded: it did not end in time.
        PrerequisiteError: it could not be started.
    """
    began = time.monotonic()
    # A program in a separate process group cannot read from the terminal.
    shared: dict[str, Any] = {"_in": sys.stdin, "_err": sys.stderr, "_new_group": False} if at_terminal else {}
    command = _start(argv, stdin=stdin, env=env, _cwd=cwd, _out_bufsize=65536, **shared)
    ended = _ended(command)
    try:
        # Not asyncio.wait_for: in Python 3.11 it loses a cancellation that comes together with the result.
        async with asyncio.timeout(deadline):
            code = await asyncio.shield(ended)
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
        """The program's result, after its last line. It contains only standard error."""
        code, stderr = self._command.process.exit_code, self._command.process.stderr
        seconds = time.monotonic() - self._began
        return Completed(self._argv, code or 0, "", stderr.decode(errors="replace"), seconds)


@asynccontextmanager
async def lines(argv: Sequence[str]) -> AsyncIterator[Lines]:
    """Runs a program that prints continuously, and yields its lines as they arrive. Leaving the block ends it."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue()

    def take(line: str) -> None:
        with suppress(RuntimeError):  # the event loop is closed: hzlink is exiting
            loop.call_soon_threadsafe(queue.put_nowait, line)

    # sh passes the lines only to the callback: a long watch must not accumulate them.
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
    """The function that a program calls before it starts, so that a SIGKILL of hzlink also ends it. Linux only.

    Otherwise a watch would continue until its next event, and a write could be sent while the next run is active.
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
            # For example a program for another processor. The error is the child's traceback; its last line is the
            # reason.
            said = str(error).strip().rpartition("\n")[2]
            raise PrerequisiteError(f"{argv[0]} cannot be run", said=said, next_step="install it again") from None


def _ended(command: Any) -> asyncio.Future[int]:
    """A future of the program's exit code, negative for a signal.

    It is not a task, because the event loop cancels its tasks when it closes.
    """
    return asyncio.get_running_loop().run_in_executor(_threads(), command.process.wait)


async def _settled(ended: asyncio.Future[int]) -> None:
    """Waits until a killed program has ended, even if this task is cancelled meanwhile.

    sh's thread notifies the event loop of the end, and prints a traceback if the loop is already closed.
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
    """Kills a program that still runs, with its process group, so that a credential plugin ends with its kubectl.

    It uses SIGKILL: kubectl and skupper need no clean-up, and a plugin that hangs must not keep hzlink from ending.
    """
    with suppress(OSError):
        if command.process.exit_code is None:
            command.process.signal_group(signal.SIGKILL)
