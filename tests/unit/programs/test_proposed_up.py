"""The command that `check` proposes when everything is ready."""

from __future__ import annotations

import pytest

from hzlink.cli import error_boundary
from hzlink.programs import hints


@pytest.mark.usefixtures("no_flags")
def test_up_is_proposed_with_the_settings_that_were_typed() -> None:
    values = {"cluster_ctx": "core", "members_from": "statefulset/prod hazelcast", "mancenter": False, "members": None}
    error_boundary.record_flags(values, ["cluster_ctx"], ["members", "members_from", "mancenter"])
    expected = "hzlink up --cluster-ctx core --members-from 'statefulset/prod hazelcast' --no-mancenter"
    assert hints.up_as_typed() == expected
    assert hints.hzlink("status") == "hzlink status --cluster-ctx core"


@pytest.fixture
def no_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "site_flags", [])
    monkeypatch.setattr(hints, "setting_flags", [])
