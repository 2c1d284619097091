"""How clients connect with `--mode auto`."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.model import existing_members as existing
from hzlink.model import selectors
from hzlink.model.choices import Mode
from hzlink.model.existing_members import NOT_ASKED, Advertised, Found
from hzlink.plan import modes

NAMES = ("prod-0", "prod-1")
FOUND = Found(existing.parse("statefulset/prod"), selectors.parse("app=prod"), 5701, NAMES, "prod")


def connector(by_name: bool) -> dict[str, Any]:
    return {"kind": "Connector", "spec": {"exposePodsByName": by_name}}


@pytest.mark.parametrize(
    ("present", "mode"), [(None, Mode.SMART), (connector(True), Mode.SMART), (connector(False), Mode.UNISOCKET)]
)
def test_own_members_keep_their_mode(present: Any, mode: Mode) -> None:
    assert modes.choose(None, present, NOT_ASKED) == modes.Choice(mode)


@pytest.mark.parametrize(
    ("addresses", "mode", "said"),
    [
        (("prod-0:5701", "prod-1:5701"), Mode.SMART, "pods' names"),
        (("prod-0:5701",), Mode.SMART, "pods' names"),
        (("10.1.2.3:5701", "10.1.2.4:5701"), Mode.UNISOCKET, "10.1.2.3:5701, 10.1.2.4:5701"),
        (("prod-0:5701", "10.1.2.4:5701"), Mode.UNISOCKET, "10.1.2.4:5701"),
        (("prod-0.prod:5701",), Mode.UNISOCKET, "prod-0.prod:5701"),
        (("other-0:5701", "prod-0:5701"), Mode.UNISOCKET, "other-0:5701"),
        (("prod-0:5710", "prod-1:5710"), Mode.UNISOCKET, "port 5710"),
    ],
)
def test_what_members_tell_decides(addresses: tuple[str, ...], mode: Mode, said: str) -> None:
    choice = modes.choose(FOUND, None, Advertised(addresses))
    assert choice.mode is mode
    assert said in choice.why
    assert ("member-config" in choice.why) is (mode is Mode.UNISOCKET)


@pytest.mark.parametrize(
    ("present", "mode"), [(None, Mode.UNISOCKET), (connector(True), Mode.SMART), (connector(False), Mode.UNISOCKET)]
)
def test_what_is_not_known_changes_nothing(present: Any, mode: Mode) -> None:
    choice = modes.choose(FOUND, present, Advertised(problem="the members require TLS"))
    assert choice.mode is mode
    assert "the members require TLS" in choice.why


@given(st.lists(st.sampled_from([*(f"{name}:5701" for name in NAMES), "10.0.0.1:5701", "prod-0:1"]), min_size=1))
def test_smart_only_if_every_address_is_a_service_of_the_client_sites(addresses: list[str]) -> None:
    resolvable = {f"{name}:5701" for name in NAMES} >= set(addresses)
    choice = modes.choose(FOUND, connector(True), Advertised(tuple(addresses)))
    assert (choice.mode is Mode.SMART) is resolvable
