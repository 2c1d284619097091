"""Hypothesis settings: the same examples in every run, and few of them. So a failed test is caused by a change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.unit.config_folder import ConfigFolder

settings.register_profile(
    "hzlink",
    max_examples=60,
    deadline=None,
    derandomize=True,
    # The autouse fixture that hides the user's environment does not change between examples.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.register_profile("quick", settings.get_profile("hzlink"), max_examples=15)
settings.load_profile("quick" if "HZLINK_QUICK_TESTS" in os.environ else "hzlink")


@pytest.fixture
def config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ConfigFolder:
    """A folder to resolve configurations in."""
    monkeypatch.chdir(tmp_path)
    return ConfigFolder(tmp_path)
