"""Recognizes temporary errors of an API server, after which the same call may succeed. Pure.

An API server that cannot be reached is not one of them: that has a shorter limit (`repeating`, `waiting`). An admission
webhook that cannot be called is one: its pod may be restarting. One that was called and refused the object is not.
"""

from __future__ import annotations

import re

# Messages of the API server (k8s.io/apimachinery's errors, etcd's client): too many requests, a new etcd leader, a
# timeout, a connection that was closed during a request.
_PASSING = re.compile(
    r"\(TooManyRequests\)|too many requests|Too many requests|try again later"
    r"|etcdserver: (?:leader changed|request timed out|no leader|too many requests)"
    r"|\((?:Timeout|ServerTimeout|ServiceUnavailable)\)|the server was unable to return a response in the time allotted"
    r"|the server is currently unable to handle the request|apiserver not ready"
    r"|http2: client connection lost|connection reset by peer|GOAWAY"
    # Of a proxy or load balancer in front of the API server.
    r"|Bad Gateway|Gateway Time-?out|upstream connect error|no healthy upstream"
)
# Messages about webhooks, not about the API server itself. It calls them before it stores an object.
_CALL_FAILED = re.compile(r"failed calling webhook|conversion webhook for \S+, Kind=\w+ failed")
_DENIED = re.compile(r"denied the request|denied request")
# Why a call of a webhook failed that may succeed soon. A Service that does not exist, a certificate that does not fit
# and an answer that is not understood last until somebody changes them.
_DOWN = re.compile(
    r"connection refused|connection reset|connection timed out|no route to host|no such host|\bEOF\b"
    r"|i/o timeout|TLS handshake timeout|context deadline exceeded|Client\.Timeout|request canceled"
    r"|no endpoints available for service|the server is currently unable to handle the request"
    r"|Service Unavailable|Bad Gateway|Gateway Timeout|[Tt]oo many requests"
)
_LASTING = re.compile(r"x509:|service \"[^\"]*\" not found")


def is_passing(said: str) -> bool:
    """Whether the same call may succeed if it is repeated."""
    if _DENIED.search(said) or _CALL_FAILED.search(said):
        return is_webhook_down(said)
    return bool(_PASSING.search(said))


def is_webhook_down(said: str) -> bool:
    """Whether only a webhook that may soon be called again keeps the API server from storing an object."""
    if _DENIED.search(said) or not _CALL_FAILED.search(said):
        return False
    return bool(_DOWN.search(said)) and not _LASTING.search(said)
