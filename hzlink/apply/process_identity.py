"""Identifies this process, so that another one on the same machine can check whether it still runs.

Linux only: on other systems a process counts as one on another machine.
"""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from hzlink.apply.lease import Holder, Process

PROC = Path("/proc")


def current() -> Process | None:
    """This process; None if the system does not provide enough to identify it."""
    pid = os.getpid()
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = os.readlink(PROC / "self/ns/pid")
        return Process(boot, namespace, pid, _started(pid))
    except (OSError, ValueError, IndexError):
        return None


def holder_name() -> str:
    """This run's name for messages: user, host and PID."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container's user may have no name.
        user = str(os.getuid())
    return f"{user}@{os.uname().nodename} pid {os.getpid()}"


def runs_holder(holder: Holder) -> bool | None:
    """Whether the process of a Lease's holder still runs; None if this machine cannot know."""
    return None if holder.process is None else runs(holder.process)


def runs(process: Process) -> bool | None:
    """Whether the process runs; None for a process of another machine or container, or from before the last boot.

    A process whose details cannot be read counts as running.
    """
    this = current()
    if this is None or (process.boot, process.namespace) != (this.boot, this.namespace):
        return None
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # another user's
    try:
        return _started(process.pid) == process.started and not _ended(process.pid)
    except FileNotFoundError:
        # It just ended, or this user may not see processes of other users.
        return True
    except (OSError, ValueError, IndexError):
        return True


def _fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the program's name, which may contain spaces and parentheses."""
    return (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _started(pid: int) -> int:
    """When the process started, in clock ticks since the machine's start."""
    return int(_fields(pid)[19])


def _ended(pid: int) -> bool:
    """Whether it has ended but was not reaped yet."""
    return _fields(pid)[0] in ("Z", "X")
