"""Connections to a member's port: through kubectl port-forward, or directly by name inside the site's namespace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from hzlink.model.topology import Site
from hzlink.verify.proof import PORT


class Connection(Protocol):
    """An open connection to a port of a Service or pod."""

    @property
    def address(self) -> str:
        """The address for a client, as host:port."""

    @property
    def said(self) -> str:
        """The connection's errors so far."""

    async def ended(self) -> str:
        """Waits until the other side ends the connection. Returns its errors."""


OpenConnection = Callable[[str], AbstractAsyncContextManager[Connection]]
"""Opens a connection to the client port of a target such as `service/hazelcast-1`, until the block is left."""


def forwarded(site: Site, port: int = PORT) -> OpenConnection:
    """Opens connections with `kubectl port-forward`, from hzlink's machine."""
    # Imported here: a pod has no kubectl.
    from hzlink.verify.port_forward import tunnel

    return lambda target: tunnel(site, target, port)


class _Direct:
    """A connection to the name itself, which a pod of the namespace can resolve."""

    said = ""

    def __init__(self, name: str) -> None:
        self.address = f"{name}:{PORT}"

    async def ended(self) -> str:
        await asyncio.get_running_loop().create_future()
        return self.said


@asynccontextmanager
async def direct(target: str) -> AsyncIterator[Connection]:
    """An OpenConnection for a pod in the site's namespace: it reaches `service/NAME` by its name."""
    yield _Direct(target.rpartition("/")[2])
