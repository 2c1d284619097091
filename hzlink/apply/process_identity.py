"""Which process this is, so that another on the same machine can tell whether it still runs.

Linux only: elsewhere nothing is known of another's processes, which then count as another machine's.
"""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from hzlink.apply.lease import Holder, Process

PROC = Path("/proc")


def current() -> Process | None:
    """This process; None where the system does not say enough to be found again."""
    pid = os.getpid()
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = os.readlink(PROC / "self/ns/pid")
        return Process(boot, namespace, pid, _started(pid))
    except (OSError, ValueError, IndexError):
        return None


def holder_name() -> str:
    """Who this is, for people: user, host and process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container's user need not be in any list.
        user = str(os.getuid())
    return f"{user}@{os.uname().nodename} pid {os.getpid()}"


def runs_holder(holder: Holder) -> bool | None:
    """Whether the run that has a Lease still runs; None where this machine cannot know."""
    return None if holder.process is None else runs(holder.process)


def runs(process: Process) -> bool | None:
    """Whether the process runs; None for one of another machine (or container, or from before the last start).

    One that cannot be looked at closely counts as running.
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
        # It has just ended, or this user may not see processes of other users.
        return True
    except (OSError, ValueError, IndexError):
        return True


def _fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the program's name, which may hold blanks and brackets."""
    return (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _started(pid: int) -> int:
    """When the process started, in clock ticks since the machine did."""
    return int(_fields(pid)[19])


def _ended(pid: int) -> bool:
    """Whether it has ended and was only not collected yet."""
    return _fields(pid)[0] in ("Z", "X")
