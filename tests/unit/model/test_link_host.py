"""The values of --link-host."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hzlink.model import link_host
from hzlink.model.link_host import LinkHost


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("links.example.com", "links.example.com", 55671),
        ("Links.Example.COM:443", "links.example.com", 443),
        ("front", "front", 55671),
        ("203.0.113.7", "203.0.113.7", 55671),
        ("203.0.113.7:31999", "203.0.113.7", 31999),
        ("[2001:DB8:0::7]", "2001:db8::7", 55671),
        ("[2001:db8::7]:1", "2001:db8::7", 1),
        ("3com.example:65535", "3com.example", 65535),
    ],
)
def test_host_and_port(text: str, host: str, port: int) -> None:
    assert link_host.parse(text) == LinkHost(host, port)


@pytest.mark.parametrize(
    "text",
    [
        *("", ":55671", "front:", "front:0", "front:65536", "front:55671x", "front:٣", "front: 1", "front:+1"),
        *("2001:db8::7", "2001:db8::7:55671", "[2001:db8::7", "[2001:db8::7]55671", "[front]", "[fe80::1%eth0]", "[]"),
        *("https://front.example", "https://front.example:443", "front/path", "*.example.com", "a b", "a..b", "a."),
        *("1.2.3", "999.1.1.1", "1.2.3.4.5", "-a", "a-", "a_b", "ä.example", "x" * 64, "a." * 130 + "a", "a\nb"),
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        link_host.parse(text)


PORTS = some.integers(1, 65535)
NAMES = some.lists(some.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True), min_size=1, max_size=4)
ADDRESSES = some.ip_addresses().map(str) | NAMES.map(".".join)


@given(ADDRESSES, PORTS)
def test_its_text_is_read_back(host: str, port: int) -> None:
    found = LinkHost(host, port)
    assert link_host.parse(str(found)) == found
    assert link_host.of({"metadata": {"annotations": {link_host.ANNOTATION: str(found)}}}) == found


@given(some.ip_addresses(v=6), PORTS)
def test_every_form_of_an_address_is_the_same_host(address: ipaddress.IPv6Address, port: int) -> None:
    """Skupper compares the hosts of a Certificate with the shortest form of an address."""
    assert link_host.parse(f"[{address.exploded.upper()}]:{port}").host == str(address)


@given(some.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = link_host.parse(text)
    except ValueError:
        return
    assert found.host
    assert 1 <= found.port <= 65535


@pytest.mark.parametrize("item", [None, {}, {"metadata": {"annotations": {link_host.ANNOTATION: "no host:"}}}])
def test_objects_without_a_host(item: Any) -> None:
    assert link_host.of(item) is None


def test_endpoints_of_the_own_access() -> None:
    assert link_host.is_own_endpoint("hzlink-router.hz")
    assert link_host.is_own_endpoint("hzlink-router-2.hz")
    assert not link_host.is_own_endpoint("skupper-router.hz")
    assert not link_host.is_own_endpoint("my-hzlink-router.example")
