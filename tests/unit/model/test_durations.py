"""Durations as kubectl takes them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.model import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("90", 90.0), ("90s", 90.0), ("3m", 180.0), ("1h30m", 5400.0), ("500ms", 0.5), ("1.5", 1.5)),
        *(("1m0s", 60.0), ("0", 0.0), ("1.5h", 5400.0), (".5s", 0.5), ("5e2", 500.0), (" 10s ", 10.0)),
    ],
)
def test_valid_durations_are_parsed(text: str, seconds: float) -> None:
    assert durations.parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    ["", "s", "3 m", "3min", "1d", "-5", "-5s", "+3", "1e999", "1es", "nan", "inf", "3m5", "m3", "٣", "5_0", "9" * 41],
)
def test_invalid_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        durations.parse(text)


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_hours_minutes_and_seconds_are_added(hours: int, minutes: int, seconds: int) -> None:
    assert durations.parse(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


@given(st.text(max_size=50))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert durations.parse(text) >= 0


@given(st.floats(0, 1e6))
def test_plain_seconds_are_parsed(seconds: float) -> None:
    assert durations.parse(repr(seconds)) == seconds
