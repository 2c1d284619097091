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
        """Where a client connects to, as host:port."""

    @property
    def said(self) -> str:
        """The errors of the connection itself so far."""

    async def ended(self) -> str:
        """Waits until the connection has ended by itself. Returns its errors."""


OpenConnection = Callable[[str], AbstractAsyncContextManager[Connection]]
"""Opens a connection to the client port of a target such as `service/hazelcast-1`, for as long as the block runs."""


def forwarded(site: Site) -> OpenConnection:
    """`kubectl port-forward` to a site, from wherever hzlink runs."""
    # Imported here: a pod has no kubectl.
    from hzlink.verify.port_forward import tunnel

    return lambda target: tunnel(site, target, PORT)


class _Direct:
    """The name itself, as a pod of the namespace resolves it."""

    said = ""

    def __init__(self, name: str) -> None:
        self.address = f"{name}:{PORT}"

    async def ended(self) -> str:
        await asyncio.get_running_loop().create_future()
        return self.said


@asynccontextmanager
async def direct(target: str) -> AsyncIterator[Connection]:
    """An OpenConnection for what runs in the site's namespace: `service/NAME` is reached by its name."""
    yield _Direct(target.rpartition("/")[2])
