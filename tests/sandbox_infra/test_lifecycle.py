"""Start and end of sandboxes, each test with its own. The tests kill processes on purpose."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox import processes
from sandbox.api import kinds
from sandbox.api.client import Kube
from sandbox.clusters.control_planes import components
from sandbox.daemon import guard
from sandbox.layout import ROOT, Layout, Settings
from sandbox.processes import ProcessId
from tests.sandbox_infra.objects import pod
from tests.sandboxed import PATIENCE_SECONDS, run_sandbox, until

pytestmark = pytest.mark.sandbox
FAST = ("--profile", "fast", "--no-standin")


@pytest.fixture
def layout(real_env: dict[str, str]) -> Iterator[Layout]:
    """The layout of the test's own sandbox, which is removed afterwards."""
    made = Layout.named(f"life-{os.getpid()}")
    yield made
    run_sandbox(real_env, "down", "--name", made.name)
    shutil.rmtree(made.failed_logs, ignore_errors=True)


def _everything(layout: Layout) -> list[ProcessId]:
    """All processes of a running sandbox, found by its folder in their command lines."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and str(layout.state) in processes.command_of(int(entry)):
            process = ProcessId.of(int(entry))
            if process is not None and process.pid != os.getpid():
                found.append(process)
    return found


def _gone(layout: Layout, processes: list[ProcessId], seconds: float = PATIENCE_SECONDS) -> None:
    assert len(processes) >= 12  # guard, supervisor, two control planes of five
    until(lambda: not any(p.alive() for p in processes), seconds)
    until(lambda: not layout.state.exists() and not layout.lock.exists())


def _up(env: dict[str, str], layout: Layout, *more: str) -> str:
    return run_sandbox(env, "up", "--name", layout.name, *FAST, *more).stderr


def test_up_env_status_down(layout: Layout, real_env: dict[str, str]) -> None:
    first = _up(real_env, layout)
    again = _up(real_env, layout)
    env = run_sandbox(real_env, "env", "--name", layout.name).stdout
    status = run_sandbox(real_env, "status", "--name", layout.name).stdout
    said = subprocess.run(
        [
            "bash",
            "-c",
            f'{env}\nkubectl --context client2 create configmap x && command -v skupper && echo "$KUBECONFIG"',
        ],
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    processes = _everything(layout)
    down = run_sandbox(real_env, "down", "--name", layout.name).stderr
    _gone(layout, processes, seconds=0.5)

    assert f"sandbox {layout.name} is up" in first
    assert "already running" in again
    assert said.split("\n")[1:3] == [str(layout.bin / "skupper"), str(layout.kubeconfig)]
    assert "kube-apiserver" in status
    assert "contexts client, client2, cluster" in status
    assert "is down" in down
    assert "not running" in run_sandbox(real_env, "down", "--name", layout.name).stderr
    assert run_sandbox(real_env, "status", "--name", layout.name, check=False).returncode == 1
    assert run_sandbox(real_env, "env", "--name", layout.name, check=False).returncode == 1


def test_a_killed_owner_ends_the_sandbox(layout: Layout, real_env: dict[str, str]) -> None:
    owner = subprocess.Popen(["sleep", "600"])
    _up(real_env, layout, "--owner", str(owner.pid))
    kube = Kube.from_kubeconfig(layout.kubeconfig, "client")
    kube.create(kinds.PODS, pod("p", "hz"))
    kube.close()
    processes = _everything(layout)

    owner.kill()
    owner.wait()

    _gone(layout, processes)


def test_two_sandboxes_are_separate_and_a_killed_guard_leaves_no_process(
    layout: Layout, real_env: dict[str, str], tmp_path: Path
) -> None:
    other = Layout.named(f"{layout.name}-2")
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda each: _up(real_env, each), (layout, other)))
        assert Settings.read(layout).net != Settings.read(other).net
        processes = _everything(other)
        mine = components(layout)

        guard.recorded(other)["guard"].send(signal.SIGKILL)

        until(lambda: not any(p.alive() for p in processes))
        assert components(layout) == mine
        assert "is down" in run_sandbox(real_env, "down", "--name", other.name).stderr
        assert not other.state.exists()
    finally:
        run_sandbox(real_env, "down", "--name", other.name)


def test_a_killed_supervisor_is_cleaned_up(layout: Layout, real_env: dict[str, str]) -> None:
    _up(real_env, layout)
    processes = _everything(layout)

    guard.recorded(layout)["supervisor"].send(signal.SIGKILL)

    _gone(layout, processes)
    assert (layout.failed_logs / "supervisor.log").exists()


def test_down_cleans_up_after_guard_and_supervisor_were_killed(layout: Layout, real_env: dict[str, str]) -> None:
    _up(real_env, layout)
    processes = _everything(layout)
    recorded = guard.recorded(layout)

    # SIGSTOP first, so that neither reacts to the end of the other.
    for process in recorded.values():
        process.send(signal.SIGSTOP)
    for process in recorded.values():
        process.send(signal.SIGKILL)
    until(lambda: not any(p.alive() for p in recorded.values()))
    run_sandbox(real_env, "down", "--name", layout.name)

    _gone(layout, processes, seconds=1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_up_leaves_nothing(layout: Layout, real_env: dict[str, str], number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "sandbox", "up", "--name", layout.name, *FAST],
        env={**real_env, "PYTHONPATH": str(ROOT / "scripts")},
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: len(components(layout)) >= 4)

    process.send_signal(number)

    _, talk = process.communicate(timeout=PATIENCE_SECONDS)
    until(lambda: not [processes.command_of(p.pid) for p in _everything(layout)])
    until(lambda: not layout.state.exists())
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert "removing the sandbox" in talk


def test_a_reused_pid_is_not_killed(layout: Layout, real_env: dict[str, str]) -> None:
    """A pid that a killed sandbox recorded may belong to another process."""
    with subprocess.Popen(["sleep", "60"]) as bystander:
        (layout.kwok / "clusters/client/pids").mkdir(parents=True)
        (layout.kwok / "clusters/client/pids/etcd.pid").write_text(str(bystander.pid))
        entry = {"pid": bystander.pid, "start": 1}
        layout.guard_file.write_text(json.dumps({"guard": entry, "supervisor": entry}))

        run_sandbox(real_env, "down", "--name", layout.name)

        assert bystander.poll() is None
        assert not layout.state.exists()
        bystander.kill()


def test_an_owner_that_does_not_run_is_an_error(layout: Layout, real_env: dict[str, str]) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    done = run_sandbox(real_env, "up", "--name", layout.name, "--owner", str(ended.pid), check=False)

    assert done.returncode == 1
    assert "does not run" in done.stderr


def test_a_failed_start_shows_the_log(layout: Layout, real_env: dict[str, str], tmp_path: Path) -> None:
    """With an API server that cannot start, `up` fails, shows the log and leaves nothing."""
    real, broken = Path(real_env["HZLINK_SANDBOX_CACHE"]), tmp_path / "cache"
    for path in real.rglob("*"):
        if path.is_file() and path.parent != real and "build-" not in str(path):
            link = broken / path.relative_to(real)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
    server = next(broken.rglob("kube-apiserver"))
    server.unlink()
    server.write_text("#!/bin/sh\necho the disk is on fire >&2\nexit 1\n")
    server.chmod(0o755)
    began = time.monotonic()

    done = run_sandbox(
        {**real_env, "HZLINK_SANDBOX_CACHE": str(broken)}, "up", "--name", layout.name, *FAST, check=False
    )

    assert done.returncode == 1
    assert "kwokctl could not create" in done.stderr
    assert "the disk is on fire" in done.stderr
    assert not layout.state.exists()
    assert time.monotonic() - began < 120


def test_invalid_sandbox_names_are_refused(real_env: dict[str, str]) -> None:
    done = run_sandbox(real_env, "up", "--name", "../evil", check=False)

    assert done.returncode == 1
    assert "not a sandbox name" in done.stderr
