"""Percentiles and rates of round trips."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.verify import latency

TIMES = st.lists(st.floats(min_value=0, max_value=1e3), min_size=1, max_size=300)


@pytest.mark.parametrize(
    ("times", "p50", "p99"),
    [
        ([1.0], 1.0, 1.0),
        ([2.0, 1.0], 1.0, 2.0),
        ([3.0, 1.0, 2.0], 2.0, 3.0),
        ([float(number) for number in range(1, 101)], 50.0, 99.0),
        ([float(number) for number in range(1, 201)], 100.0, 198.0),
    ],
)
def test_percentiles(times: list[float], p50: float, p99: float) -> None:
    found = latency.of(times)
    assert found is not None
    assert (found.n, found.p50, found.p99) == (len(times), p50, p99)


def test_no_times_have_no_percentiles() -> None:
    assert latency.of([]) is None
    assert latency.to_dict(None) is None


@given(TIMES)
def test_percentile_is_a_measured_time_with_the_right_rank(times: list[float]) -> None:
    found = latency.of(times)
    assert found is not None
    assert found.p50 in times
    assert found.p99 in times
    assert found.p50 <= found.p99 <= max(times)
    for percent, value in ((50, found.p50), (99, found.p99)):
        assert sum(time <= value for time in times) * 100 >= percent * len(times)
        assert sum(time < value for time in times) * 100 < percent * len(times)


@given(TIMES, st.randoms())
def test_order_of_times_does_not_matter(times: list[float], random: object) -> None:
    shuffled = list(times)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert latency.of(shuffled) == latency.of(times)


@given(TIMES)
def test_rate_per_second(times: list[float]) -> None:
    found = latency.of(times)
    assert found is not None
    assert found.per_second >= 0
    if found.total > 0:
        assert found.per_second * found.total == pytest.approx(found.n)


def test_total_of_zero_has_rate_zero() -> None:
    found = latency.of([0.0, 0.0])
    assert found is not None
    assert found.per_second == 0.0


def test_document_contains_milliseconds() -> None:
    assert latency.to_dict(latency.of([0.0012345])) == {"n": 1, "p50Ms": 1.234, "p99Ms": 1.234}


def test_ratio_to_zero_is_none() -> None:
    assert latency.ratio(3.0, 2.0) == 1.5
    assert latency.ratio(3.0, 0.0) is None
