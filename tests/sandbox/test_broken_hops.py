"""`hzlink status` on real API servers names the hop that the test has broken."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from sandbox.clusters.build import find_jar
from sandbox.pods.programs import find_java
from sandbox.processes import ProcessId
from tests.sandbox.conftest import HZLINK, Hzlink, Ran
from tests.sandboxed import until

real_members = pytest.mark.skipif(find_java() is None or find_jar() is None, reason="no Java or JAR for real members")


def _status(hzlink: Hzlink) -> Ran:
    return hzlink("status", "-o", "json")


def _broken(ran: Ran) -> tuple[str, str] | None:
    """The stage and site of the first broken hop; asserts that both places in the document agree."""
    [path] = ran.document["paths"]
    if path["firstBroken"] is None:
        assert ran.document["firstBrokenHop"] is None
        return None
    hop = path["hops"][path["firstBroken"]]
    assert hop == ran.document["firstBrokenHop"]
    return hop["stage"], hop["site"]


def _hop(ran: Ran, stage: str) -> dict[str, Any]:
    [path] = ran.document["paths"]
    return next(hop for hop in path["hops"] if hop["stage"] == stage)


def test_every_hop_of_a_healthy_path_has_an_object(hzlink: Hzlink) -> None:
    hzlink.up().ok()

    ran = _status(hzlink).ok()

    [path] = ran.document["paths"]
    assert [(hop["stage"], hop["site"], hop["object"]) for hop in path["hops"]] == [
        ("Management Center", "client", "Deployment hazelcast-mancenter"),
        ("Listener", "client", "Listener hazelcast"),
        ("router", "client", "Site client"),
        ("Link", "client", "Link hazelcast-cluster"),
        ("router", "cluster", "Site cluster"),
        ("Connector", "cluster", "Connector hazelcast"),
        ("members", "cluster", "StatefulSet hazelcast"),
    ]
    members = path["hops"][-1]["members"]
    assert [member["hop"] for member in members] == [f"hazelcast-{number}" for number in range(3)]
    # Timestamps are whole seconds, and `up` takes several.
    assert all(0 <= hop["ageSeconds"] < 300 for hop in [*path["hops"], *members])
    until(lambda: _status(hzlink).document["findings"] == [], 20, step=0.5)
    pictures = {output: hzlink("status", "-o", output).ok().out for output in ("tree", "svg", "mermaid")}
    assert "hazelcast-2" in pictures["tree"]
    assert ElementTree.fromstring(pictures["svg"]).tag.endswith("svg")  # noqa: S314 - our own
    assert pictures["mermaid"].startswith("flowchart LR\n")


def test_broken_link_is_named(hzlink: Hzlink, faults: Callable[..., None]) -> None:
    hzlink.up().ok()
    faults(link={f"client/{hzlink.namespace}": "down"})

    until(lambda: _broken(_status(hzlink)) == ("Link", "client"), 30, step=0.5)

    ran = hzlink("status")
    assert ran.code == 1
    assert "Management Center > Listener > router > [Link] > router > Connector > members" in ran.out
    assert "next: hzlink link" in ran.out
    faults()
    hzlink("status", "--wait", "--for", "linked", "--timeout", "60").ok()
    hzlink("status", "--wait", "--timeout", "60").ok()


def test_pending_listener_with_traffic_is_a_warning(hzlink: Hzlink, faults: Callable[..., None]) -> None:
    hzlink.up().ok()
    faults(listener={f"client/{hzlink.namespace}": "pending"})
    until(lambda: _hop(_status(hzlink), "Listener")["state"] == "waiting", 30, step=0.5)

    ran = _status(hzlink).ok()

    hop = _hop(ran, "Listener")
    assert (hop["lags"], hop["message"], hop["next"]) == (True, "No matching connectors", None)
    assert _broken(ran) is None
    assert [finding["about"] for finding in ran.document["findings"]] == ["offers"]
    assert "No matching connectors" in ran.document["warnings"][0]


@real_members
def test_stopped_member_is_named(real_hzlink: Hzlink) -> None:
    real_hzlink.up().ok()
    entry = real_hzlink.sandbox.endpoints("cluster", real_hzlink.namespace)["hazelcast-2"]
    process = ProcessId.of(entry["pid"])
    assert process is not None
    process.send(signal.SIGSTOP)
    try:
        until(lambda: _broken(_status(real_hzlink)) == ("members", "cluster"), 40, step=0.5)
        ran = _status(real_hzlink)
    finally:
        process.send(signal.SIGCONT)

    assert ran.code == 1
    members = {member["hop"]: member["state"] for member in _hop(ran, "members")["members"]}
    assert members["hazelcast-2"] != "ok"
    assert (members["hazelcast-0"], members["hazelcast-1"]) == ("ok", "ok")
    assert "hazelcast-2" in ran.document["firstBrokenHop"]["message"]
    real_hzlink("status", "--wait", "--timeout", "90").ok()


def test_router_without_a_ready_pod_is_named(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    hold = json.dumps({"metadata": {"annotations": {"sandbox.hzlink.dev/hold": "CrashLoopBackOff"}}})
    [name] = hzlink.kubectl(
        "client", "get", "pods", "-l", "skupper.io/component=router", "-o", "jsonpath={.items[*].metadata.name}"
    ).split()
    hzlink.kubectl("client", "patch", "pod", name, "--type=merge", f"--patch={hold}")

    until(lambda: _broken(_status(hzlink)) == ("router", "client"), 30, step=0.5)

    assert name in _status(hzlink).document["firstBrokenHop"]["message"]


def test_watch_prints_changes(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    running = subprocess.Popen(
        [HZLINK, "status", "--watch", "-o", "json"],
        env=hzlink.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    assert running.stderr is not None
    try:
        assert json.loads(running.stdout.readline())["healthy"] is True
        hzlink.kubectl("client", "delete", "links.skupper.io", "--all")
        for line in running.stdout:
            document = json.loads(line)
            if not document["healthy"]:
                break
        assert document["firstBrokenHop"]["stage"] == "Link"
    finally:
        running.send_signal(signal.SIGINT)
        running.stdout.read()
    assert running.wait(30) == 1
    assert running.stderr.read() == ""


def test_wait_for_gone(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    sites = ("--client-ctx", "client", "--cluster-ctx", "cluster", "-n", hzlink.namespace)
    assert hzlink("status", *sites, "--wait", "--for", "gone", "--timeout", "2").code == 4

    hzlink("down", "--yes").ok()

    assert hzlink("status", *sites, "--wait", "--for", "gone", "--timeout", "60").code == 0
