"""Whether a process on this machine still runs."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from hzlink.apply import process_identity
from hzlink.apply.lease import Holder, Process

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def current() -> Process:
    found = process_identity.current()
    assert found is not None
    return found


@linux
def test_this_process_runs() -> None:
    assert current().pid == os.getpid()
    assert process_identity.runs(current()) is True


@linux
def test_reused_pid_with_another_start_time_does_not_count() -> None:
    assert process_identity.runs(replace(current(), started=current().started + 1)) is False


@linux
def test_process_on_another_machine_or_in_another_container_is_unknown() -> None:
    assert process_identity.runs(replace(current(), boot="another")) is None
    assert process_identity.runs(replace(current(), namespace="pid:[1]")) is None
    assert process_identity.runs_holder(Holder("ann", "run")) is None


@linux
def test_zombie_process_does_not_run() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = replace(current(), pid=child.pid, started=process_identity._started(child.pid))
    assert process_identity.runs(process) is True
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process_identity.runs(process) is False
    child.wait()
    assert process_identity.runs(process) is False


@linux
def test_process_of_another_user_counts_as_running(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    hidden = replace(current(), pid=2**30)
    assert process_identity.runs(hidden) is False
    monkeypatch.setattr(os, "kill", refuse)
    assert process_identity.runs(hidden) is True


def test_holder_name_contains_user_host_and_pid(monkeypatch: pytest.MonkeyPatch) -> None:
    assert process_identity.holder_name() == f"{getpass.getuser()}@{os.uname().nodename} pid {os.getpid()}"

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert process_identity.holder_name().startswith(f"{os.getuid()}@")


def test_process_is_unknown_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_identity, "PROC", process_identity.PROC / "nosuch")
    assert process_identity.current() is None
