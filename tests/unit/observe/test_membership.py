"""Which clusters members have formed, by their own logs."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.observe import membership

NAMES = ("hazelcast-0", "hazelcast-1", "hazelcast-2")


def uuid(number: int) -> str:
    return str(UUID(int=number))


def line(pod: int, text: str) -> str:
    """As `kubectl logs --prefix --timestamps` prints it."""
    return f"[pod/hazelcast-{pod}/hazelcast] 2026-01-01T10:00:00.1Z {text}"


def members(pod: int, *others: int, name: str = "dev", own: int | None = None) -> list[str]:
    """A member list: that of the pod itself and of others, by their numbers; `own` is the number of its UUID."""
    own = pod if own is None else own
    listed = sorted({own, *others})
    texts = [
        f"INFO: [10.0.0.{pod}]:5702 [{name}] [5.5.0] ",
        "",
        f"Members {{size:{len(listed)}, ver:{len(listed)}}} [",
        *(f"\tMember [10.0.0.{one}]:5702 - {uuid(one)}{' this' if one == own else ''}" for one in listed),
        "]",
    ]
    return [line(pod, text) for text in texts]


def log(*parts: list[str]) -> str:
    return "\n".join(one for part in parts for one in part)


ONE_CLUSTER = log(members(0), members(0, 1, 2), members(1, 0, 2), members(2, 0, 1))
EACH_ALONE = log(members(0), members(1), members(2))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ONE_CLUSTER, [NAMES]),
        (EACH_ALONE, [("hazelcast-0",), ("hazelcast-1",), ("hazelcast-2",)]),
        (log(members(0, 1), members(1, 0), members(2)), [("hazelcast-0", "hazelcast-1"), ("hazelcast-2",)]),
        # One that has just come is seen by one of the others only, or sees only one of them.
        (log(members(0, 1), members(1, 0), members(2, 0, 1)), [NAMES]),
        (log(members(0, 1, 2), members(1, 0), members(2, 0, 1)), [NAMES]),
        # What is said last counts: first alone, then together, and the other way round.
        (log(EACH_ALONE.splitlines(), ONE_CLUSTER.splitlines()), [NAMES]),
        # A log that is cut off, or has no list, does not tell.
        (log(members(0)[:-3], members(1, 2), members(2, 1)), [("hazelcast-1", "hazelcast-2")]),
        (log(members(0, 1)[4:], members(1)), [("hazelcast-1",)]),
        ("", []),
    ],
)
def test_clusters(text: str, expected: list[tuple[str, ...]]) -> None:
    assert membership.clusters(text, NAMES) == expected
    assert bool(membership.problem(text, NAMES)) is (len(expected) > 1)


def test_a_restarted_member_is_known_to_those_that_it_joined() -> None:
    """Its old UUID is in nobody's list any more."""
    text = log(members(0, 1), members(1, 0), members(0, 1, 7), members(1, 0, 7), members(2, 0, 1, own=7))
    assert membership.clusters(text, NAMES) == [NAMES]


def test_only_the_pods_that_count() -> None:
    assert membership.clusters(EACH_ALONE, NAMES[:1]) == [NAMES[:1]]
    assert membership.problem(EACH_ALONE, NAMES[:1]) == ""
    assert membership.problem(None, NAMES) == ""


def test_each_a_cluster_of_its_own_is_told_by_name_and_size() -> None:
    assert membership.problem(EACH_ALONE, NAMES) == (
        "the members formed 3 clusters instead of one (from their logs): hazelcast-0 (Members {size:1}); "
        "hazelcast-1 (Members {size:1}); hazelcast-2 (Members {size:1})"
    )


def test_another_cluster_name_is_told() -> None:
    text = log(members(0, 1), members(1, 0), members(2, name="prod"))
    assert membership.problem(text, NAMES) == (
        "members have different cluster names and do not form one cluster: "
        "hazelcast-0, hazelcast-1 (dev); hazelcast-2 (prod)"
    )


REASON = (
    "Joining node's version 5.6.0 is not compatible with cluster version 5.5 "
    "(Rolling Member Upgrades are only supported in Hazelcast Enterprise)"
)


def test_why_a_member_was_refused() -> None:
    text = log(
        [line(2, f"SEVERE: [10.0.0.2]:5702 [dev] [5.6.0] Reason of failure for node join: {REASON}")],
        [line(1, "INFO: [10.0.0.1]:5702 [dev] [5.5.0] something else")],
    )
    assert membership.refusals(text) == {"hazelcast-2": REASON}


@given(st.text())
def test_any_log_can_be_read(text: str) -> None:
    assert membership.clusters(text, NAMES) == []
    assert membership.refusals(f"[pod/hazelcast-0/x] {text}".replace("Reason", "")) == {}


@given(st.lists(st.integers(0, 2), min_size=3, max_size=3), st.randoms(use_true_random=False))
def test_the_order_of_the_pods_lines_does_not_matter(sides: list[int], random: object) -> None:
    """Any division of three members: `sides` is the cluster that each is in. Lines of several pods may alternate."""
    texts = [members(pod, *(one for one in range(3) if sides[one] == sides[pod])) for pod in range(3)]
    mixed = []
    while any(texts):
        mixed.append(random.choice([one for one in texts if one]).pop(0))  # type: ignore[attr-defined]
    expected = {tuple(f"hazelcast-{pod}" for pod in range(3) if sides[pod] == side) for side in set(sides)}
    assert set(membership.clusters("\n".join(mixed), NAMES)) == expected
