"""Asks a container's probe, as a kubelet does, at the process's loopback address."""

from __future__ import annotations

import http.client
import socket

from sandbox.pods.spec import Probe


def passes(probe: Probe, address: str) -> bool:
    """Whether the port takes a connection and, with a path, answers with a status below 400."""
    try:
        if probe.path is None:
            socket.create_connection((address, probe.port), probe.timeout).close()
            return True
        connection = http.client.HTTPConnection(address, probe.port, timeout=probe.timeout)
        try:
            connection.request("GET", probe.path, headers={"User-Agent": "kube-probe", "Connection": "close"})
            return connection.getresponse().status < 400
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return False
