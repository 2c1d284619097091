"""`up --no-mancenter`: without Management Center, and with it again."""

from __future__ import annotations

from tests.sandbox.conftest import Hzlink

KINDS = "deployments,services,configmaps"
OBJECTS = {
    "Deployment/hazelcast-mancenter",
    "Service/hazelcast-mancenter",
    "ConfigMap/hazelcast-mancenter-config",
}


def _made(hzlink: Hzlink) -> set[str]:
    return OBJECTS & hzlink.objects("client", KINDS).keys()


def test_management_center_is_left_out_added_and_removed(hzlink: Hzlink) -> None:
    ran = hzlink.up("--no-mancenter").ok()
    assert _made(hzlink) == set()
    assert "left out" in ran.out
    assert "nothing written" in hzlink.up().ok().err, "the option is recorded"
    # Also on a machine without a record.
    elsewhere = {"XDG_STATE_HOME": str(hzlink.state / "other")}
    sites = ("--client-ctx", "client", "--cluster-ctx", "cluster", "-n", hzlink.namespace)
    seen = hzlink("status", *sites, "-o", "json", env=elsewhere).ok().document
    assert seen["sites"][1]["managementCenter"] is None
    assert seen["paths"][0]["hops"][0]["object"] == "Service hazelcast"
    opened = hzlink("open", "mancenter")
    assert opened.code == 1
    assert "next: hzlink up --mancenter" in opened.err

    hzlink.up("--mancenter").ok()
    assert _made(hzlink) == OBJECTS
    assert hzlink("status", "-o", "json").ok().document["sites"][1]["managementCenter"]["state"] == "ok"

    hzlink.up("--no-mancenter").ok()
    assert _made(hzlink) == set()
    assert "nothing written" in hzlink.up().ok().err
