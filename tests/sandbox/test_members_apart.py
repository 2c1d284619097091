"""Real members that do not find each other: ready, and yet no cluster."""

from __future__ import annotations

from hzlink.observe import membership
from tests.sandbox.conftest import Hzlink
from tests.sandboxed import until

NAMES = ("hazelcast-0", "hazelcast-1", "hazelcast-2")


def _clusters(hzlink: Hzlink) -> list[tuple[str, ...]]:
    log = hzlink.kubectl("cluster", "logs", "-l", "app=hazelcast", "--prefix", "--tail=-1", "--ignore-errors")
    return membership.clusters(log, NAMES)


def test_each_member_is_a_cluster_of_its_own(real_hzlink: Hzlink) -> None:
    hzlink = real_hzlink
    hzlink.up().ok()
    assert _clusters(hzlink) == [NAMES]

    # Discovery by DNS finds nobody: as with a Service that was changed, or DNS that a policy blocks.
    hzlink.kubectl("cluster", "patch", "service", "hazelcast", "-p", '{"spec":{"selector":{"app":"nobody"}}}')
    hzlink.kubectl("cluster", "delete", "pods", "-l", "app=hazelcast", "--grace-period=1")
    until(lambda: _clusters(hzlink) == [(name,) for name in NAMES], 120, step=1)
    hzlink.kubectl("cluster", "rollout", "status", "statefulset/hazelcast", "--timeout=60s")

    shown = hzlink("status", "-o", "json")
    assert shown.code == 1
    broken = shown.document["firstBrokenHop"]
    assert broken["hop"] == "members"
    assert "the members formed 3 clusters instead of one" in broken["message"]
