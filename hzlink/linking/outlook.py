"""What a token that was not redeemed can still become: whether waiting, or a fresh token, may help. Pure.

The phrases are those of Skupper 2.2's controller, which passes on what Go's HTTP client says, and of its grant server.
"""

from __future__ import annotations

import re
from enum import StrEnum

from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.programs import passing


class Outlook(StrEnum):
    """What can be done about a failure: wait for it to pass, try one more token, or nothing."""

    PASSES = "passes"
    FRESH = "fresh"
    FINAL = "final"


_CLIENT_ERROR = "Controller got error"
# A certificate that names other hosts is replaced when the grant server has taken up its new address.
_NOT_REACHED_YET = re.compile(
    r"\bdial (tcp|udp)\b|\blookup \S+|\b(read|write) tcp\b|proxyconnect|connection reset|broken pipe"
    r"|\bEOF\b|[Tt]imeout|timed out|deadline exceeded|certificate is valid for|cannot validate certificate for"
)
_UNTRUSTED = re.compile(r"unknown authority|certificate has expired|not yet valid|HTTP response to HTTPS client")
_NO_NAME = re.compile(r"\blookup (\S+?)(?: on \S+)?: ")
# Answers of the grant server, or of what stands before it, while the issuing side is not all there.
_BUSY = re.compile(
    r"failed response: (?:429|502|503|504)\b"
    r"|Could not resolve any endpoints|Site not yet defined|Could not get issuer"
)
# The one use was counted, or the time is over: another token may do.
_SPENT = re.compile(r"failed response: (?:404|5\d\d)\b")
# The skupper CLI's only words for any failure to redeem.
_CLI_GAVE_UP = "redeem not ready yet"


def of(error: HzlinkError) -> Outlook:
    """What can be done about a token that was not redeemed."""
    said = error.said or ""
    if _CLIENT_ERROR in said:
        reached_later = _NOT_REACHED_YET.search(said) and not _UNTRUSTED.search(said)
        return Outlook.PASSES if reached_later else Outlook.FINAL
    if _BUSY.search(said) or passing.is_passing(said):
        return Outlook.PASSES
    if _SPENT.search(said):
        return Outlook.FRESH
    return Outlook.PASSES if is_silent(error) else Outlook.FINAL


def is_silent(error: HzlinkError) -> bool:
    """Whether nothing was said in time: the connection is still being tried, to an address that answers nobody yet."""
    return isinstance(error, WaitTimeout) or _CLI_GAVE_UP in (error.said or "")


def unresolved_name(said: str) -> str:
    """The host name that could not be looked up; empty where it is not a matter of names."""
    found = _NO_NAME.search(said) if _CLIENT_ERROR in said else None
    return found[1] if found else ""
