"""The record of the last run: a convenience that no trouble with a file may turn into a failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.config import last_run

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=9), some, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


@given(st.dictionaries(st.text(max_size=9), JSON, max_size=4))
def test_what_was_saved_is_loaded(tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path_factory.mktemp("state"))}
    last_run.save({"old": 1}, environ)
    last_run.save(values, environ)
    assert last_run.load(environ) == values


def test_nothing_recorded(environ: dict[str, str]) -> None:
    assert last_run.load(environ) == {}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"x"', b"null", b"\xff\xfe", b"["])
def test_what_cannot_be_read_is_nothing(environ: dict[str, str], content: bytes) -> None:
    last_run.path(environ).parent.mkdir(parents=True)
    last_run.path(environ).write_bytes(content)
    assert last_run.load(environ) == {}


def test_a_folder_in_its_place_is_nothing(environ: dict[str, str]) -> None:
    last_run.path(environ).mkdir(parents=True)
    last_run.save({"a": 1}, environ)
    assert last_run.load(environ) == {}
    last_run.forget(environ)


def test_it_can_be_forgotten_twice(environ: dict[str, str]) -> None:
    last_run.save({"a": 1}, environ)
    last_run.forget(environ)
    last_run.forget(environ)
    assert last_run.load(environ) == {}


def test_nothing_else_is_left_in_its_folder(environ: dict[str, str]) -> None:
    last_run.save({"a": 1}, environ)
    assert [path.name for path in last_run.path(environ).parent.iterdir()] == ["last.json"]


def test_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert last_run.path({}) == tmp_path / ".local/state/hzlink/last.json"
    assert last_run.path({"XDG_STATE_HOME": "/elsewhere"}) == Path("/elsewhere/hzlink/last.json")
