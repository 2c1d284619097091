"""Slow load balancers: host names that do not resolve yet, addresses that do not answer yet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.sandbox.conftest import Hzlink, tokens_left
from tests.sandboxed import until


@pytest.mark.parametrize("via", ["kubectl", "skupper"])
def test_host_name_that_resolves_later_is_waited_for(hzlink: Hzlink, faults: Callable[..., None], via: str) -> None:
    faults(lb_name={f"cluster/{hzlink.namespace}": 8})

    ran = hzlink.up("--via", via).ok()

    assert "does not resolve at the redeeming site" in ran.err
    assert "no such host): trying again with a new token" in ran.err
    assert tokens_left(hzlink) == []
    assert hzlink("status").code == 0


def test_address_that_answers_later_is_waited_for(hzlink: Hzlink, faults: Callable[..., None]) -> None:
    faults(lb_answer={f"cluster/{hzlink.namespace}": 6})

    ran = hzlink.up("--via", "kubectl").ok()

    assert "the redeeming site cannot reach" in ran.err
    assert tokens_left(hzlink) == []


def test_host_name_that_never_resolves_is_a_timeout(hzlink: Hzlink, faults: Callable[..., None]) -> None:
    faults(lb_name={f"cluster/{hzlink.namespace}": 3600})

    ran = hzlink.up("--via", "kubectl", "--timeout", "35")

    assert ran.code == 4
    assert "trying again with a new token" in ran.err
    assert "no such host" in ran.err.rpartition("error:")[2]
    assert "next: hzlink link" in ran.err
    assert "skupper-grant-server" in ran.err
    assert tokens_left(hzlink) == []


def test_link_to_a_changed_address_is_reported_and_renewed(hzlink: Hzlink, faults: Callable[..., None]) -> None:
    hzlink.up("--via", "kubectl").ok()
    faults(lb_address={f"cluster/{hzlink.namespace}": "another"})
    until(partial(_is_down, hzlink))

    ran = hzlink("status")
    assert ran.code == 1
    assert "Not operational: it leads to" in ran.out
    assert "the Site of cluster is now at" in ran.out
    assert "next: hzlink link" in ran.out

    ran = hzlink.up("--via", "kubectl").ok()
    assert "its link leads to" in ran.err
    assert "does not become ready" not in ran.err, "the link was replaced at once, not after the time to recover"
    assert hzlink("status").code == 0


def _is_down(hzlink: Hzlink) -> bool:
    link = hzlink.objects("client", "links.skupper.io")["Link/hazelcast-cluster"]
    return bool(link["status"]["status"] != "Ready")


def test_pending_link_access_is_kept(hzlink: Hzlink, faults: Callable[..., None]) -> None:
    """Both load balancers need longer than --address-timeout, and less than --timeout."""
    faults(lb_slow={f"{server}/{hzlink.namespace}": 12 for server in ("client", "cluster")})

    ran = hzlink.up("--address-timeout", "3", "-o", "json").ok()

    assert "link access enabled, in addition to the other side's" in ran.err
    [link] = ran.document["links"]
    assert (link["issuer"], link["state"]) == ("cluster", "ok"), "its load balancer was asked first"
    sites = {server: hzlink.objects(server, "sites.skupper.io")[f"Site/{server}"] for server in ("client", "cluster")}
    assert sites["client"]["spec"].get("linkAccess") in (None, "none")
    assert "nothing written" in hzlink.up().ok().err
