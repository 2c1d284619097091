"""The relays: real sockets on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from sandbox.skupper.network.relays import Address, Relays


class Echo:
    """A server that sends its name and then echoes."""

    def __init__(self, name: str) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._name = name
        self.address: Address = self._socket.getsockname()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client:
            client.sendall(self._name.encode())
            while data := client.recv(65536):
                client.sendall(data)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def relays() -> Iterator[Relays]:
    running = Relays()
    yield running
    running.close()


@pytest.fixture
def servers() -> Iterator[tuple[Echo, Echo]]:
    both = Echo("one"), Echo("two")
    yield both
    for server in both:
        server.close()


def free() -> Address:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address: Address = unused.getsockname()
        return address


def connect(address: Address) -> socket.socket:
    client = socket.create_connection(address, timeout=5)
    client.settimeout(5)
    return client


def refused(address: Address) -> bool:
    with socket.socket() as client:
        return client.connect_ex(address) != 0


def test_bytes_flow_both_ways_and_each_direction_ends_by_itself(relays: Relays, servers: tuple[Echo, Echo]) -> None:
    here = free()
    assert relays.set({here: (servers[0].address,)})
    with closing(connect(here)) as client:
        assert client.recv(3) == b"one"
        payload = bytes(range(256)) * 4096

        def send() -> None:
            client.sendall(payload)
            client.shutdown(socket.SHUT_WR)

        threading.Thread(target=send).start()
        received = b""
        while chunk := client.recv(65536):
            received += chunk
        assert received == payload


def test_connections_alternate_between_the_backends(relays: Relays, servers: tuple[Echo, Echo]) -> None:
    here = free()
    relays.set({here: tuple(server.address for server in servers)})
    names = []
    for _ in range(4):
        with closing(connect(here)) as client:
            names.append(client.recv(3))
    assert names == [b"one", b"two", b"one", b"two"]


def test_a_relay_listens_only_while_it_has_a_backend(relays: Relays, servers: tuple[Echo, Echo]) -> None:
    here = free()
    relays.set({here: ()})
    assert refused(here)
    relays.set({here: (servers[0].address,)})
    client = connect(here)
    assert client.recv(3) == b"one"
    relays.set({here: ()})
    assert refused(here)
    with closing(client), pytest.raises(ConnectionResetError):
        _read_to_the_end(client)


def _read_to_the_end(client: socket.socket) -> None:
    if client.recv(1) == b"":
        raise ConnectionResetError


def test_only_connections_to_a_removed_backend_are_cut(relays: Relays, servers: tuple[Echo, Echo]) -> None:
    here = free()
    relays.set({here: tuple(server.address for server in servers)})
    one, two = connect(here), connect(here)
    assert (one.recv(3), two.recv(3)) == (b"one", b"two")
    relays.set({here: (servers[1].address,)})
    with closing(one), closing(two):
        two.sendall(b"still")
        assert two.recv(5) == b"still"
        with pytest.raises(ConnectionResetError):
            _read_to_the_end(one)


def test_an_unreachable_backend_resets_the_connection(relays: Relays) -> None:
    here, nowhere = free(), free()
    relays.set({here: (nowhere,)})
    with closing(connect(here)) as client, pytest.raises(ConnectionResetError):
        _read_to_the_end(client)


def test_an_address_in_use_is_retried(relays: Relays, servers: tuple[Echo, Echo]) -> None:
    blocker = socket.create_server(("127.0.0.1", 0))
    here: Address = blocker.getsockname()
    assert not relays.set({here: (servers[0].address,)})
    blocker.close()
    deadline = time.monotonic() + 5
    while not relays.set({here: (servers[0].address,)}):
        assert time.monotonic() < deadline
    with closing(connect(here)) as client:
        assert client.recv(3) == b"one"
