"""Another minor version of the members: all are stopped, and only where that was allowed."""

from __future__ import annotations

from tests.sandbox.conftest import Hzlink

NEXT = "hazelcast/hazelcast:5.6.0"


def _images(hzlink: Hzlink) -> set[str]:
    pods = hzlink.objects("cluster", "pods").values()
    members = [pod for pod in pods if pod["metadata"].get("labels", {}).get("app") == "hazelcast"]
    return {container["image"] for pod in members for container in pod["spec"]["containers"]}


def test_another_minor_version_stops_all_members(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    before = hzlink.writes()

    refused = hzlink.up("--image", NEXT)
    assert refused.code == 2
    assert "data that is only in memory is lost" in refused.err
    assert "--allow-restart" in refused.err
    planned = hzlink.up("--image", NEXT, "--dry-run").ok()
    assert "stop" in planned.out
    assert hzlink.writes() == before
    assert _images(hzlink) == {"hazelcast/hazelcast:5.5.0"}

    ran = hzlink.up("--image", NEXT, "--allow-restart").ok()
    assert "all 3 members stopped" in ran.err
    assert "Management Center 5.5.2 may not support members of version 5.6.0" in ran.err
    assert _images(hzlink) == {NEXT}
    assert "nothing written" in hzlink.up("--image", NEXT).ok().err


def test_a_patch_version_is_rolled_out_without_a_question(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    ran = hzlink.up("--image", "hazelcast/hazelcast:5.5.1").ok()
    assert "stopped" not in ran.err
