"""`hzlink status` on real API servers: what it calls healthy, and what it says when it is not."""

from __future__ import annotations

import json

from tests.sandbox.conftest import Hzlink


def test_nothing_there_yet(hzlink: Hzlink) -> None:
    ran = hzlink("status", "--client-ctx", "client", "--cluster-ctx", "cluster", "-n", hzlink.namespace, "-o", "json")

    assert ran.code == 1
    assert ran.document["firstBrokenHop"]["hop"] == "Site"
    named = f"hzlink up --client-ctx client --cluster-ctx cluster --namespace {hzlink.namespace}"
    assert ran.document["firstBrokenHop"]["next"] == named


def test_no_flags_after_up_and_every_format(hzlink: Hzlink) -> None:
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


def test_a_member_that_is_down_is_named(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    hold = json.dumps({"metadata": {"annotations": {"sandbox.hzlink.dev/hold": "CrashLoopBackOff"}}})
    hzlink.kubectl("cluster", "patch", "pod", "hazelcast-1", "--type=merge", f"--patch={hold}")
    hzlink.kubectl("cluster", "wait", "--for=condition=Ready=false", "pod/hazelcast-1", "--timeout=20s")

    ran = hzlink("status", "-o", "json")

    assert ran.code == 1
    assert ran.document["firstBrokenHop"]["hop"] == "members"
    assert "hazelcast-1" in ran.document["firstBrokenHop"]["message"]
    assert [member["name"] for member in ran.document["members"] if not member["ready"]] == ["hazelcast-1"]


def test_a_namespace_that_is_not_there(hzlink: Hzlink) -> None:
    ran = hzlink("status", "--client-ctx", "client", "--cluster-ctx", "cluster", "-n", "nowhere", "-o", "json")

    assert ran.code == 3
    assert {site["state"] for site in ran.document["sites"]} == {"namespace missing"}


def test_an_api_server_that_does_not_answer(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    with hzlink.sandbox.frozen("client"):
        ran = hzlink("status", "--timeout", "4", "-o", "json")

    assert ran.code == 3
    states = {site["name"]: site["state"] for site in ran.document["sites"]}
    assert states == {"cluster": "read", "client": "unreachable"}
    # Far from the wait of an interactive kubectl, whatever else the machine does.
    assert ran.seconds < 60
