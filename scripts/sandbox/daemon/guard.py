"""The sandbox's outermost process: starts the supervisor, and at the end removes everything.

The end comes by SIGTERM, when the supervisor has ended, when the owner has ended (even if killed), or when `up` was
killed before everything was ready. If the guard itself is killed, the supervisor ends everything.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import select
import shutil
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from sandbox import processes
from sandbox.layout import ROOT, Layout, Start, read_json, write_json
from sandbox.processes import ProcessId

ALREADY_RUNNING = 3
_SUPERVISOR_SECONDS = 10.0
_READY_CHECK_MS = 250


def take_lock(layout: Layout) -> IO[str] | None:
    """The sandbox's lock, held as long as the file is open; None if another guard holds it."""
    layout.lock.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = layout.lock.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        # The previous holder may have removed the file after it was opened here.
        with suppress(FileNotFoundError):
            if os.fstat(file.fileno()).st_ino == layout.lock.stat().st_ino:
                return file
        file.close()


def recorded(layout: Layout) -> dict[str, ProcessId]:
    """The guard and the supervisor, from the guard's file."""
    return {name: ProcessId(entry["pid"], entry["start"]) for name, entry in read_json(layout.guard_file).items()}


def clean_up(layout: Layout) -> None:
    """Ends what a killed guard left running and removes the sandbox's folder. Call it with the lock held."""
    left = [process for process in recorded(layout).values() if process.pid != os.getpid()]
    processes.end(left, _SUPERVISOR_SECONDS)
    for process in leftovers(layout):
        process.send(signal.SIGKILL)
        process.wait_gone(2.0)
    shutil.rmtree(layout.state, ignore_errors=True)


def leftovers(layout: Layout) -> list[ProcessId]:
    """Control-plane processes of this folder: their pids are in files, their command lines contain the folder."""
    found = []
    for file in layout.kwok.glob("clusters/*/pids/*.pid"):
        with suppress(OSError, ValueError):
            pid = int(file.read_text())
            process = ProcessId.of(pid)
            if process is not None and str(layout.kwok) in processes.command_of(pid):
                found.append(process)
    return found


class Guard:
    """The guard of one sandbox."""

    def __init__(self, layout: Layout, start: Start, owner: ProcessId | None, starter: ProcessId | None) -> None:
        self._layout = layout
        self._start = start
        self._owner = owner
        self._starter = starter
        self._stop_requested = False

    def run(self) -> int:
        """Runs the sandbox to its end; ALREADY_RUNNING if another guard runs it."""
        lock = take_lock(self._layout)
        if lock is None:
            return ALREADY_RUNNING
        with lock:
            clean_up(self._layout)
            shutil.rmtree(self._layout.failed_logs, ignore_errors=True)
            for folder in (self._layout.state, self._layout.logs, self._layout.bin, self._layout.kwok):
                folder.mkdir(parents=True, mode=0o700)
            self._layout.progress.touch()
            code = self._supervise()
            # The lock is still held, so that no other `up` starts while this is being removed.
            processes.kill_children()
            if code != 0 and not self._stop_requested:
                self._keep_logs()
            clean_up(self._layout)
            self._layout.lock.unlink()
        return code

    def _supervise(self) -> int:
        processes.become_subreaper()
        wakeup, waker = socket.socketpair()
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._request_stop)
        argv = [
            sys.executable,
            "-m",
            "sandbox.daemon.supervisor",
            "--state",
            str(self._layout.state),
            *self._start.arguments(),
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "PYTHONUNBUFFERED": "1"}
        with (self._layout.logs / "supervisor.log").open("wb") as log:
            child = processes.start_child(argv, env=environment, output=log, on_parent_death=signal.SIGTERM)
        self._record_processes(child.pid)
        self._wait(child.pid, wakeup.fileno())
        if child.poll() is None:
            self._stop_requested = True
            child.terminate()
            supervisor = ProcessId.of(child.pid)
            if supervisor is not None and not supervisor.wait_gone(_SUPERVISOR_SECONDS):
                child.kill()
            child.wait()  # from now on its orphans are this process's children
        return 0 if self._stop_requested else child.wait()

    def _request_stop(self, *_: object) -> None:
        self._stop_requested = True

    def _wait(self, child: int, wakeup: int) -> None:
        """Returns when the sandbox is to end."""
        poll = select.poll()
        poll.register(wakeup, select.POLLIN)
        ends = [_pidfd(ProcessId.of(child))]
        if self._owner is not None:
            ends.append(_pidfd(self._owner))
        starter = _pidfd(self._starter) if self._starter is not None else None
        for end in [*ends, starter] if self._starter is not None else ends:
            if end is None:
                return  # it has ended already
            poll.register(end, select.POLLIN)
        while not self._stop_requested:
            events = dict(poll.poll(_READY_CHECK_MS if starter is not None else None))
            if any(end in events for end in ends if end is not None):
                return
            if starter is not None and self._layout.ready.exists():
                poll.unregister(starter)
                starter = None
            elif starter is not None and starter in events:
                return

    def _record_processes(self, supervisor: int) -> None:
        entries = {}
        for name, pid in (("guard", os.getpid()), ("supervisor", supervisor)):
            process = ProcessId.of(pid)
            if process is not None:
                entries[name] = {"pid": process.pid, "start": process.start}
        write_json(self._layout.guard_file, entries)

    def _keep_logs(self) -> None:
        """Copies the logs of a failed start, since the sandbox's folder is removed."""
        target = self._layout.failed_logs
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self._layout.logs, target)
        for logs in self._layout.kwok.glob("clusters/*/logs"):
            shutil.copytree(logs, target / logs.parent.name)


def _pidfd(process: ProcessId | None) -> int | None:
    """A descriptor that becomes readable when the process ends; None if it has ended."""
    if process is None:
        return None
    try:
        fd = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return None
    if not process.alive():
        os.close(fd)
        return None
    return fd


def _parse_process(text: str) -> ProcessId | None:
    """The process of PID:START; None for an empty text."""
    if not text:
        return None
    pid, start = text.split(":")
    return ProcessId(int(pid), int(start))


def main() -> int:
    """Runs the guard; started by `up`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    Start.add_options(parser)
    parser.add_argument("--owner", type=_parse_process)
    parser.add_argument("--starter", type=_parse_process)
    options = parser.parse_args()
    return Guard(Layout(options.state), Start.from_options(options), options.owner, options.starter).run()


if __name__ == "__main__":
    sys.exit(main())
