"""Management Center, replaced by a real client, with real members: it is restarted only if needed."""

from __future__ import annotations

import re

from hzlink.observe import mancenter
from tests.sandbox.conftest import Hzlink
from tests.sandboxed import until


def _relink(hzlink: Hzlink) -> None:
    """Deletes the link until the members' names are gone, and links again: then the names are newer than the pod."""
    hzlink.kubectl("client", "delete", "links.skupper.io", "--all")
    until(lambda: "Service/hazelcast-0" not in hzlink.objects("client", "services"))
    hzlink("link").ok()


def _pod(hzlink: Hzlink) -> str:
    return hzlink.kubectl("client", "get", "pods", "-l", "app=hazelcast-mancenter", "-o", "name").strip()


def test_mancenter_with_all_members_is_not_restarted(real_hzlink: Hzlink) -> None:
    hzlink = real_hzlink
    ran = hzlink.up().ok()
    pod = _pod(hzlink)

    assert "restarted" not in ran.err
    assert _connected_members(hzlink) == {"hazelcast-0", "hazelcast-1", "hazelcast-2"}
    assert "sees 3/3" in ran.out
    sees = hzlink("status", "-o", "json").ok().document["sites"][1]["managementCenter"]["sees"]
    assert [member["name"] for member in sees["members"]] == ["hazelcast-0", "hazelcast-1", "hazelcast-2"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", member["since"]) for member in sees["members"])
    assert sees["missing"] == []

    _relink(hzlink)
    # It reconnects by itself, because it was connected before.
    until(lambda: len(_connected_members(hzlink)) == 3)
    assert "restarted" not in hzlink.up().ok().err
    assert _pod(hzlink) == pod


def _connected_members(hzlink: Hzlink) -> set[str]:
    """The members that Management Center is connected to, according to their logs."""
    log = hzlink.kubectl("cluster", "logs", "-l", "app=hazelcast", "--prefix", "--tail=-1")
    return max(map(set, mancenter.connected(log).values()), key=len, default=set())


def test_mancenter_older_than_the_names_is_restarted_once(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    pod = _pod(hzlink)
    _relink(hzlink)

    # Without processes there are no members' logs, so the start times decide.
    ran = hzlink.up().ok()

    assert "restarted: it started before the members' names existed" in ran.err
    assert _pod(hzlink) != pod
    assert "nothing written" in hzlink.up().ok().err
