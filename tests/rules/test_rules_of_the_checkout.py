"""Content that no file of the checkout may have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.rules.sources import ROOT, tracked

# Written in pieces, because this file is searched, too.
MACHINE = re.compile("|".join(["/" + "work/", "/" + "root/"]))
REGISTRIES = re.compile(
    "|".join(
        [
            *(r"files\.python" + "hosted", r"(?<![\w-])py" + r"pi\.org/simple", r"proxy\.go" + r"lang\.org"),
            *(r"sum\.go" + r"lang\.org", r"repo1?\.mav" + "en", r"registry\.n" + "pm"),
            *("GO" + r"PROXY=\S*http", r"--(extra-)?index" + r"-url[= ]\S*http"),
        ]
    )
)
SECRETS = re.compile("-----BEGIN [A-Z ]*PRIVATE" + r" KEY-----\s+[A-Za-z0-9+/=]{40}")


def found(pattern: re.Pattern[str]) -> list[str]:
    lines = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for match in pattern.finditer(text):
            lines.append(f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}")
    return lines


@pytest.mark.parametrize(
    "pattern", [MACHINE, REGISTRIES, SECRETS], ids=["paths of one machine", "registries' hosts", "private keys"]
)
def test_no_file_contains_the_pattern(pattern: re.Pattern[str]) -> None:
    assert found(pattern) == []


def test_patterns_match_examples() -> None:
    assert MACHINE.search("see /" + "work/x")
    assert REGISTRIES.search("https://proxy.go" + "lang.org/x")
    assert REGISTRIES.search("pip install --index" + "-url https://x")


def test_no_binary_file_is_committed() -> None:
    """Every file except pictures is text."""
    binary = [path for path in tracked() if path.suffix not in (".png", ".svg") and b"\0" in path.read_bytes()[:8192]]
    assert binary == []


def test_generated_folders_are_not_tracked() -> None:
    made = {".venv", ".sandbox", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "dist"}
    assert [path for path in tracked() if made & set(Path(path).relative_to(ROOT).parts)] == []
