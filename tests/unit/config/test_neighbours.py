"""Topologies beside the chosen one have the settings of their own record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hzlink.config import neighbours
from tests.unit.builders import CORE, topology

BESIDE = topology(name="sessions", service="sessions-x")
RECORD: dict[str, Any] = {"name": "sessions", "cluster_ctx": CORE.context, "cluster_ns": "hz", "members": 5}


def with_record(tmp_path: Path, *records: dict[str, Any]) -> Any:
    (tmp_path / "hzlink").mkdir(exist_ok=True)
    last, *earlier = records
    (tmp_path / "hzlink" / "last.json").write_text(json.dumps({**last, "earlier": earlier}))
    [found] = neighbours.with_records([BESIDE], {"XDG_STATE_HOME": str(tmp_path)})
    return found.settings


def test_the_record_of_that_topology_is_used(tmp_path: Path) -> None:
    other = {**RECORD, "name": "orders", "members": 7}
    found = with_record(tmp_path, other, {**RECORD, "members_from": "statefulset/prod", "members_port": 5702})
    assert (found.members, found.members_from.name, found.members_port) == (5, "prod", 5702)
    assert found.service == "sessions-x"


def test_the_record_of_another_place_is_not(tmp_path: Path) -> None:
    for place in ({"cluster_ctx": "other"}, {"cluster_ns": "other"}):
        assert with_record(tmp_path, {**RECORD, **place}) == BESIDE.settings


def test_a_record_with_unknown_values_is_not(tmp_path: Path) -> None:
    assert with_record(tmp_path, {**RECORD, "mode": "telepathy"}) == BESIDE.settings
