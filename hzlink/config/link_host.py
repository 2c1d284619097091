"""The value of --link-host, and which source's setting counts: it excludes other ways to reach the issuing router."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hzlink.model import link_host
from hzlink.model.choices import LinkAccess, LinkFrom, Via
from hzlink.model.errors import UsageError
from hzlink.model.link_host import LinkHost

# Settings of a lower source that a --link-host makes meaningless.
_OUTRANKED = ("link_access", "via")


def without_excluded(sources: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The sources without settings of lower sources that a higher one excludes. The highest comes first.

    A --link-host replaces --link-access and --via of lower sources, and a --link-access replaces their --link-host.

    Raises:
        UsageError: one source has both --link-host and --link-access.
    """
    kept: list[Mapping[str, Any]] = []
    excluded: tuple[str, ...] = ()
    for source in sources:
        here = {key: value for key, value in source.items() if key not in excluded}
        host, access = here.get("link_host"), here.get("link_access", LinkAccess.AUTO) != LinkAccess.AUTO
        if host and access:
            raise UsageError(
                f"--link-host {host} and --link-access {here['link_access']} exclude each other",
                said="with --link-host the router is reached over your own load balancer, proxy, VPN or NodePort",
                next_step="leave out one of them",
            )
        kept.append(here)
        if not excluded and (host or access):
            excluded = _OUTRANKED if host else ("link_host",)
    return kept


def link_host_of(values: Mapping[str, Any]) -> LinkHost | None:
    """The host and port of the chosen settings; None if there are none, or if the user gave an empty one.

    Raises:
        UsageError: the value has none of the forms of --link-host, or other settings contradict it.
    """
    text = str(values.get("link_host") or "")
    if not text:
        return None
    try:
        found = link_host.parse(text)
    except ValueError as error:
        raise UsageError(f"--link-host {text!r}: {error}", said=f"it takes {link_host.FORMS}") from None
    via = values.get("via")
    if via in (Via.SKUPPER, Via.KUBECTL):
        raise UsageError(
            f"--via {via} does not apply to --link-host: a token has no address of your own",
            next_step="leave out --via: the link is made without a token",
        )
    if values.get("link_from") == LinkFrom.CLIENT and len(values.get("client_ctx") or ()) > 1:
        raise UsageError(
            "--link-host is the address of one site, but with --link-from client each client site issues",
            next_step="leave out --link-from: then the cluster site issues, and --link-host leads to it",
        )
    return found
