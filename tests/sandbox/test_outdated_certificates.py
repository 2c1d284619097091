"""Routers that do not accept each other's certificates: named from the router's log, and repaired when asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.sandbox.conftest import Hzlink, tokens_left
from tests.sandboxed import until

CA, SERVER = "skupper-site-ca", "skupper-site-server"


def _is_down(hzlink: Hzlink) -> bool:
    link = hzlink.objects("client", "links.skupper.io")["Link/hazelcast-cluster"]
    return bool((link.get("status") or {}).get("status") == "Pending")


def test_link_to_a_site_with_another_ca_is_made_again(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    hzlink.kubectl("cluster", "delete", "secrets", CA, SERVER)
    until(partial(_is_down, hzlink), 30)

    # It interrupts nobody, so it needs no --repair.
    ran = hzlink("link").ok()

    assert "do not accept each other's certificates: creating the link again" in ran.err
    assert ran.seconds < 40
    assert hzlink("status").code == 0
    assert tokens_left(hzlink) == []


def test_router_with_an_outdated_certificate_is_restarted_when_asked(
    hzlink: Hzlink, faults: Callable[..., None]
) -> None:
    hzlink.up().ok()
    faults(certificate={f"cluster/{hzlink.namespace}": "outdated"})
    until(partial(_is_down, hzlink), 30)

    ran = hzlink("link", "--timeout", "90")
    assert ran.code == 1
    assert "the routers of client and cluster do not accept each other's certificates" in ran.err
    assert "hzlink link --repair   (restarts the router of cluster: its connections are interrupted" in ran.err
    assert ran.seconds < 60

    ran = hzlink("link", "--repair").ok()
    assert "restarting the router of cluster" in ran.err
    assert "after a restart of its router, which had an outdated certificate" in ran.err
    assert hzlink("status").code == 0
