"""Load balancers that take their time: names that do not resolve yet, addresses that do not answer yet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.conftest import Hzlink, tokens_left


@pytest.mark.parametrize("via", ["kubectl", "skupper"])
def test_a_host_name_that_resolves_later_is_waited_for(hzlink: Hzlink, faults: Callable[..., None], via: str) -> None:
    faults(lb_name={f"cluster/{hzlink.namespace}": 8})

    ran = hzlink.up("--via", via).ok()

    assert "does not resolve at the redeeming one" in ran.err
    assert "no such host): trying again with a fresh token" in ran.err
    assert tokens_left(hzlink) == []
    assert hzlink("status").code == 0


def test_an_address_that_answers_later_is_waited_for(hzlink: Hzlink, faults: Callable[..., None]) -> None:
    faults(lb_answer={f"cluster/{hzlink.namespace}": 6})

    ran = hzlink.up("--via", "kubectl").ok()

    assert "cannot be reached from the redeeming one" in ran.err
    assert tokens_left(hzlink) == []


def test_a_name_that_never_resolves_is_waited_for_until_the_timeout(
    hzlink: Hzlink, faults: Callable[..., None]
) -> None:
    faults(lb_name={f"cluster/{hzlink.namespace}": 3600})

    ran = hzlink.up("--via", "kubectl", "--timeout", "20")

    assert ran.code == 4
    assert ran.seconds > 15
    assert "no such host" in ran.err.rpartition("error:")[2]
    assert "next: hzlink link" in ran.err
    assert "skupper-grant-server" in ran.err
    assert tokens_left(hzlink) == []
