"""Linking: after a Link was deleted, from the side that has an address, and errors."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.conftest import Hzlink, tokens_left


@pytest.mark.parametrize("via", ["kubectl", "skupper"])
def test_deleted_link_is_created_again(hzlink: Hzlink, via: str) -> None:
    hzlink.up("--via", via).ok()
    # Its Secret stays, because it belongs to the Site. It must not make the next token fail.
    hzlink.kubectl("client", "delete", "links.skupper.io", "--all")
    assert hzlink("status").code == 1

    ran = hzlink("link", "--via", via).ok()

    assert "linked to cluster" in ran.err
    assert hzlink("status").code == 0
    assert tokens_left(hzlink) == []
    before = hzlink.writes()
    assert "already linked" in hzlink("link").ok().err
    assert hzlink.writes() == before


def test_link_to_a_recreated_site_is_replaced(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    # The new Site has the same name, but other certificates: the old link cannot become operational.
    hzlink.kubectl("cluster", "delete", "sites.skupper.io", "cluster", "--wait=true")

    hzlink.up().ok()

    assert hzlink("status").code == 0
    assert len(hzlink.objects("client", "links.skupper.io")) == 1


@pytest.mark.parametrize("via", ["kubectl", "skupper"])
def test_client_site_issues_when_only_it_gets_an_address(hzlink: Hzlink, faults: Callable[..., None], via: str) -> None:
    faults(lb={"cluster": False})

    ran = hzlink.up("--address-timeout", "3", "--via", via, "-o", "json").ok()

    assert "the client sites get link access, too" in ran.err
    assert [(link["issuer"], link["state"]) for link in ran.document["links"]] == [("client", "ok")]
    assert "Link/hazelcast-client" in hzlink.objects("cluster", "links.skupper.io")
    assert "nothing written" in hzlink.up("--address-timeout", "3").ok().err
    assert tokens_left(hzlink) == []
    hzlink("down", "--yes").ok()


def test_no_address_on_either_side_is_an_error(hzlink: Hzlink, faults: Callable[..., None]) -> None:
    faults(lb={"cluster": False, "client": False})

    ran = hzlink.up("--address-timeout", "2", "--timeout", "30")

    assert ran.code == 4
    assert "neither side can issue: no load balancer gives one of them an address" in ran.err
    assert "next: kubectl" in ran.err


def test_issuer_set_by_link_from_without_an_address_is_a_timeout(hzlink: Hzlink, faults: Callable[..., None]) -> None:
    faults(lb={"cluster": False})

    ran = hzlink.up("--link-from", "cluster", "--timeout", "20")

    assert ran.code == 4
    assert "got no address for links" in ran.err
    assert "--link-from client" in ran.err


def test_link_from_changes_the_issuer(hzlink: Hzlink) -> None:
    hzlink.up().ok()

    document = hzlink.up("--link-from", "client", "-o", "json").ok().document

    assert [(link["issuer"], link["state"]) for link in document["links"]] == [("client", "ok")]
    assert hzlink.objects("client", "links.skupper.io") == {}
    assert hzlink.objects("cluster", "links.skupper.io").keys() == {"Link/hazelcast-client"}
    assert "nothing written" in hzlink.up("--link-from", "client").ok().err


def test_link_needs_sites(hzlink: Hzlink) -> None:
    ran = hzlink("link", "--client-ctx", "client", "--cluster-ctx", "cluster", "-n", hzlink.namespace)

    assert ran.code == 3
    assert "there is no Skupper Site" in ran.err
    assert "hzlink up" in ran.err
