"""Recognizes temporary errors of an API server, after which the same call may succeed. Pure.

An API server that cannot be reached is not one of them: waits have a separate, shorter limit for that.
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
)
# Messages of admission webhooks, which are not about the API server itself.
_FROM_OTHERS = re.compile(r"failed calling webhook|denied the request")


def is_passing(said: str) -> bool:
    """Whether the same call may succeed if it is repeated."""
    return bool(_PASSING.search(said)) and not _FROM_OTHERS.search(said)
