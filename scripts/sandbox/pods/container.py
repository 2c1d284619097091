"""One run of a container's process: start, log, probes, end."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sandbox import processes
from sandbox.pods.programs import Launch
from sandbox.pods.spec import Probe

_FAST_PROBE_SECONDS = 0.15
"""Seconds between probes of a starting container in the profile `fast`."""


class ContainerRun:
    """A running process. `on_exit` is called, from another thread, when it has ended."""

    def __init__(self, launch: Launch, log: Path, on_exit: Callable[[], None]) -> None:
        launch.cwd.mkdir(parents=True, exist_ok=True)
        (launch.cwd / "tmp").mkdir(exist_ok=True)
        log.touch()
        self._process = processes.start_child(launch.argv, env=launch.env, cwd=launch.cwd, output=subprocess.PIPE)
        self._copier = copy_output(self._process, log)
        processes.on_exit(self._process, on_exit)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for a signal."""
        return self._process.returncode

    def drain(self) -> None:
        """Waits up to a second until the log has the last lines of the ended process."""
        self._copier.join(1.0)

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        if self.exit_code is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)


class Readiness:
    """Whether a container is ready, by its probes. `due` says when to call `check`.

    With `pod_timing` probes run at the pod's own times; without, those of a starting container run more often.
    """

    def __init__(self, startup: Probe | None, readiness: Probe | None, address: str, pod_timing: bool) -> None:
        self._startup = startup
        self._readiness = readiness
        self._address = address
        self._pod_timing = pod_timing
        self._failures = 0
        self._successes = 0
        self.started = startup is None
        self.ready = startup is None and readiness is None
        first = startup or readiness
        self._next = time.monotonic() + (self._delay(first) if first else 0.0)

    @property
    def due(self) -> float | None:
        """Seconds until the next probe; None when there is no probe."""
        if self.started and self._readiness is None:
            return None
        return max(0.0, self._next - time.monotonic())

    def check(self) -> None:
        """Runs the probe that is due, and sets `started` and `ready`."""
        probe = self._readiness if self.started else self._startup
        if probe is None:
            return
        passed = passes(probe, self._address)
        self._successes = self._successes + 1 if passed else 0
        self._failures = 0 if passed else self._failures + 1
        if not self.started:
            self.started = self._successes >= probe.successes
            if self.started:
                # The kubelet runs the first readiness probe at once when a container has started.
                self._successes = 0
                self.ready = self._readiness is None
                self._next = time.monotonic() + (self._delay(self._readiness) if self._readiness else 0.0)
                return
        elif self._successes >= probe.successes:
            self.ready = True
        elif self._failures >= probe.failures:
            self.ready = False
        self._next = time.monotonic() + self._period(probe)

    def _delay(self, probe: Probe) -> float:
        return probe.delay if self._pod_timing else 0.0

    def _period(self, probe: Probe) -> float:
        return probe.period if self._pod_timing or self.ready else min(_FAST_PROBE_SECONDS, probe.period)


def passes(probe: Probe, address: str) -> bool:
    """Whether the port takes a connection and, with a path, answers with a status below 400."""
    try:
        if probe.path is None:
            socket.create_connection((address, probe.port), probe.timeout).close()
            return True
        connection = http.client.HTTPConnection(address, probe.port, timeout=probe.timeout)
        try:
            connection.request("GET", probe.path, headers={"User-Agent": "kube-probe", "Connection": "close"})
            return connection.getresponse().status < 400
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return False


def log_line(text: bytes) -> bytes:
    """A log line in the CRI format, which the kubelet reads: "<time> stdout F <text>"."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
    return stamp.encode() + b" stdout F " + text.rstrip(b"\r\n") + b"\n"


def copy_output(process: subprocess.Popen[bytes], path: Path) -> threading.Thread:
    """Writes the process's output to the file, in a thread, which is returned."""

    def copy() -> None:
        assert process.stdout is not None  # noqa: S101 started with a pipe
        with path.open("ab", buffering=0) as file, process.stdout:
            for text in process.stdout:
                file.write(log_line(text))

    thread = threading.Thread(target=copy, name=f"log-{process.pid}", daemon=True)
    thread.start()
    return thread
