"""TCP relays on loopback, which replace the routers' data plane."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

Address = tuple[str, int]
Routes = Mapping[Address, tuple[Address, ...]]
"""Listening addresses and their backends."""

_CHUNK = 64 * 1024
_CONNECT_SECONDS = 5.0


@dataclass
class _Listener:
    """One listening address, with its open connections and their backends."""

    backends: tuple[Address, ...]
    server: asyncio.Server | None = None
    next_backend: int = 0
    open: dict[asyncio.Task[None], Address] = field(default_factory=dict)


class Relays:
    """Relays connections in a thread. A connection to a removed backend is cut."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._listeners: dict[Address, _Listener] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, name="relays", daemon=True)
        self._thread.start()

    def set(self, routes: Routes) -> bool:
        """Listens at exactly these addresses; those without backends are closed.

        False when an address could not be bound: call it again later.
        """
        wanted = {address: backends for address, backends in routes.items() if backends}
        return asyncio.run_coroutine_threadsafe(self._set(wanted), self._loop).result(10)

    def close(self) -> None:
        """Cuts all connections and ends the thread."""
        asyncio.run_coroutine_threadsafe(self._cut_all(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _cut_all(self) -> None:
        relaying = [task for listener in self._listeners.values() for task in listener.open]
        await self._set({})
        await asyncio.gather(*relaying, return_exceptions=True)

    async def _set(self, wanted: Routes) -> bool:
        for address in [known for known in self._listeners if known not in wanted]:
            await _shut(self._listeners.pop(address))
        good = True
        for address, backends in wanted.items():
            listener = self._listeners.setdefault(address, _Listener(backends))
            listener.backends = backends
            for task in [task for task, backend in listener.open.items() if backend not in backends]:
                task.cancel()
            if listener.server is None:
                good &= await self._listen(address, listener)
        return good

    async def _listen(self, address: Address, listener: _Listener) -> bool:
        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _relay(listener, reader, writer)

        try:
            listener.server = await asyncio.start_server(accepted, *address)
        except OSError as err:
            log.warning("cannot listen at %s:%d: %s", *address, err)
            return False
        return True


async def _shut(listener: _Listener) -> None:
    if listener.server is not None:
        listener.server.close()
    for task in list(listener.open):
        task.cancel()


async def _relay(listener: _Listener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    task = asyncio.current_task()
    backend = listener.backends[listener.next_backend % len(listener.backends)]
    listener.next_backend += 1
    if task is not None:
        listener.open[task] = backend
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            far_reader, far_writer = await asyncio.open_connection(*backend)
    except (OSError, TimeoutError, asyncio.CancelledError):
        writer.transport.abort()
        return
    else:
        await _pump_both(reader, writer, far_reader, far_writer)
    finally:
        if task is not None:
            listener.open.pop(task, None)


async def _pump_both(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    far_reader: asyncio.StreamReader,
    far_writer: asyncio.StreamWriter,
) -> None:
    """Copies both directions until both have ended; a cut resets both sockets."""
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_pump(reader, far_writer))
            both.create_task(_pump(far_reader, writer))
    except* (OSError, asyncio.CancelledError):
        pass
    finally:
        writer.transport.abort()
        far_writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()
