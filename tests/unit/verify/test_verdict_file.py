"""The kept verdict: a convenience that no trouble with a file may turn into a failure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hzlink.verify import verdict_file
from hzlink.verify.saved_verdict import Record
from tests.unit.builders import EDGE, WEST, topology

KEPT = Record(1000.0, {"edge": (2, 3)}, False, ("edge/hazelcast-1",))


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def test_what_was_kept_is_there_until_it_is_forgotten(environ: dict[str, str]) -> None:
    assert verdict_file.load(topology(), environ) is None
    verdict_file.save(topology(), KEPT, environ)
    assert verdict_file.load(topology(), environ) == KEPT
    verdict_file.forget(topology(), environ)
    verdict_file.forget(topology(), environ)
    assert verdict_file.load(topology(), environ) is None


def test_each_topology_has_its_own(environ: dict[str, str]) -> None:
    verdict_file.save(topology(), KEPT, environ)
    others = [topology(WEST), topology(EDGE, WEST), topology(name="other"), topology(replace(EDGE, namespace="x"))]
    for other in others:
        assert verdict_file.load(other, environ) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"null", b"\xff\xfe", b'{"at": 1}', b"[" * 100_000])
def test_what_cannot_be_read_is_nothing(environ: dict[str, str], content: bytes) -> None:
    file = verdict_file.path(topology(), environ)
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert verdict_file.load(topology(), environ) is None


def test_a_folder_in_its_place_is_nothing(environ: dict[str, str]) -> None:
    verdict_file.path(topology(), environ).mkdir(parents=True)
    verdict_file.save(topology(), KEPT, environ)
    assert verdict_file.load(topology(), environ) is None


def test_it_holds_names_and_times_only(environ: dict[str, str]) -> None:
    verdict_file.save(topology(replace(EDGE, context="secret-context")), KEPT, environ)
    [file] = verdict_file.path(topology(), environ).parent.iterdir()
    assert "secret-context" not in file.read_text()
