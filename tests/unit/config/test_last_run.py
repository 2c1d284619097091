"""The record of the last run; an unreadable or unwritable file never fails a run."""

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
def test_saved_record_is_loaded(tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path_factory.mktemp("state"))}
    last_run.save({"old": 1}, environ)
    last_run.save(values, environ)
    assert last_run.load(environ) == values


def test_missing_record_is_empty(environ: dict[str, str]) -> None:
    assert last_run.load(environ) == {}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"x"', b"null", b"\xff\xfe", b"["])
def test_unreadable_record_is_empty(environ: dict[str, str], content: bytes) -> None:
    last_run.path(environ).parent.mkdir(parents=True)
    last_run.path(environ).write_bytes(content)
    assert last_run.load(environ) == {}


def test_folder_at_the_records_path_is_ignored(environ: dict[str, str]) -> None:
    last_run.path(environ).mkdir(parents=True)
    last_run.save({"a": 1}, environ)
    assert last_run.load(environ) == {}
    last_run.forget(environ)


def test_forget_works_twice(environ: dict[str, str]) -> None:
    last_run.save({"a": 1}, environ)
    last_run.forget(environ)
    last_run.forget(environ)
    assert last_run.load(environ) == {}


def test_save_leaves_no_temporary_file(environ: dict[str, str]) -> None:
    last_run.save({"a": 1}, environ)
    assert [path.name for path in last_run.path(environ).parent.iterdir()] == ["last.json"]


def test_path_follows_the_xdg_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert last_run.path({}) == tmp_path / ".local/state/hzlink/last.json"
    assert last_run.path({"XDG_STATE_HOME": "/elsewhere"}) == Path("/elsewhere/hzlink/last.json")
