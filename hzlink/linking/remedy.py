"""Decides whether waiting or a new token can help after a token was not redeemed. Pure.

The messages are those of Skupper 2.2's controller, which quotes Go's HTTP client, and of its grant server.
"""

from __future__ import annotations

import re
from enum import StrEnum

from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.programs import passing


class Remedy(StrEnum):
    """What can help after a failure: waiting, a new token, or nothing."""

    WAIT = "wait"
    REISSUE = "reissue"
    NONE = "none"


_CLIENT_ERROR = "Controller got error"
# A certificate for other hosts is replaced after the grant server has processed its new address.
_NOT_REACHED_YET = re.compile(
    r"\bdial (tcp|udp)\b|\blookup \S+|\b(read|write) tcp\b|proxyconnect|connection reset|broken pipe"
    r"|\bEOF\b|[Tt]imeout|timed out|deadline exceeded|certificate is valid for|cannot validate certificate for"
)
_UNTRUSTED = re.compile(r"unknown authority|certificate has expired|not yet valid|HTTP response to HTTPS client")
_UNRESOLVED = re.compile(r"\blookup (\S+?)(?: on \S+)?: ")
# Answers of the grant server, or of a proxy before it, while the issuing side is not complete.
_BUSY = re.compile(
    r"failed response: (?:429|502|503|504)\b"
    r"|Could not resolve any endpoints|Site not yet defined|Could not get issuer"
)
# The token was used or has expired: a new token may help.
_USED_OR_EXPIRED = re.compile(r"failed response: (?:404|5\d\d)\b")
# The skupper CLI prints only this message for any failure to redeem.
_CLI_GAVE_UP = "redeem not ready yet"


def of(error: HzlinkError) -> Remedy:
    """What can help after a token was not redeemed."""
    said = error.said or ""
    if _CLIENT_ERROR in said:
        reached_later = _NOT_REACHED_YET.search(said) and not _UNTRUSTED.search(said)
        return Remedy.WAIT if reached_later else Remedy.NONE
    if _BUSY.search(said) or passing.is_passing(said):
        return Remedy.WAIT
    if _USED_OR_EXPIRED.search(said):
        return Remedy.REISSUE
    return Remedy.WAIT if is_silent(error) else Remedy.NONE


def is_silent(error: HzlinkError) -> bool:
    """Whether the error is only a timeout: Skupper is still connecting to an address that does not answer."""
    return isinstance(error, WaitTimeout) or _CLI_GAVE_UP in (error.said or "")


def unresolved_name(said: str) -> str:
    """The host name that could not be resolved; empty for any other error."""
    found = _UNRESOLVED.search(said) if _CLIENT_ERROR in said else None
    return found[1] if found else ""
