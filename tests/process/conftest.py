"""Little programs to run, in a folder that is first on the PATH."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.process.programs import Programs


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Makes programs of shell scripts. Their processes, should a test leave one, are ended."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return Programs(folder)
