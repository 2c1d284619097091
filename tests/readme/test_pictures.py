"""The README's pictures and recording match the script that creates them."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import casting
import pictures

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _events(file: Path) -> tuple[dict[str, Any], list[list[Any]]]:
    header, *lines = file.read_text(encoding="utf-8").splitlines()
    return json.loads(header), [json.loads(line) for line in lines]


def _cast_output(file: Path) -> str:
    """The output of a recording; asserts its format and that no pause is too long."""
    header, events = _events(file)
    assert (header["version"], header["width"], header["height"]) == (2, casting.WIDTH, casting.HEIGHT)
    times = [0.0, *(event[0] for event in events)]
    assert all(0 <= after - before <= casting.READ + 0.01 for before, after in itertools.pairwise(times))
    assert {event[1] for event in events} == {"o"}
    return "".join(event[2] for event in events)


def test_recording_shows_the_session() -> None:
    written = _cast_output(DOCS / "demo.cast")
    for command in pictures.SESSION:
        assert f"$ {command}" in written
    assert "healthy" in written


SHOWN = {"up.svg": pictures.UP, **pictures.COMMANDS, **pictures.WHEN_BROKEN}


@pytest.mark.parametrize("name", SHOWN)
def test_picture_shows_its_command(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    words = "".join(ElementTree.fromstring(text).itertext()).replace("\xa0", " ")  # noqa: S314 - made here
    assert f"$ {SHOWN[name]}" in words
    assert "http://" not in text.replace("http://www.w3.org", "").replace("http://localhost", "")


def test_program_is_recorded(tmp_path: Path) -> None:
    code = "import time; print('one', flush=True); time.sleep(1.5); print('t\\u00fcr')"
    file = tmp_path / "x.cast"
    casting.record(file, [f'{sys.executable} -c "{code}"'], dict(os.environ), "x")
    written = _cast_output(file)
    assert "one\r\n" in written
    assert "t\u00fcr\r\n" in written
    _, events = _events(file)
    [before, after] = [event[0] for event in events if event[2].startswith(("one", "t\u00fcr"))]
    assert after - before == casting.LONGEST


def test_failed_program_is_not_recorded(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        casting.record(tmp_path / "x.cast", ["false"], dict(os.environ), "x")
    assert not (tmp_path / "x.cast").exists()
