"""Allowed imports between the sandbox's folders."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.rules.sources import ROOT

SANDBOX = ROOT / "scripts" / "sandbox"
# A folder may import only from those after it.
FOLDERS = ("daemon", "clusters", "pods", "network", "api")
SKUPPER = ("cli", "network", "controller", "faults")


def imported(path: Path) -> set[str]:
    """The sandbox's modules and packages that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sandbox"):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("sandbox.")}
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_import_only_downwards(folder: str) -> None:
    below = {*FOLDERS[FOLDERS.index(folder) :], "layout", "processes"}
    for path in (SANDBOX / folder).glob("*.py"):
        assert {name.split(".")[1] for name in imported(path)} <= below, path.name


@pytest.mark.parametrize("folder", SKUPPER)
def test_folders_of_the_stand_in_import_only_downwards(folder: str) -> None:
    below = SKUPPER[SKUPPER.index(folder) :]
    for path in (SANDBOX / "skupper" / folder).glob("*.py"):
        for name in imported(path):
            top, _, rest = name.removeprefix("sandbox.").partition(".")
            allowed = (*below, "VERSION", "durations") if top == "skupper" else ("api", "layout")
            assert (rest.split(".")[0] if top == "skupper" else top) in allowed, f"{path.name}: {name}"
