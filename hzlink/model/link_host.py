"""A host and port of the user's own in front of the issuing router (--link-host). Pure.

hzlink makes a RouterAccess and a server Certificate of its own at the issuing Site. The Certificate names the host,
because the connecting router verifies it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_PORT = 55671
FORMS = "HOST or HOST:PORT, such as links.example.com, 203.0.113.7:443 or [2001:db8::7]:55671"

ACCESS = "hzlink-router"
"""The name of the RouterAccess and the Certificate, and of the Service and Secret that Skupper makes from them."""
ACCESS_PORT = 55672
"""The port of its Service. Not 55671 or 45671, which the Site's link access uses: the router crashes if two accesses of
a Site have a role at one port (Skupper 2.2.1, tried)."""
ANNOTATION = "hzlink.io/link-host"
"""The annotation of the Certificate and of the Link, with the host and port."""

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PORT = re.compile(r"[0-9]{1,5}")
# The host of its endpoints in a Site's status: NAME.NAMESPACE. A Site with `ha` has an access for each router.
_OWN_ENDPOINT = re.compile(rf"{ACCESS}(-[0-9]+)?\.")


@dataclass(frozen=True)
class LinkHost:
    """A host name or IP address (IPv6 without brackets), and a port."""

    host: str
    port: int = DEFAULT_PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def endpoint(self) -> dict[str, str]:
        """The endpoint of a Link that leads to it. The group is that of a Site's first router."""
        return {"name": "inter-router", "group": "skupper-router", "host": self.host, "port": str(self.port)}


def parse(text: str) -> LinkHost:
    """The host and port of a text in one of FORMS. Host names become lower case, addresses get their shortest form.

    Raises:
        ValueError: the text has none of these forms; says why.
    """
    if text.startswith("["):
        inner, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError("the brackets of an IPv6 address do not match")
        return LinkHost(_ipv6(inner), _port(rest[1:]) if rest else DEFAULT_PORT)
    host, colon, port = text.partition(":")
    if ":" in port:
        raise ValueError("an IPv6 address needs brackets" if "/" not in text else "it is a URL, not a host")
    return LinkHost(_host(host), _port(port) if colon else DEFAULT_PORT)


def _ipv6(text: str) -> str:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        address = None
    if address is None or address.scope_id:
        raise ValueError(f"{text!r} is not an IPv6 address")
    return str(address)


def _host(text: str) -> str:
    name = text.lower()
    labels = name.split(".")
    if labels[-1].isascii() and labels[-1].isdigit():
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise ValueError(f"{text!r} is not an IPv4 address") from None
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text!r} is not a host name" if text else "it has no host")
    return name


def _port(text: str) -> int:
    if not _PORT.fullmatch(text) or not 1 <= int(text) <= 65535:
        raise ValueError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


def of(item: Mapping[str, Any] | None) -> LinkHost | None:
    """The host and port in the annotation of a Certificate or Link; None if it has none."""
    annotations = ((item or {}).get("metadata") or {}).get("annotations") or {}
    try:
        return parse(str(annotations.get(ANNOTATION, "")))
    except ValueError:
        return None


def is_own_endpoint(host: str) -> bool:
    """Whether an endpoint's host is that of hzlink's RouterAccess, which only the same cluster can reach."""
    return _OWN_ENDPOINT.match(host) is not None
