"""Which refusals of an API server pass by themselves, so that the same call may succeed a moment later. Pure.

An API server that cannot be reached at all is none of them: hzlink has its own, shorter patience with that one.
"""

from __future__ import annotations

import re

# In the API server's words (k8s.io/apimachinery's errors, etcd's client): too many requests, a change of etcd's
# leader, an answer that did not come in time, a connection that was cut while it was in use.
_PASSING = re.compile(
    r"\(TooManyRequests\)|too many requests|Too many requests|try again later"
    r"|etcdserver: (?:leader changed|request timed out|no leader|too many requests)"
    r"|\((?:Timeout|ServerTimeout|ServiceUnavailable)\)|the server was unable to return a response in the time allotted"
    r"|the server is currently unable to handle the request|apiserver not ready"
    r"|http2: client connection lost|connection reset by peer|GOAWAY"
)
# What an admission webhook or a controller of others says in an API server's answer is not the API server's own state.
_OF_OTHERS = re.compile(r"failed calling webhook|denied the request")


def is_passing(said: str) -> bool:
    """Whether the same call may succeed when it is repeated."""
    return bool(_PASSING.search(said)) and not _OF_OTHERS.search(said)
