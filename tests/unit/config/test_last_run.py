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
    last_run.save({"old": 1}, "ns", environ)
    last_run.save(values, "ns", environ)
    assert last_run.load(environ)[:1] == ([values] if values else [])


def test_missing_record_is_empty(environ: dict[str, str]) -> None:
    assert last_run.load(environ) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"x"', b"null", b"\xff\xfe", b"["])
def test_unreadable_record_is_empty(environ: dict[str, str], content: bytes) -> None:
    last_run.path(environ).parent.mkdir(parents=True)
    last_run.path(environ).write_bytes(content)
    assert last_run.load(environ) == []


def test_folder_at_the_records_path_is_ignored(environ: dict[str, str]) -> None:
    last_run.path(environ).mkdir(parents=True)
    last_run.save({"a": 1}, "ns", environ)
    assert last_run.load(environ) == []
    last_run.forget({"a": 1}, "ns", environ)


def test_forget_works_twice(environ: dict[str, str]) -> None:
    last_run.save({"a": 1}, "ns", environ)
    last_run.forget({"a": 1}, "ns", environ)
    last_run.forget({"a": 1}, "ns", environ)
    assert last_run.load(environ) == []


def test_save_leaves_no_temporary_file(environ: dict[str, str]) -> None:
    last_run.save({"a": 1}, "ns", environ)
    assert [path.name for path in last_run.path(environ).parent.iterdir()] == ["last.json"]


def test_path_follows_the_xdg_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert last_run.path({}) == tmp_path / ".local/state/hzlink/last.json"
    assert last_run.path({"XDG_STATE_HOME": "/elsewhere"}) == Path("/elsewhere/hzlink/last.json")


ORDERS = {"name": "orders", "client_ctx": ["edge"], "cluster_ctx": "core", "namespace": "shop"}
SESSIONS = {"service": "sessions", "client_ctx": ["edge"], "cluster_ctx": "core", "namespace": "shop"}


def test_each_topology_has_its_record(environ: dict[str, str]) -> None:
    last_run.save(ORDERS, "own", environ)
    last_run.save(SESSIONS, "own", environ)
    assert last_run.load(environ) == [SESSIONS, ORDERS]
    wider = {**ORDERS, "client_ctx": ["edge", "west"]}
    last_run.save(wider, "own", environ)
    assert last_run.load(environ) == [wider, SESSIONS]


def test_forget_removes_only_the_record_of_its_topology(environ: dict[str, str]) -> None:
    last_run.save(ORDERS, "own", environ)
    last_run.save(SESSIONS, "own", environ)
    last_run.forget(SESSIONS, "own", environ)
    assert last_run.load(environ) == [ORDERS]
    last_run.forget({**ORDERS, "namespace": "elsewhere"}, "own", environ)
    assert last_run.load(environ) == [ORDERS]
    last_run.forget(ORDERS, "own", environ)
    assert not last_run.path(environ).exists()


def test_namespace_of_the_context_and_a_given_one_are_the_same(environ: dict[str, str]) -> None:
    last_run.save({**ORDERS, "namespace": None}, "shop", environ)
    last_run.forget({**ORDERS, "cluster_ns": "shop"}, "shop", environ)
    assert last_run.load(environ) == []


def test_number_of_records_is_limited(environ: dict[str, str]) -> None:
    for number in range(last_run.MAX_RECORDS + 3):
        last_run.save({"name": f"n{number}"}, "own", environ)
    assert len(last_run.load(environ)) == last_run.MAX_RECORDS
