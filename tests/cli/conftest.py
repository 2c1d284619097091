"""Fixtures for the command line's output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.fake_api import FakeApi
from tests.cli.program import User
from tests.cli.screen import Screen


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Screen:
    """Shows results as the command line does, and captures both streams."""
    return Screen(monkeypatch, capsys)


@pytest.fixture
def user(tmp_path: Path) -> User:
    """A user with their own home folder, kubeconfig and PATH."""
    return User(tmp_path)


@pytest.fixture
def serve() -> Iterator[Callable[[FakeApi], FakeApi]]:
    """Starts fake API servers, which end with the test."""
    with ExitStack() as running:
        yield lambda api: running.enter_context(api.running())
