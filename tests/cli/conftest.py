"""Fixtures for the command line's output."""

from __future__ import annotations

import pytest

from tests.cli.talking import Screen


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Screen:
    """Shows results as the command line does."""
    return Screen(monkeypatch, capsys)
