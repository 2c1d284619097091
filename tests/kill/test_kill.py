"""hzlink is killed at every call of kubectl and skupper; the next run ends where an undisturbed one would have."""

from __future__ import annotations

import pytest

from tests.kill.campaign import Series
from tests.kill.conftest import ALL

# Calls of the shortest of these commands; fewer boundaries would mean that the shims were passed by.
LEAST = 5


@pytest.mark.parametrize("number", range(len(ALL)), ids=[one.name for one in ALL])
def test_the_next_run_puts_everything_right(campaign: list[Series], number: int) -> None:
    series = campaign[number]
    print("\n".join(series.killed))
    assert series.problems == []
    assert series.left == 0
    assert len(series.killed) >= LEAST / series.step, "the runs were not killed"
