"""hzlink is killed at every call of kubectl and skupper; the next run reaches the state of a run without a kill."""

from __future__ import annotations

import pytest

from tests.kill.campaign import Series
from tests.kill.conftest import ALL

# The calls of the shortest command; fewer boundaries would mean that the shims were not used.
LEAST = 5


@pytest.mark.parametrize("number", range(len(ALL)), ids=[one.name for one in ALL])
def test_next_run_reaches_the_wanted_state(campaign: list[Series], number: int) -> None:
    series = campaign[number]
    print("\n".join(series.killed))
    assert series.problems == []
    assert series.left == 0
    assert len(series.killed) >= LEAST / series.step, "the runs were not killed"
