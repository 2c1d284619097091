"""The Lease: how it is written, read and judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.apply import lease
from hzlink.apply.lease import DURATION_SECONDS, Holder, Process, Verdict
from hzlink.model import objects

NOW = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)
ANN = Holder("ann@laptop pid 4711", "run-1", Process("boot-1", "pid:[1]", 4711, 99))
BEN = Holder("ben@ci pid 7", "run-2")

names = st.text(min_size=1)
processes = st.builds(Process, st.text(), st.text(), st.integers(1, 2**31 - 1), st.integers(0, 2**63))
holders = st.builds(Holder, names, names, st.none() | processes)
moments = st.datetimes(timezones=st.just(UTC))


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def served(item: dict[str, Any], version: str = "1") -> dict[str, Any]:
    return {**item, "metadata": {**item["metadata"], "uid": "u", "resourceVersion": version}}


def test_lease_carries_hzlink_labels_and_the_topologys_name() -> None:
    made = lease.make("hazelcast", ANN, NOW)
    assert objects.ref(made) == lease.ref()
    assert str(lease.ref()) == "leases.coordination.k8s.io/hzlink"
    assert objects.is_ours(made, "hazelcast")
    assert not objects.is_ours(made, "other")
    assert made["spec"] == {
        "holderIdentity": "ann@laptop pid 4711",
        "acquireTime": "2026-05-04T12:00:00.123456Z",
        "renewTime": "2026-05-04T12:00:00.123456Z",
        "leaseDurationSeconds": int(DURATION_SECONDS),
        "leaseTransitions": 0,
    }
    assert "resourceVersion" not in made["metadata"]


@given(holders, moments)
def test_holder_is_read_as_written(holder: Holder, now: datetime) -> None:
    assert lease.holder(lease.make("hazelcast", holder, now)) == holder


def test_takeover_replaces_the_version_that_was_read() -> None:
    before = served(lease.make("hazelcast", ANN, NOW), "17")
    made = lease.make("hazelcast", BEN, after(5), before)
    assert made["metadata"]["resourceVersion"] == "17"
    assert made["spec"]["leaseTransitions"] == 1
    assert lease.holder(made) == BEN
    assert lease.is_mine(made, BEN)
    assert not lease.is_mine(made, ANN)


def test_renewal_changes_only_the_renew_time() -> None:
    mine = served(lease.make("hazelcast", ANN, NOW), "17")
    renewed = lease.renewed(mine, after(10))
    assert renewed["spec"] == {**mine["spec"], "renewTime": "2026-05-04T12:00:10.123456Z"}
    assert renewed["metadata"] == mine["metadata"]


@pytest.mark.parametrize(
    ("seconds", "runs", "verdict"),
    [
        (0, None, Verdict.HELD),
        (DURATION_SECONDS, None, Verdict.HELD),
        (-DURATION_SECONDS, None, Verdict.HELD),
        (DURATION_SECONDS + 1, None, Verdict.EXPIRED),
        (-DURATION_SECONDS - 1, None, Verdict.EXPIRED),
        (0, True, Verdict.HELD),
        (DURATION_SECONDS + 1, True, Verdict.EXPIRED),
        (0, False, Verdict.DEAD),
        (DURATION_SECONDS + 1, False, Verdict.DEAD),
    ],
)
def test_verdict_depends_on_time_since_renewal_and_on_the_process(
    seconds: float, runs: bool | None, verdict: Verdict
) -> None:
    assert lease.judge(lease.make("hazelcast", ANN, NOW), after(seconds), runs) is verdict


@given(moments, moments, st.sampled_from([None, True]))
def test_lease_is_never_dead_by_its_age_alone(then: datetime, now: datetime, runs: bool | None) -> None:
    assert lease.judge(lease.make("hazelcast", ANN, then), now, runs) is not Verdict.DEAD


@pytest.mark.parametrize("renewed", [None, "", "soon", 7, "2026-99-99T00:00:00Z"])
def test_invalid_renew_time_counts_as_silent(renewed: Any) -> None:
    made = lease.make("hazelcast", ANN, NOW)
    made["spec"]["renewTime"] = renewed
    assert lease.judge(made, NOW, None) is Verdict.EXPIRED


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"metadata": None, "spec": None},
        {"metadata": {"annotations": {"hzlink.io/pid": "x", "hzlink.io/boot-id": "b"}}},
        {"metadata": {"annotations": None}, "spec": {"holderIdentity": None}},
    ],
)
def test_lease_without_hzlink_fields_has_an_unknown_holder(found: dict[str, Any]) -> None:
    assert lease.holder(found) == Holder("somebody", "", None)
    assert lease.describe(found, NOW) == "somebody"
    assert not lease.is_mine(found, ANN)


@given(st.integers().filter(lambda pid: not 0 < pid < 2**31))
def test_invalid_pid_is_ignored(pid: int) -> None:
    marks = {"boot-id": "b", "pid-namespace": "n", "pid": str(pid), "started": "1"}
    found = {"metadata": {"annotations": {f"hzlink.io/{key}": value for key, value in marks.items()}}}
    assert lease.holder(found).process is None


def test_lease_counts_as_changed_after_any_write() -> None:
    one = served(lease.make("hazelcast", ANN, NOW), "1")
    assert not lease.changed(one, served(lease.make("hazelcast", ANN, NOW), "1"))
    assert lease.changed(one, served(one, "2"))
    assert lease.changed(one, {**one, "metadata": {**one["metadata"], "uid": "another"}})


def test_description_names_holder_and_times() -> None:
    made = lease.make("hazelcast", ANN, NOW)
    assert lease.describe(made, after(12)) == "ann@laptop pid 4711, since 2026-05-04 12:00:00 UTC, 12 s ago"
    assert lease.describe(made, after(-12)) == "ann@laptop pid 4711, since 2026-05-04 12:00:00 UTC"
