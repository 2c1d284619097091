"""Kills hzlink at every call of kubectl and skupper (a boundary) and runs it again, in several namespaces at once."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from sandbox.skupper.controller import kinds as skupper_kinds
from tests import forked
from tests.kill import endstate, shims
from tests.kill.endstate import State
from tests.sandbox.conftest import Hzlink
from tests.sandboxed import Namespaces, Sandbox

# Seconds for one run of hzlink, and for the state to settle after it.
LIMIT = 200.0
SETTLE = 20.0
# Programs of a killed run must end within this many seconds.
LINGER = 3.0

# A series ends after this many problems.
ENOUGH = 3

# Where hzlink's lock is.
LOCKS = {"client Lease", "cluster Lease"}

PLACES = ("--client-ctx", "client", "--cluster-ctx", "cluster")


@dataclass
class Series:
    """One command, killed at each of its boundaries in turn: the first, the second, until one run is not killed.

    `step` 1 is every boundary. `unchanged` counts the killed runs that had not changed anything.
    """

    command: tuple[str, ...]
    when: str
    signal: str = "KILL"
    step: int = 1
    killed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    left: int = 0
    unchanged: int = 0
    ended: bool = False
    _numbers: count[int] = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._numbers = count(1, self.step)

    @property
    def name(self) -> str:
        """The name in the report: the command, the signal and when it is sent."""
        return f"{' '.join(self.command)}, {self.signal} {self.when} the call"

    def take(self) -> int | None:
        """The next boundary; None when there are no more."""
        with self._lock:
            return None if self.ended else next(self._numbers)


@dataclass(frozen=True)
class Killed:
    """The end of a killed run: exit code (negative for a signal), standard error, and its calls."""

    code: int
    err: str
    calls: list[str]


class Place:
    """A namespace on both API servers in which runs are killed, one after the other."""

    def __init__(self, sandbox: Sandbox, namespaces: Namespaces, folder: Path) -> None:
        folder.mkdir()
        self._namespaces = namespaces
        self._folder = folder
        self._runs = count()
        self.sandbox = sandbox
        self.hzlink = Hzlink(sandbox, namespaces.make("none"), folder / "state")
        (folder / "tmp").mkdir()
        self.hzlink.env["TMPDIR"] = str(folder / "tmp")
        shims.install(folder / "bin", sandbox.bin)

    def run(self, *command: str) -> None:
        """One run that is not killed and must succeed."""
        self.hzlink(*command, *PLACES, "-n", self.hzlink.namespace, "--timeout", f"{LIMIT:.0f}").ok()

    def kill(self, series: Series, at: int) -> Killed:
        """One run that is killed at a boundary, if it has that many."""
        counted = self._folder / f"count-{next(self._runs)}"
        counted.touch()
        env = {
            **self.hzlink.env,
            "PATH": f"{self._folder / 'bin'}:{self.hzlink.env['PATH']}",
            shims.COUNT: str(counted),
            shims.AT: str(at),
            shims.WHEN: series.when,
            shims.SIGNAL: series.signal,
        }
        args = (*series.command, *PLACES, "-n", self.hzlink.namespace)
        code, _, err = forked.run(args, env, self._folder, LIMIT)
        _must_end(f"{shims.COUNT}={counted}")
        return Killed(code, err, [line.rpartition(" by ")[0] for line in counted.read_text().splitlines()])

    def changed(self, before: State) -> bool:
        """Whether a run has changed an object or left a file. It takes the lock before all else."""
        return bool(
            self.files()
            or endstate.difference(endstate.part(before, LOCKS), self.state(LOCKS))
            or endstate.difference(before, self.state())
        )

    def unlink(self) -> None:
        """Deletes the Link, without waiting for what Skupper does then."""
        self.sandbox.kube("client").request("DELETE", skupper_kinds.LINKS.path(self.hzlink.namespace))

    def rested(self) -> State:
        """The state once it has not changed for a second."""
        state = self.state()
        while True:
            time.sleep(1.0)
            if not endstate.difference(before := state, state := self.state()):
                return before

    def empty(self) -> None:
        """Empties the namespaces."""
        self._namespaces.empty()

    def state(self, places: Set[str] | None = None) -> State:
        """The objects in the namespace; with `places`, only of those (see endstate.of)."""
        return endstate.of(self.sandbox, self.hzlink.namespace, places)

    def files(self) -> list[str]:
        """Files that hzlink has left, except its record of the last run."""
        places = (self.hzlink.state, self._folder / "tmp")
        return [
            str(path) for place in places for path in place.rglob("*") if path.is_file() and path.name != "last.json"
        ]

    def settled(self, wanted: State) -> tuple[State, str]:
        """The state and its difference from the wanted one, after waiting for it to settle."""
        until = time.monotonic() + SETTLE
        while (found := endstate.difference(wanted, state := self.state())) and time.monotonic() < until:
            # To read all is expensive: what differs is read until it is as wanted, then all once more.
            differ = endstate.places(found)
            while endstate.difference(endstate.part(wanted, differ), self.state(differ)) and time.monotonic() < until:
                time.sleep(0.2)
        return state, found


def _must_end(mark: str) -> None:
    """Waits until no process with this environment variable runs."""
    until = time.monotonic() + LINGER
    while pids := _with(mark.encode()):
        assert time.monotonic() < until, f"still running after hzlink's end: {[_words(pid) for pid in pids]}"
        time.sleep(0.05)


def _with(mark: bytes) -> list[str]:
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if mark in Path("/proc", pid, "environ").read_bytes().split(b"\0"):
                found.append(pid)
        except OSError:
            continue
    return found


def _words(pid: str) -> str:
    try:
        return Path("/proc", pid, "cmdline").read_text().replace("\0", " ")
    except OSError:
        return pid


class Worker:
    """Repeats up, link and down in one namespace, each killed once, until every series has ended."""

    def __init__(self, make: Callable[[], Place], series: list[Series], up: State, unlinked: State) -> None:
        self._make = make
        self._series = series
        self._up = up
        self._unlinked = unlinked

    def work(self) -> None:
        """Works until every series has ended."""
        while any(not one.ended for one in self._series):
            place = self._make()
            nothing = place.state()
            # After a problem a new namespace is used; also when no `down` is left to kill, because that is quicker.
            while self._round(place, nothing) and any(not one.ended for one in self._series):
                pass
            place.empty()

    def _round(self, place: Place, nothing: State) -> bool:
        return self._up_once(place, nothing) and self._links(place) and self._down_once(place, nothing)

    def _links(self, place: Place) -> bool:
        for one in self._of("link"):
            place.unlink()
            if not self._killed_once(place, one, self._unlinked, self._up):
                return False
        return True

    def _up_once(self, place: Place, nothing: State) -> bool:
        for one in self._of("up"):
            return self._killed_once(place, one, nothing, self._up)
        place.run("up")
        return True

    def _down_once(self, place: Place, nothing: State) -> bool:
        for one in self._of("down"):
            return self._killed_once(place, one, self._up, nothing)
        return False

    def _of(self, command: str) -> list[Series]:
        return [one for one in self._series if one.command[0] == command and not one.ended]

    def _killed_once(self, place: Place, series: Series, before: State, wanted: State) -> bool:
        """Kills runs until one of them has changed something, and the run after it. Whether all went as wanted.

        A run after a kill that changed nothing would be a first run, which needs no kill: the next boundary is taken.
        """
        while (at := series.take()) is not None:
            where = f"boundary {at}"
            try:
                killed = place.kill(series, at)
                if killed.code == 0:
                    series.ended = True
                    return True
                where = f"boundary {at} ({killed.calls[at - 1] if at <= len(killed.calls) else '?'})"
                assert killed.code == (-9 if series.signal == "KILL" else 130), f"exit {killed.code}\n{killed.err}"
                changed = place.changed(before)
                if changed:
                    self._next_run(place, series, killed, wanted)
            except (AssertionError, subprocess.TimeoutExpired) as problem:
                series.problems.append(f"{series.name}, {where}: {problem}")
                series.ended = len(series.problems) >= ENOUGH
                return False
            series.killed.append(where)
            if changed:
                return True
            series.unchanged += 1
        place.run(*series.command)
        return True

    def _next_run(self, place: Place, series: Series, killed: Killed, wanted: State) -> None:
        if series.signal != "KILL":
            left = endstate.left(place.state()) + place.files()
            series.left += len(left)
            assert not left, f"left right after {series.signal}: {left}\n{killed.err}"
        place.run(*series.command)
        state, found = place.settled(wanted)
        left = endstate.left(state) + place.files()
        series.left += len(left)
        assert not left, f"left: {left}"
        assert not found, found
