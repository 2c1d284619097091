"""Ways to a member's port: through a forwarded port from anywhere, or straight by name inside the site's namespace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from hzlink.model.topology import Site
from hzlink.verify.proof import PORT


class Way(Protocol):
    """An open way to something that listens."""

    @property
    def address(self) -> str:
        """Where a client connects to, as host:port."""

    @property
    def said(self) -> str:
        """What the way itself has complained of so far."""

    async def ended(self) -> str:
        """Waits until the way has ended by itself. Gives what it said."""


Door = Callable[[str], AbstractAsyncContextManager[Way]]
"""Opens a way to the clients' port of a target such as `service/hazelcast-1`, for as long as the block runs."""


def forwarded(site: Site) -> Door:
    """`kubectl port-forward` to a site, from wherever hzlink runs."""
    # Loaded only here: inside a pod there is no kubectl.
    from hzlink.verify.port_forward import tunnel

    return lambda target: tunnel(site, target, PORT)


class _Straight:
    """The name itself, as a pod of the namespace resolves it."""

    said = ""

    def __init__(self, name: str) -> None:
        self.address = f"{name}:{PORT}"

    async def ended(self) -> str:
        await asyncio.get_running_loop().create_future()
        return self.said


@asynccontextmanager
async def straight(target: str) -> AsyncIterator[Way]:
    """A door for what runs in the site's namespace: to `service/NAME` leads the name."""
    yield _Straight(target.rpartition("/")[2])
