"""`hzlink status` on real API servers: healthy and unhealthy topologies."""

from __future__ import annotations

import json

from tests.sandbox.conftest import Hzlink


def test_status_of_empty_namespaces(hzlink: Hzlink) -> None:
    ran = hzlink("status", "--client-ctx", "client", "--cluster-ctx", "cluster", "-n", hzlink.namespace, "-o", "json")

    assert ran.code == 1
    assert ran.document["firstBrokenHop"]["hop"] == "Site"
    named = f"hzlink up --client-ctx client --cluster-ctx cluster --namespace {hzlink.namespace}"
    assert ran.document["firstBrokenHop"]["next"] == named


def test_status_without_flags_after_up_in_every_format(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    before = hzlink.writes()

    table = hzlink("status").ok().out
    wide = hzlink("status", "-o", "wide").ok().out
    document = hzlink("status", "-o", "json").ok().document
    yaml = hzlink("status", "-o", "yaml").ok().out

    assert "healthy" in table
    assert "2.2.1" in wide
    assert document["apiVersion"] == "hzlink/v1"
    assert "healthy: true" in yaml
    assert hzlink.writes() == before


def test_down_member_is_named(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    hold = json.dumps({"metadata": {"annotations": {"sandbox.hzlink.dev/hold": "CrashLoopBackOff"}}})
    hzlink.kubectl("cluster", "patch", "pod", "hazelcast-1", "--type=merge", f"--patch={hold}")
    hzlink.kubectl("cluster", "wait", "--for=condition=Ready=false", "pod/hazelcast-1", "--timeout=20s")

    ran = hzlink("status", "-o", "json")

    assert ran.code == 1
    assert ran.document["firstBrokenHop"]["hop"] == "members"
    assert "hazelcast-1" in ran.document["firstBrokenHop"]["message"]
    assert [member["name"] for member in ran.document["members"] if not member["ready"]] == ["hazelcast-1"]


def test_missing_namespace_is_exit_3(hzlink: Hzlink) -> None:
    ran = hzlink("status", "--client-ctx", "client", "--cluster-ctx", "cluster", "-n", "nowhere", "-o", "json")

    assert ran.code == 3
    assert {site["state"] for site in ran.document["sites"]} == {"namespace missing"}


def test_silent_api_server_is_unreachable(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    with hzlink.sandbox.frozen("client"):
        ran = hzlink("status", "--timeout", "4", "-o", "json")

    assert ran.code == 3
    states = {site["name"]: site["state"] for site in ran.document["sites"]}
    assert states == {"cluster": "read", "client": "unreachable"}
    # Far less than kubectl's default timeouts, even on a busy machine.
    assert ran.seconds < 60
