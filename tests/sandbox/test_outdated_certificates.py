"""Routers that do not accept each other's certificates: repaired with another certificate, or by a restart if asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.sandbox.conftest import Hzlink, tokens_left
from tests.sandboxed import until


def _is_down(hzlink: Hzlink) -> bool:
    link = hzlink.objects("client", "links.skupper.io")["Link/hazelcast-cluster"]
    return bool((link.get("status") or {}).get("status") == "Pending")


def test_link_with_an_outdated_certificate_is_repaired(hzlink: Hzlink, faults: Callable[..., None]) -> None:
    hzlink.up().ok()
    # The Site gets another CA: the certificate of the Link is of the former one.
    hzlink.kubectl("cluster", "delete", "secrets", "skupper-site-ca", "skupper-site-server")
    until(partial(_is_down, hzlink), 30)

    # A fresh token is enough. That interrupts nobody, so it needs no --repair.
    ran = hzlink("link").ok()
    assert "do not accept each other's certificates: creating the link again" in ran.err
    assert ran.seconds < 40
    assert hzlink("status").code == 0
    assert tokens_left(hzlink) == []

    # The issuing side's router does not load the certificate: only a restart helps.
    faults(certificate={f"cluster/{hzlink.namespace}": "outdated"})
    until(partial(_is_down, hzlink), 30)
    ran = hzlink("link", "--repair").ok()
    assert "restarting the router of cluster" in ran.err
    assert "after a restart of its router, which had an outdated certificate" in ran.err
    assert hzlink("status").code == 0
