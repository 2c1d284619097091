"""--link-host against --link-access, --via and --link-from, in one source and in several."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.config import link_host
from hzlink.model.errors import UsageError
from hzlink.model.link_host import LinkHost

HOST = {"link_host": "front.example"}
NODEPORT = {"link_access": "nodeport"}


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ([HOST, NODEPORT | {"via": "kubectl", "mode": "smart"}], [HOST, {"mode": "smart"}]),
        ([NODEPORT, HOST], [NODEPORT, {}]),
        ([{"link_access": "auto"}, HOST, NODEPORT], [{"link_access": "auto"}, HOST, {}]),
        ([{}, HOST | {"link_access": "auto"}], [{}, HOST | {"link_access": "auto"}]),
        ([{"link_host": ""}, HOST, NODEPORT], [{"link_host": ""}, HOST, {}]),
    ],
)
def test_a_lower_source_does_not_mix_in(sources: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert link_host.without_excluded(sources) == expected


def test_both_in_one_source_are_refused() -> None:
    with pytest.raises(UsageError, match=r"--link-host front\.example and --link-access nodeport exclude each other"):
        link_host.without_excluded([{}, HOST | NODEPORT])


def test_value() -> None:
    assert link_host.link_host_of(HOST) == LinkHost("front.example", 55671)
    assert link_host.link_host_of({"link_host": ""}) is None
    assert link_host.link_host_of({}) is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"link_host": "2001:db8::7"}, "needs brackets"),
        (HOST | {"via": "skupper"}, "--via skupper does not apply to --link-host"),
        (HOST | {"link_from": "client", "client_ctx": ["a", "b"]}, "each client site issues"),
    ],
)
def test_values_that_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        link_host.link_host_of(values)


@pytest.mark.parametrize("more", [{"via": "link"}, {"link_from": "client", "client_ctx": ["a"]}])
def test_settings_that_fit(more: dict[str, Any]) -> None:
    assert link_host.link_host_of(HOST | more) is not None
