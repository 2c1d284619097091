"""A saved verdict: its record, its text, and its precedence over conditions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.model import durations
from hzlink.model.choices import Mode
from hzlink.report import report
from hzlink.verify import proof, saved_verdict
from hzlink.verify.proof import Answer, Call, Member
from hzlink.verify.saved_verdict import Record
from tests.unit.builders import CORE, EDGE, WEST, World, converged, link, offer, pod, topology

NAMES = tuple(f"hazelcast-{number}" for number in range(3))

RECORDS = st.builds(
    Record,
    st.floats(0, 4e9),
    st.dictionaries(st.text(max_size=9), st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=3),
    st.booleans(),
    st.lists(st.text(max_size=9), max_size=3).map(tuple),
)


@given(RECORDS)
def test_record_is_read_as_written(record: Record) -> None:
    assert saved_verdict.from_dict(saved_verdict.to_dict(record)) == record


@pytest.mark.parametrize(
    "found",
    [
        None,
        [],
        {},
        {"at": "x", "proven": True, "sites": {}, "failed": []},
        {"at": float("nan"), "proven": True, "sites": {}, "failed": []},
        {"at": 1, "proven": True, "sites": {"edge": 3}, "failed": []},
        {"at": 1, "proven": True, "sites": [], "failed": []},
        {"at": 1, "proven": True, "sites": {}, "failed": 3},
    ],
)
def test_invalid_record_is_ignored(found: object) -> None:
    assert saved_verdict.from_dict(found) is None


def test_line_of_a_verdict() -> None:
    good = Record(1000.0, {"edge": (3, 3)}, True)
    bad = Record(1000.0, {"edge": (2, 3), "west": (3, 3)}, False, ("edge/hazelcast-1",))
    assert saved_verdict.at_time(None, 1000.0) is None
    for record, line in (
        (good, "verified 2 min ago: 3 of 3 members answered"),
        (replace(good, sites={"edge": (1, 1)}), "verified 2 min ago: 1 of 1 member answered"),
        (
            bad,
            "verification failed 2 min ago: edge: 2 of 3 members answered; west: 3 of 3 members answered"
            " (not edge/hazelcast-1)",
        ),
    ):
        found = saved_verdict.at_time(record, 1125.0)
        assert found is not None
        assert found.line == line


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (86399, "23 h ago"),
        (172800, "2 d ago"),
        (-5, "in the future, by this machine's clock"),
    ],
)
def test_age_in_words(seconds: float, words: str) -> None:
    assert durations.ago(seconds) == words


def waiting() -> World:
    """Unisocket, with a Listener and a Connector that are both unmatched."""
    world = converged(topology(mode=Mode.UNISOCKET))
    world.put(CORE, offer("Connector", False, by_name=False))
    world.put(EDGE, offer("Listener", False, by_name=False))
    return world


def report_with_verdict(world: World, age: float, *, proven: bool = True) -> report.Report:
    current = saved_verdict.at_time(Record(1000.0, {"edge": (3, 3)}, proven), 1000.0 + age)
    return saved_verdict.prefer_over_conditions(report.make(world.topology, world.snapshots()), current)


def test_recent_proof_outranks_a_waiting_condition() -> None:
    world = waiting()
    assert not report.make(world.topology, world.snapshots()).healthy
    found = report_with_verdict(world, 60.0)
    assert found.healthy
    assert "edge: Skupper still says of the Listener: No matching listeners" in found.warnings[0]


@pytest.mark.parametrize(("age", "proven"), [(saved_verdict.FRESH_SECONDS + 1, True), (-1.0, True), (60.0, False)])
def test_old_future_or_failed_verdict_outranks_nothing(age: float, proven: bool) -> None:
    assert not report_with_verdict(waiting(), age, proven=proven).healthy


def test_recent_proof_does_not_outrank_a_broken_hop() -> None:
    broken = converged(topology())
    broken.put(EDGE, link("hazelcast-core", "Error", "no such host"))
    down = converged(topology())
    down.put(CORE, pod("hazelcast-1", ready=False))
    cut = waiting()
    cut.put(EDGE, link("hazelcast-core", "Pending", "Not Operational"))
    for world in (broken, down, cut):
        assert not report_with_verdict(world, 1.0).healthy


def test_healthy_report_is_not_changed() -> None:
    world = converged(topology())
    assert report_with_verdict(world, 1.0) == report.make(world.topology, world.snapshots())


def test_record_of_two_sites() -> None:
    members = tuple(Member(f"uuid-{number}", f"{name}:5701") for number, name in enumerate(NAMES))
    calls = [Call(name, answer=Answer(member, members)) for name, member in zip(NAMES, members, strict=True)]
    good, bad = proof.judge(EDGE, NAMES, calls), proof.judge(WEST, NAMES[:1], [Call(NAMES[0])])
    record = saved_verdict.record([good, bad], 5.0)
    assert record == Record(5.0, {"edge": (3, 3), "west": (0, 1)}, False, ("west/hazelcast-0",))
