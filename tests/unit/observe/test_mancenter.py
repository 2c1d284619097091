"""The members that Management Center is connected to, read from the members' logs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.observe import mancenter

ONE, TWO = "0a1b2c3d-0000-4000-8000-000000000001", "0a1b2c3d-0000-4000-8000-000000000002"
# The number that a member gives a connection: one of its own for each.
_ID = {ONE: 4, TWO: 5}


def came(pod: str, client: str = ONE, name: str = "MC-Client-dev", connection: int | None = None) -> str:
    number = _ID[client] if connection is None else connection
    return (
        f"[pod/{pod}/hazelcast] 2026-01-01 10:00:00,000 [ INFO] [hz.x.priority-generic-operation.thread-0] "
        f"[c.h.c.i.p.t.AuthenticationMessageTask]: [10.0.0.1]:5701 [dev] [5.5.0] Received auth from "
        f"Connection[id={number}, /10.0.0.1:5701->/10.0.0.9:41000, qualifier=null, endpoint=null, "
        "remoteUuid=null, alive=true, connectionType=MCC, planeIndex=-1], successfully authenticated, clientUuid: "
        f"{client}, client name: {name}, client version: 5.5.2"
    )


def left(pod: str, client: str = ONE, connection: int | None = None) -> str:
    number = _ID[client] if connection is None else connection
    return (
        f"[pod/{pod}/hazelcast] 2026-01-01 10:01:00,000 [ INFO] [hz.x.event-1] [c.h.c.i.ClientEndpointManager]: "
        f"Destroying ClientEndpoint{{connection=Connection[id={number}, /10.0.0.1:5701->/10.0.0.9:41000, "
        f"alive=false], clientUuid={client}, clientName=MC-Client-dev, "
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
        # A second connection that is closed again, and a first one that is.
        (
            [came("hazelcast-0"), came("hazelcast-0", connection=6), left("hazelcast-0", connection=6)],
            {ONE: {"hazelcast-0"}},
        ),
        ([came("hazelcast-0"), came("hazelcast-0", connection=6), left("hazelcast-0")], {ONE: {"hazelcast-0"}}),
        # Each member has numbers of its own, and 4 is not 45.
        (
            [came("hazelcast-0"), came("hazelcast-1"), left("hazelcast-0", connection=45)],
            {ONE: {"hazelcast-0", "hazelcast-1"}},
        ),
        ([came("hazelcast-0"), left("hazelcast-0"), came("hazelcast-0")], {ONE: {"hazelcast-0"}}),
        # Disconnected before it connected: the pods' logs follow each other, each in its own order.
        ([left("hazelcast-0"), came("hazelcast-0")], {ONE: {"hazelcast-0"}}),
        # Other clients, and lines without a pod.
        ([came("hazelcast-0", name="my-app")], {}),
        ([came("hazelcast-0").partition("] ")[2], "", "[pod/x/hazelcast] Members {size:3}"], {}),
    ],
)
def test_connected_clients_by_uuid(lines: list[str], expected: dict[str, set[str]]) -> None:
    found = mancenter.connected("\n".join(lines))
    assert {client: set(pods) for client, pods in found.items()} == expected


@given(st.text())
def test_any_log_is_read_without_an_error(log: str) -> None:
    assert mancenter.connected(log) == {}


def at(time: str, line: str) -> str:
    """The line as `kubectl logs --prefix --timestamps` prints it."""
    pod, _, text = line.partition("] ")
    return f"{pod}] 2026-01-01T{time}.123456789Z {text}"


def started(pod: str) -> str:
    return f"[pod/{pod}/hazelcast] [LifecycleService]: [10.0.0.1]:5702 [dev] [5.5.0] [10.0.0.1]:5702 is STARTED"


NAMES = ("hazelcast-0", "hazelcast-1", "hazelcast-2")
ALL_STARTED = [started(name) for name in NAMES]


def test_view_has_the_connection_times() -> None:
    lines = [
        at("10:00:00", came("hazelcast-0")),
        at("10:00:05", came("hazelcast-1")),
        came("hazelcast-2"),
    ]
    seen = mancenter.view("\n".join(lines), NAMES, 1)
    assert seen is not None
    assert seen.members == {
        "hazelcast-0": "2026-01-01T10:00:00Z",
        "hazelcast-1": "2026-01-01T10:00:05Z",
        "hazelcast-2": "",
    }
    assert (seen.count, seen.since, seen.sees_no_member) == ("3/3", "2026-01-01T10:00:05Z", False)


@pytest.mark.parametrize(
    ("lines", "centers", "sees", "missing"),
    [
        # It sees all members, some, or none; the logs are complete.
        ([*ALL_STARTED, *map(came, NAMES)], 1, NAMES, ()),
        ([*ALL_STARTED, came("hazelcast-0")], 1, NAMES[:1], NAMES[1:]),
        (ALL_STARTED, 1, (), NAMES),
        ([*ALL_STARTED, came("hazelcast-0"), left("hazelcast-0")], 1, (), NAMES),
        # An incomplete log does not show that a member is missing.
        ([came("hazelcast-0")], 1, NAMES[:1], ()),
        ([started("hazelcast-1"), came("hazelcast-0")], 1, NAMES[:1], ("hazelcast-1",)),
        # A restarted Management Center; a pod that is not one of the members.
        ([*ALL_STARTED, came("hazelcast-0", TWO), *map(came, NAMES)], 1, NAMES, ()),
        ([*ALL_STARTED, *map(came, NAMES), came("hazelcast-9"), started("hazelcast-9")], 1, NAMES, ()),
        # Two client sites.
        ([*ALL_STARTED, *map(came, NAMES), *(came(name, TWO) for name in NAMES)], 2, NAMES, ()),
        (ALL_STARTED, 2, (), NAMES),
    ],
)
def test_view_of_members_and_missing_members(
    lines: list[str], centers: int, sees: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    seen = mancenter.view("\n".join(lines), NAMES, centers)
    assert seen is not None
    assert (tuple(seen.members), seen.missing) == (sees, missing)
    assert mancenter.condition(seen).ok is not bool(missing)
    assert all(name in mancenter.condition(seen).text for name in missing if sees)


@pytest.mark.parametrize(
    ("lines", "centers"),
    [
        ([], 1),
        (["[pod/hazelcast-0/hazelcast] Members {size:3}"], 1),
        # Only one of two client sites sees the members, or they see different ones: the logs do not show which.
        ([*ALL_STARTED, *map(came, NAMES)], 2),
        ([*ALL_STARTED, came("hazelcast-0"), came("hazelcast-1", TWO)], 2),
    ],
)
def test_view_is_unknown(lines: list[str], centers: int) -> None:
    assert mancenter.view("\n".join(lines), NAMES, centers) is None
    assert mancenter.condition(None).ok


def test_view_without_logs_is_unknown() -> None:
    assert mancenter.view(None, NAMES, 1) is None


def closed_by_client(pod: str, connection: int) -> str:
    return (
        f"[pod/{pod}/hazelcast] [TcpServerConnection]: [10.0.0.1]:5702 [dev] [5.5.0] Connection[id={connection}, "
        f"/10.0.0.1:5701->/10.0.0.9:41000, remoteUuid={ONE}, alive=false] closed. Reason: Connection closed by the "
        "other side"
    )


def reconnects(pod: str, connection: int) -> list[str]:
    """A second connection that is closed at once, as a Java client makes them after a rolling restart."""
    opened, closed = came(pod, connection=connection), left(pod, connection=connection)
    return [opened, closed_by_client(pod, connection), closed]


def test_a_client_that_opens_second_connections_stays_connected() -> None:
    lines = []
    for name in NAMES:
        lines += [started(name), at("16:50:34", came(name, connection=1))]
        lines += [at("16:51:17", line) for number in (2, 45, 46) for line in reconnects(name, number)]
    seen = mancenter.view("\n".join(lines), NAMES, 1)
    assert seen is not None
    assert seen.missing == ()
    assert seen.members == dict.fromkeys(NAMES, "2026-01-01T16:50:34Z")
    assert mancenter.condition(seen).ok


@given(st.data())
def test_connected_is_who_has_an_open_connection(data: st.DataObject) -> None:
    """Any interleaving of connections of several clients to several members, each opened and perhaps closed."""
    connections = data.draw(
        st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from((ONE, TWO)), st.booleans()), max_size=8)
    )
    numbered = list(enumerate(connections, start=1))
    pairs = [
        [came(pod, client, connection=number), *([left(pod, client, number)] if closed else [])]
        for number, (pod, client, closed) in numbered
    ]
    lines = []
    while any(pairs):
        lines.append(data.draw(st.sampled_from([pair for pair in pairs if pair])).pop(0))
    expected: dict[str, set[str]] = {}
    for _, (pod, client, closed) in numbered:
        if not closed:
            expected.setdefault(client, set()).add(pod)
    found = mancenter.connected("\n".join(lines))
    assert {client: set(pods) for client, pods in found.items()} == expected
