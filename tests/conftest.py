"""Fixtures for all tests: isolation from the user's settings and clusters, and the sandbox."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from sandbox.clusters.control_planes import tail
from sandbox.layout import Layout, cache_dir
from tests.sandboxed import Namespaces, Sandbox, run_sandbox, start

# The environment before any test changes it; the sandbox's programs are in the user's cache.
REAL_ENV = {**os.environ, "HZLINK_SANDBOX_CACHE": str(cache_dir())}
# A shell's background job ignores SIGINT; the processes that the tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
# How many lines of a log the report of a failed test shows.
REPORTED_LINES = 15
_HOMES = itertools.count()
_USERS_OWN = ("HZLINK_", "SKUPPER_", "KUBE", "XDG_")


@pytest.fixture(autouse=True)
def isolated_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides the user's clusters, files and settings from every test."""
    # `mktemp` lists the folder for a free number, which takes longer with every test.
    home = tmp_path_factory.getbasetemp() / "homes" / str(next(_HOMES))
    home.mkdir(parents=True)
    for name in list(os.environ):
        if name.startswith(_USERS_OWN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    for kind in ("STATE", "CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
    monkeypatch.setenv("KUBECONFIG", str(home / "no-kubeconfig"))
    monkeypatch.setenv("HZLINK_SANDBOX_CACHE", REAL_ENV["HZLINK_SANDBOX_CACHE"])


@pytest.fixture(scope="session")
def real_env() -> dict[str, str]:
    """The environment that pytest was started with, to run the sandbox itself."""
    return dict(REAL_ENV)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for each pytest process (with xdist: for each worker), profile fast.

    The process that starts it owns it, so the sandbox ends when that process ends, even if it is killed.
    """
    if sys.platform != "linux":
        pytest.skip("the sandbox needs Linux: loopback addresses, pidfd")
    name = _sandbox_name()
    running = start(name, REAL_ENV, owner=os.getpid())
    try:
        yield running
    finally:
        running.close()
        run_sandbox(REAL_ENV, "down", "--name", name)


@pytest.fixture
def namespaces(sandbox: Sandbox) -> Iterator[Namespaces]:
    """Creates namespaces: `namespaces.make("real")` or `namespaces.make("none")`; empties them after the test."""
    made = Namespaces(sandbox)
    yield made
    made.empty()


@pytest.fixture
def kubeconfig(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sandbox's kubeconfig, with its kubectl and skupper on the PATH of this test."""
    for key in ("PATH", "KUBECONFIG"):
        monkeypatch.setenv(key, sandbox.env[key])
    return sandbox.kubeconfig


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spreads the tests that wait, the longest first: with xdist, other workers need the processor meanwhile."""
    waits = {item: mark.args[0] if mark.args else 0 for item in items if (mark := item.get_closest_marker("waits"))}
    spread = [item for item in items if item not in waits]
    # None of them at the end, where the other workers would have nothing left to do.
    distance = 4 * len(spread) // (5 * len(waits) or 1)
    for number, item in enumerate(sorted(waits, key=waits.__getitem__, reverse=True)):
        spread.insert(number * (distance + 1), item)
    items[:] = spread


def _sandbox_name() -> str:
    """The name of this process's sandbox."""
    return f"test-{os.getpid()}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the end of the stand-in controller's log to the report of a failed sandbox test.

    The section is part of the report, so it is shown with xdist, too.
    """
    report = yield
    if report.failed and "sandbox" in getattr(item, "fixturenames", ()):
        logs = Layout.named(_sandbox_name()).logs
        for log in sorted(logs.glob("*skupper*.log")):
            report.sections.append((f"end of {log.name}", tail(log, REPORTED_LINES)))
    return report
