"""Who Management Center is connected to, by the members' logs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink import mancenter

ONE, TWO = "0a1b2c3d-0000-4000-8000-000000000001", "0a1b2c3d-0000-4000-8000-000000000002"


def came(pod: str, client: str = ONE, name: str = "MC-Client-dev") -> str:
    return (
        f"[pod/{pod}/hazelcast] 2026-01-01 10:00:00,000 [ INFO] [hz.x.priority-generic-operation.thread-0] "
        "[c.h.c.i.p.t.AuthenticationMessageTask]: [10.0.0.1]:5701 [dev] [5.5.0] Received auth from Connection[id=4, "
        "/10.0.0.1:5701->/10.0.0.9:41000, qualifier=null, endpoint=null, remoteUuid=null, alive=true, "
        "connectionType=MCC, planeIndex=-1], successfully authenticated, clientUuid: "
        f"{client}, client name: {name}, client version: 5.5.2"
    )


def left(pod: str, client: str = ONE) -> str:
    return (
        f"[pod/{pod}/hazelcast] 2026-01-01 10:01:00,000 [ INFO] [hz.x.event-1] [c.h.c.i.ClientEndpointManager]: "
        f"Destroying ClientEndpoint{{connection=Connection[id=4], clientUuid={client}, clientName=MC-Client-dev, "
        "authenticated=true}"
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], {}),
        ([came("hazelcast-0"), came("hazelcast-1")], {ONE: {"hazelcast-0", "hazelcast-1"}}),
        ([came("hazelcast-0"), came("hazelcast-0", TWO)], {ONE: {"hazelcast-0"}, TWO: {"hazelcast-0"}}),
        ([came("hazelcast-0"), came("hazelcast-1"), left("hazelcast-0")], {ONE: {"hazelcast-1"}}),
        ([came("hazelcast-0"), left("hazelcast-0")], {}),
        ([came("hazelcast-0"), left("hazelcast-0", TWO)], {ONE: {"hazelcast-0"}}),
        ([came("hazelcast-0"), left("hazelcast-0"), came("hazelcast-0")], {ONE: {"hazelcast-0"}}),
        # Left before it came: the pods' logs stand one after the other, each in its own order.
        ([left("hazelcast-0"), came("hazelcast-0")], {ONE: {"hazelcast-0"}}),
        # Other clients, and lines of nobody.
        ([came("hazelcast-0", name="my-app")], {}),
        ([came("hazelcast-0").partition("] ")[2], "", "[pod/x/hazelcast] Members {size:3}"], {}),
    ],
)
def test_who_is_connected(lines: list[str], expected: dict[str, set[str]]) -> None:
    assert mancenter.connected("\n".join(lines)) == expected


@given(st.text())
def test_any_log_can_be_read(log: str) -> None:
    assert mancenter.connected(log) == {}
