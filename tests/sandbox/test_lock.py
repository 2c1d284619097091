"""The lock on a real API server, with concurrent runs of hzlink."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sandbox.conftest import HZLINK, Hzlink
from tests.sandboxed import until

LEASES = "leases.coordination.k8s.io"
OURS = "Lease/hzlink"


@pytest.fixture
def start(hzlink: Hzlink) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `hzlink up` and waits until it has the lock; kills it after the test."""
    started: list[subprocess.Popen[str]] = []

    def one(*args: str) -> subprocess.Popen[str]:
        places = ("--client-ctx", "client", "--cluster-ctx", "cluster", "-n", hzlink.namespace)
        running = subprocess.Popen(
            [HZLINK, "up", *places, *args],
            env=hzlink.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(running)
        until(lambda: lock(hzlink))
        return running

    yield one
    for running in started:
        running.kill()
        running.communicate()


def lock(hzlink: Hzlink) -> dict[str, Any] | None:
    return hzlink.objects("cluster", LEASES).get(OURS)


def test_second_run_is_refused_and_the_first_succeeds(
    hzlink: Hzlink, start: Callable[..., subprocess.Popen[str]]
) -> None:
    first = start()
    held = lock(hzlink)

    second = hzlink.up()

    assert second.code == 5
    assert held is not None
    assert f"held by {held['spec']['holderIdentity']}, since" in second.err
    assert f"pid {first.pid}" in second.err
    _, err = first.communicate(timeout=120)
    assert first.returncode == 0, err
    assert lock(hzlink) is None
    assert "nothing written" in hzlink.up().ok().err


def test_lease_of_a_killed_run_is_replaced_at_once(hzlink: Hzlink, start: Callable[..., subprocess.Popen[str]]) -> None:
    first = start()
    first.kill()
    first.wait()
    assert lock(hzlink) is not None

    ran = hzlink.up().ok()

    assert "taking over the lock of a run that ended without releasing it: " in ran.err
    assert f"pid {first.pid}" in ran.err
    assert "watching" not in ran.err
    assert lock(hzlink) is None


def test_run_stops_when_its_lock_is_taken_by_force(
    hzlink: Hzlink, start: Callable[..., subprocess.Popen[str]], faults: Callable[..., None]
) -> None:
    # Both wait for an address that never comes. The second waits long enough for the first to lose its lock.
    faults(lb={"cluster": False})
    first = start("--link-from", "cluster")
    until(lambda: "Site/cluster" in hzlink.objects("cluster", "sites.skupper.io"))

    second = hzlink.up("--force-unlock", "--link-from", "cluster", "--timeout", "20")

    assert "--force-unlock: taking the lock from" in second.err
    assert f"pid {first.pid}, since" in second.err
    _, err = first.communicate(timeout=30)
    assert first.returncode == 5, err
    assert "error: cluster: this run stopped: its lock was taken by" in err
    assert second.code == 4, second.err
    assert lock(hzlink) is None


def test_expired_lease_of_another_machine_is_watched_and_replaced(hzlink: Hzlink) -> None:
    old = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "hzlink"},
        "spec": {"holderIdentity": "ben@ci pid 7", "renewTime": "2026-01-01T00:00:00.000000Z"},
    }
    hzlink.kubectl("cluster", "create", "-f", "-", stdin=json.dumps(old))

    ran = hzlink.up().ok()

    assert "checking for 30 s" in ran.err
    assert ran.seconds >= 30
    assert lock(hzlink) is None
