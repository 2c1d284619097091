"""Whether a process of this machine still runs."""

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


def this() -> Process:
    found = process_identity.current()
    assert found is not None
    return found


@linux
def test_this_process_runs() -> None:
    assert this().pid == os.getpid()
    assert process_identity.runs(this()) is True


@linux
def test_one_of_that_number_that_started_at_another_time_is_another() -> None:
    assert process_identity.runs(replace(this(), started=this().started + 1)) is False


@linux
def test_one_of_another_machine_or_container_is_not_judged() -> None:
    assert process_identity.runs(replace(this(), boot="another")) is None
    assert process_identity.runs(replace(this(), namespace="pid:[1]")) is None
    assert process_identity.runs_holder(Holder("ann", "run")) is None


@linux
def test_one_that_has_ended_does_not_run_even_before_it_is_collected() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = replace(this(), pid=child.pid, started=process_identity._started(child.pid))
    assert process_identity.runs(process) is True
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process_identity.runs(process) is False
    child.wait()
    assert process_identity.runs(process) is False


@linux
def test_one_that_may_not_be_looked_at_counts_as_running(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    hidden = replace(this(), pid=2**30)
    assert process_identity.runs(hidden) is False
    monkeypatch.setattr(os, "kill", refuse)
    assert process_identity.runs(hidden) is True


def test_the_holders_name_says_user_host_and_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert process_identity.holder_name() == f"{getpass.getuser()}@{os.uname().nodename} pid {os.getpid()}"

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert process_identity.holder_name().startswith(f"{os.getuid()}@")


def test_a_system_that_says_nothing_knows_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_identity, "PROC", process_identity.PROC / "nosuch")
    assert process_identity.current() is None
