"""`hzlink verify` with real members: healthy topologies, and the failed member named in broken ones."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.conftest import HZLINK, Hzlink, Ran
from tests.sandbox.forwarding import forwards, own_maps
from tests.sandboxed import until

NAMES = [f"hazelcast-{number}" for number in range(3)]
Faults = Callable[..., None]


@pytest.fixture
def linked(real_hzlink: Hzlink, kubeconfig: Path) -> Hzlink:
    """hzlink in a running topology of real members, with the sandbox's kubectl on the test's PATH."""
    real_hzlink.up().ok()
    return real_hzlink


def outcomes(ran: Ran) -> dict[str, str]:
    """The outcome of each name at the client site."""
    [site] = ran.document["verification"]
    return {name["service"]: name["outcome"] for name in site["names"]}


def errors(ran: Ran) -> list[str]:
    """The messages of the errors."""
    return [error["message"] for error in ran.document["errors"]]


def service_ports(hzlink: Hzlink) -> dict[str, Any]:
    """The ports of the members' Services at the client site, which lead to its router."""
    services = hzlink.objects("client", "services")
    return {name: services[f"Service/{name}"]["spec"]["ports"] for name in NAMES}


def test_every_member_answers_by_name(linked: Hzlink) -> None:
    ran = linked("verify", "-o", "json").ok()

    assert outcomes(ran) == dict.fromkeys(NAMES, "ok")
    [site] = ran.document["verification"]
    assert site["proven"] is True
    assert len({name["answeredBy"]["uuid"] for name in site["names"]}) == 3
    for name in site["names"]:
        assert name["answeredBy"]["address"] == f"{name['service']}:5701"
        assert 0 < name["latency"]["p50Ms"] <= name["latency"]["p99Ms"]
        assert name["latency"]["n"] > 10
    assert forwards(linked.namespace) == []
    assert own_maps(linked) == []

    status = linked("status").ok()
    assert "verified" in status.out
    assert "3 of 3 members answered" in status.out


def test_swapped_services_are_wrong_members(linked: Hzlink, faults: Faults) -> None:
    # Otherwise the controller would restore the Services.
    faults(controller="stopped")
    ports = service_ports(linked)
    for name, other in (("hazelcast-1", "hazelcast-2"), ("hazelcast-2", "hazelcast-1")):
        patch = f'{{"spec": {{"ports": [{{"port": 5701, "targetPort": {ports[other][0]["targetPort"]}}}]}}}}'
        linked.kubectl("client", "patch", "service", name, "--patch", patch)

    ran = linked("verify", "-o", "json")

    assert ran.code == 1
    assert outcomes(ran) == {"hazelcast-0": "ok", "hazelcast-1": "wrong member", "hazelcast-2": "wrong member"}
    assert [message.partition(" (")[0] for message in errors(ran)] == [
        "Service hazelcast-1 leads to hazelcast-2",
        "Service hazelcast-2 leads to hazelcast-1",
    ]
    assert own_maps(linked) == []


def test_stopped_member_is_named(linked: Hzlink) -> None:
    pid = linked.sandbox.endpoints("cluster", linked.namespace)["hazelcast-1"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        ran = linked("verify", "-o", "json")
    finally:
        os.kill(pid, signal.SIGCONT)

    assert ran.code == 1
    found = outcomes(ran)
    print(ran.out, ran.err, ran.seconds)
    assert found.pop("hazelcast-1") in ("unreachable", "no service")
    assert set(found.values()) == {"ok"}
    assert all("hazelcast-1" in message for message in errors(ran))
    assert "verification failed" in linked("status").out


def test_broken_link_is_one_error(linked: Hzlink, faults: Faults) -> None:
    faults(link="down")

    ran = linked("verify", "-o", "json")

    assert ran.code == 1
    assert set(outcomes(ran).values()) <= {"unreachable", "no service"}
    [message] = errors(ran)
    # Skupper removes the Services some seconds after the link.
    assert "(hazelcast-0, hazelcast-1, hazelcast-2)" in message
    assert message.startswith(("no member answers through any Service", "none of the members' Services exists"))
    assert ran.seconds < 60


def test_lagging_condition_does_not_fail_verify(linked: Hzlink, faults: Faults) -> None:
    faults(listener="pending")
    until(lambda: "No matching" in _listener(linked))

    assert outcomes(linked("verify", "-o", "json").ok()) == dict.fromkeys(NAMES, "ok")


def _listener(hzlink: Hzlink) -> str:
    return str(hzlink.objects("client", "listeners.skupper.io")["Listener/hazelcast"].get("status", {}).get("message"))


def test_unisocket_names_the_member_that_answered(real_hzlink: Hzlink) -> None:
    ran = real_hzlink.up("--mode", "unisocket", "--verify", "-o", "json").ok()

    [site] = ran.document["verification"]
    assert (site["mode"], site["proven"], len(site["members"])) == ("unisocket", True, 3)
    [name] = site["names"]
    assert name["service"] == "hazelcast"
    assert name["answeredBy"] in site["members"]
    assert ran.document["healthy"] is True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_verify_leaves_nothing(linked: Hzlink, number: signal.Signals) -> None:
    running = subprocess.Popen([HZLINK, "verify"], env=linked.env, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    for line in running.stderr:
        if "answered" in line:
            break
    running.send_signal(number)

    assert running.wait(30) == 130
    assert forwards(linked.namespace) == []
    assert own_maps(linked) == []
