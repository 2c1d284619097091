"""Fixtures for the stand-in's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.skupper.faults import faults
from tests.sandboxed import Namespaces, Sandbox
from tests.standin.topology import Topology


@pytest.fixture
def topology(sandbox: Sandbox, namespaces: Namespaces, tmp_path: Path) -> Iterator[Topology]:
    """An empty topology in its own namespace; the test's faults are removed after it."""
    yield Topology(sandbox, namespaces.make("none"), tmp_path)
    faults.clear(sandbox.state)
