"""A relay in front of an API server, for one test: it can be closed, frozen and opened again.

It forwards bytes unchanged, TLS included, so kubectl talks to the real API server.
"""

from __future__ import annotations

import random
import socket
import threading
from contextlib import suppress


class Relay:
    """Listens on a port of 127.0.0.1 and forwards every connection to the server's port."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._flowing = threading.Event()
        self._flowing.set()
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listening: socket.socket | None = None
        self.port = _free_port()
        self.open()

    def open(self) -> None:
        """Accepts connections, on the same port as before."""
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        listening.listen(64)
        self._listening = listening
        self._flowing.set()
        self._accepting = threading.Thread(target=self._accept, args=(listening,), daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Refuses new connections and closes the existing ones."""
        if self._listening is not None:
            _end(self._listening)
            self._listening = None
            # The port is in use until the thread has ended.
            self._accepting.join(5)
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        for one in sockets:
            _end(one)
        self._flowing.set()

    def freeze(self) -> None:
        """Accepts connections and forwards nothing."""
        self._flowing.clear()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
                server = socket.create_connection(("127.0.0.1", self._upstream))
            except OSError:
                return
            with self._lock:
                if self._listening is not listening:
                    _end(client)
                    _end(server)
                    return
                self._sockets |= {client, server}
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                target.sendall(data)
        with self._lock:
            self._sockets -= {source, target}
        for one in (source, target):
            _end(one)


def _free_port() -> int:
    """A port that no outgoing connection gets while the relay is closed."""
    while True:
        port = random.randint(20000, 31999)  # noqa: S311 - no secret
        with socket.socket() as trying, suppress(OSError):
            trying.bind(("127.0.0.1", port))
            return port


def _end(one: socket.socket) -> None:
    # A shutdown wakes the thread that reads from the socket; a close alone does not.
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
