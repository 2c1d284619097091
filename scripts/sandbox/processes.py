"""Identifying, starting and ending processes, so that none outlives the sandbox and no reused pid is signalled.

Linux only: /proc, pidfd and prctl.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_CHILD_EXEC = str(Path(__file__).with_name("child_exec.py"))
_PR_SET_CHILD_SUBREAPER = 36
# The kernel sends the death signal when the *thread* that forked ends, so this one thread starts all children.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


@dataclass(frozen=True)
class ProcessId:
    """A process, distinct from later ones with the same pid. `start` is in clock ticks since boot."""

    pid: int
    start: int

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        """The process that has this pid now; None when there is none or it is a zombie."""
        stat = _stat(pid)
        return None if stat is None or stat[0] == "Z" else cls(pid, int(stat[19]))

    def alive(self) -> bool:
        """Whether it still runs."""
        return ProcessId.of(self.pid) == self

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to exactly this process, if it still runs."""
        try:
            fd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            # Checked after the descriptor is open: it refers to this process even if the pid is reused.
            if self.alive():
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(fd, number)
        finally:
            os.close(fd)

    def wait_gone(self, seconds: float) -> bool:
        """True as soon as it has ended, False if it still runs after `seconds`."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def end(processes: Sequence[ProcessId], seconds: float) -> None:
    """Sends SIGTERM to each, waits up to `seconds` for all of them, then kills the rest."""
    for process in processes:
        process.send(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    for process in processes:
        if not process.wait_gone(max(0.0, deadline - time.monotonic())):
            process.send(signal.SIGKILL)
            process.wait_gone(2.0)


def start_child(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: int | IO[bytes] = subprocess.DEVNULL,
    on_parent_death: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Starts a program that gets a signal when this process dies, even if killed. No stdin; stderr goes to stdout."""
    command = [sys.executable, "-I", "-S", _CHILD_EXEC, str(os.getpid()), str(int(on_parent_death)), *argv]

    def spawn() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    return _spawner.submit(spawn).result()


def become_subreaper() -> None:
    """From now on, descendants that lose their parent become this process's children."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def children() -> list[ProcessId]:
    """This process's children that still run."""
    me = os.getpid()
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            stat = _stat(int(entry))
            if stat is not None and int(stat[1]) == me and stat[0] != "Z":
                found.append(ProcessId(int(entry), int(stat[19])))
    return found


def kill_children() -> None:
    """Kills every child, and the orphans that become children then, until none is left."""
    empty_lists = 0
    for _ in range(100):
        left = children()
        # Twice: a grandchild that is listed just before its parent ends is not a child of this process yet.
        empty_lists = 0 if left else empty_lists + 1
        if empty_lists == 2:
            return
        for child in left:
            child.send(signal.SIGKILL)
        for child in left:
            child.wait_gone(1.0)
            with suppress(ChildProcessError):
                os.waitpid(child.pid, os.WNOHANG)


def command_of(pid: int) -> str:
    """The command line, arguments separated by NUL; empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


def on_exit(process: subprocess.Popen[bytes], call: Callable[[], None]) -> None:
    """Calls back, from another thread, when the process has ended and been reaped."""

    def wait() -> None:
        process.wait()
        call()

    threading.Thread(target=wait, name=f"wait-{process.pid}", daemon=True).start()


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on (the third field is index 0)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field is the name in parentheses, which may contain spaces and parentheses.
    return text[text.rindex(")") + 2 :].split()
