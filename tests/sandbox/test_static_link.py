"""Links without a token: with --via link, and where no grant server can be reached."""

from __future__ import annotations

from collections.abc import Callable

from tests.sandbox.conftest import Hzlink, tokens_left
from tests.sandbox.test_several_routers import with_two_routers

LINKS = "links.skupper.io"


def made_for_links(hzlink: Hzlink) -> list[str]:
    """The issuing side's Certificates and Secrets for Links, which must not stay."""
    found = hzlink.objects("cluster", "certificates.skupper.io,secrets")
    return [name for name in found if name.partition("/")[2].startswith("hazelcast-")]


def grants_made(hzlink: Hzlink) -> list[str]:
    """The requests that created a grant."""
    writes = hzlink.sandbox.writes("cluster", hzlink.namespace)
    return [one["verb"] for one in writes if (one["verb"], one["objectRef"]["resource"]) == ("create", "accessgrants")]


def test_via_link_and_its_renewal_with_two_routers(real_hzlink: Hzlink, faults: Callable[..., None]) -> None:
    hzlink = real_hzlink
    faults(grant_server={f"cluster/{hzlink.namespace}": False})
    ran = hzlink.up("--via", "link", "--verify").ok()
    assert "without a token, as --via says" in ran.err
    assert "nothing written" in hzlink.up().ok().err

    with_two_routers(hzlink)
    assert "leads to 1 of the 2 routers" in hzlink("status", "-o", "json").ok().out
    hzlink("link", "--repair").ok()
    assert hzlink.objects("client", LINKS).keys() == {"Link/hazelcast-cluster", "Link/hazelcast-cluster-2"}

    hzlink.kubectl("client", "delete", LINKS, "--all")
    hzlink.up().ok()
    assert hzlink.objects("client", LINKS).keys() == {"Link/hazelcast-cluster-1", "Link/hazelcast-cluster-2"}
    assert hzlink("status", "-o", "json").ok().document["findings"] == []
    assert (made_for_links(hzlink), grants_made(hzlink), tokens_left(hzlink)) == ([], [], [])
    hzlink("down", "--yes").ok()
    assert "Secret/hazelcast-cluster" not in hzlink.objects("client", "secrets")


def test_auto_links_without_a_token_if_there_is_no_grant_server(hzlink: Hzlink, faults: Callable[..., None]) -> None:
    faults(grant_server={f"cluster/{hzlink.namespace}": False})
    ran = hzlink.up("--timeout", "40").ok()
    assert "no address for redeeming yet): making the link without a token" in ran.err
    assert "because no grant server can be reached" in ran.err
    assert (made_for_links(hzlink), tokens_left(hzlink)) == ([], [])
