"""The file of the last verdict; an unreadable or unwritable file never fails a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hzlink.verify import verdict_file
from hzlink.verify.saved_verdict import Record
from tests.unit.builders import EDGE, WEST, topology

SAVED = Record(1000.0, {"edge": (2, 3)}, False, ("edge/hazelcast-1",))


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def test_saved_verdict_is_loaded_until_it_is_forgotten(environ: dict[str, str]) -> None:
    assert verdict_file.load(topology(), environ) is None
    verdict_file.save(topology(), SAVED, environ)
    assert verdict_file.load(topology(), environ) == SAVED
    verdict_file.forget(topology(), environ)
    verdict_file.forget(topology(), environ)
    assert verdict_file.load(topology(), environ) is None


def test_each_topology_has_its_own_verdict(environ: dict[str, str]) -> None:
    verdict_file.save(topology(), SAVED, environ)
    others = [topology(WEST), topology(EDGE, WEST), topology(name="other"), topology(replace(EDGE, namespace="x"))]
    for other in others:
        assert verdict_file.load(other, environ) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"null", b"\xff\xfe", b'{"at": 1}', b"[" * 100_000])
def test_unreadable_file_is_ignored(environ: dict[str, str], content: bytes) -> None:
    file = verdict_file.path(topology(), environ)
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert verdict_file.load(topology(), environ) is None


def test_folder_at_the_files_path_is_ignored(environ: dict[str, str]) -> None:
    verdict_file.path(topology(), environ).mkdir(parents=True)
    verdict_file.save(topology(), SAVED, environ)
    assert verdict_file.load(topology(), environ) is None


def test_file_contains_no_context(environ: dict[str, str]) -> None:
    verdict_file.save(topology(replace(EDGE, context="secret-context")), SAVED, environ)
    [file] = verdict_file.path(topology(), environ).parent.iterdir()
    assert "secret-context" not in file.read_text()
