"""What Management Center is connected to, read from the members' own logs. Pure.

Its own endpoints for that are Enterprise features. The lines are Hazelcast 5.5's: `Received auth from Connection[...],
successfully authenticated, clientUuid: U, client name: MC-Client-<cluster name>`, and when it leaves `Destroying
ClientEndpoint{... clientUuid=U ...}`.
"""

from __future__ import annotations

import re

_CAME = re.compile(r"successfully authenticated, clientUuid: ([0-9a-f-]+), client name: MC-Client-")
_LEFT = re.compile(r"Destroying ClientEndpoint\{.*clientUuid=([0-9a-f-]+)")
_POD = re.compile(r"\[pod/([^/]+)/[^\]]*\] ")


def connected(log: str) -> dict[str, set[str]]:
    """For each Management Center that is connected, by its client UUID, the pods that it is connected to.

    `log` is what `kubectl logs --prefix` prints: each pod's lines in order, each with its pod's name in front.
    """
    seen: dict[str, set[str]] = {}
    for line in log.splitlines():
        pod = _POD.match(line)
        if pod is None:
            continue
        if came := _CAME.search(line):
            seen.setdefault(came[1], set()).add(pod[1])
        elif left := _LEFT.search(line):
            seen.get(left[1], set()).discard(pod[1])
    return {client: pods for client, pods in seen.items() if pods}
