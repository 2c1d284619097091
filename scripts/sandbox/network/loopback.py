"""The sandbox's block of loopback addresses, and the files that publish who listens where."""

from __future__ import annotations

import socket
import threading
import zlib
from collections.abc import Callable

from sandbox.api.kinds import Obj
from sandbox.layout import Layout, SandboxError, file_stamp, read_json, write_json

_FIRST_BLOCK, _LAST_BLOCK = 16, 250
# No address ends in 0 or 255, like a network's and a broadcast address. On one kind of machine Java could not bind
# to 127.N.0.255 (Cannot assign requested address), while Python could.
_LOWEST, _HIGHEST = 1, 254
_PER_NETWORK = _HIGHEST - _LOWEST + 1
_POD_ADDRESSES = 128 * _PER_NETWORK
_POLL_SECONDS = 0.25


class AddressBlock:
    """A claim on 127.N.0.0/16, exclusive among the sandboxes of this machine, released when the process ends.

    127.N.0.0 to 127.N.127.255 are for pods' processes, up to 127.N.254.255 for the stand-in's relays; nothing listens
    on 127.N.255.254. The pod IP of 127.N.y.z is 10.N.y.z, because the API refuses loopback addresses in EndpointSlices.
    """

    def __init__(self, wanted: str) -> None:
        """Claims a free block; the same `wanted` prefers the same block."""
        size = _LAST_BLOCK - _FIRST_BLOCK + 1
        start = zlib.crc32(wanted.encode()) % size
        for step in range(size):
            number = _FIRST_BLOCK + (start + step) % size
            claim = socket.socket(socket.AF_UNIX)
            try:
                # An abstract socket name disappears with the process, even if killed.
                claim.bind(f"\0hzlink-sandbox-net-{number}")
            except OSError:
                claim.close()
                continue
            self._claim = claim
            self.number = number
            return
        raise SandboxError("every loopback block is in use by other sandboxes")

    @property
    def prefix(self) -> str:
        """Such as "127.77"."""
        return f"127.{self.number}"


class LoopbackNetwork:
    """Allocates addresses, publishes endpoints.json and reads services.json."""

    def __init__(self, layout: Layout, block: AddressBlock) -> None:
        self.unreachable = f"{block.prefix}.255.254"
        self._layout = layout
        self._number = block.number
        self._lock = threading.Lock()
        self._given = 0
        self._endpoints: dict[str, Obj] = {}
        self._relays: Obj = {}
        write_json(layout.endpoints, {})

    def allocate(self) -> tuple[str, str]:
        """A new (loopback address, pod IP); addresses repeat after some 32,000."""
        with self._lock:
            high, low = divmod(self._given % _POD_ADDRESSES, _PER_NETWORK)
            self._given += 1
        return f"127.{self._number}.{high}.{_LOWEST + low}", f"10.{self._number}.{high}.{_LOWEST + low}"

    def relays(self, server: str, namespace: str) -> tuple[dict[str, str], dict[int, str]]:
        """The loopback addresses of the stand-in's relays in a namespace, by Service and by the router's port."""
        prefix = f"{server}/{namespace}/"
        here = {key.removeprefix(prefix): relay for key, relay in self._relays.items() if key.startswith(prefix)}
        by_service = {name: str(relay["ip"]) for name, relay in here.items()}
        return by_service, {relay["target"]: str(relay["ip"]) for relay in here.values() if "target" in relay}

    def set_endpoint(self, key: str, uid: str, endpoint: Obj | None) -> None:
        """Publishes where a pod's process listens, or removes that (None). `key`: API server/namespace/pod.

        A pod cannot remove the entry of a later pod of the same name.
        """
        with self._lock:
            before = self._endpoints.get(key)
            if before == endpoint or (endpoint is None and before is not None and before["uid"] != uid):
                return
            if endpoint is None:
                self._endpoints.pop(key, None)
            else:
                self._endpoints[key] = endpoint
            write_json(self._layout.endpoints, self._endpoints)

    def watch_relays(self, changed: Callable[[], None], stop: threading.Event) -> None:
        """Reads services.json whenever it is replaced, and then calls `changed`; returns when `stop` is set."""
        seen = None
        while not stop.wait(_POLL_SECONDS):
            stamp = file_stamp(self._layout.services)
            if stamp != seen:
                seen = stamp
                self._relays = read_json(self._layout.services)
                changed()
