"""Forwards a local port to a Service or pod: `kubectl port-forward`, only on 127.0.0.1, until the block is left."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from hzlink.model.errors import WaitTimeout
from hzlink.model.topology import Site
from hzlink.programs import hints, process, refusals
from hzlink.programs.kubectl import Kubectl

ADDRESS = "127.0.0.1"
# Limit for opening the port. kubectl first makes three requests to the API server.
OPEN_DEADLINE_SECONDS = 15.0

_READY = re.compile(rf"Forwarding from {re.escape(ADDRESS)}:(\d+) -> \d+")


class Tunnel:
    """An open forward."""

    def __init__(
        self, site: Site, target: str, port: int, output: process.Lines, read_task: asyncio.Task[None]
    ) -> None:
        self.site = site
        self.target = target
        self.port = port
        self._output = output
        self._reading = read_task

    @property
    def address(self) -> str:
        """The local address, as host:port."""
        return f"{ADDRESS}:{self.port}"

    @property
    def said(self) -> str:
        """kubectl's errors so far. kubectl ends if the target refuses a connection."""
        return refusals.gist(self._output.completed.said)

    async def ended(self) -> str:
        """Waits until kubectl ends, because the forward was closed. Returns kubectl's errors."""
        # Shielded: kubectl's lines must be read even if this wait is cancelled.
        await asyncio.shield(self._reading)
        return self.said


@asynccontextmanager
async def tunnel(
    site: Site, target: str, port: int | str, *, local: int = 0, deadline: float = OPEN_DEADLINE_SECONDS
) -> AsyncIterator[Tunnel]:
    """Opens a forward until the block is left.

    Args:
        site: the target's site.
        target: resource and name, such as `service/hazelcast-1`.
        port: the target's port.
        local: the local port; 0 lets the system choose a free one.
        deadline: seconds until it must be open.

    Raises:
        KubectlError: kubectl could not open it.
        WaitTimeout: it did not open in time.
    """
    argv = Kubectl(site).argv(
        "port-forward",
        f"--address={ADDRESS}",
        # kubectl's own wait for a running pod must end before `deadline`.
        f"--pod-running-timeout={max(1.0, deadline - 1):.0f}s",
        target,
        f"{local or ''}:{port}",
    )
    async with process.lines(argv) as output:
        opened: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        read_task = asyncio.create_task(_read(output, opened))
        try:
            yield Tunnel(site, target, await _opened(site, target, output, opened, deadline), output, read_task)
        finally:
            read_task.cancel()
            with suppress(asyncio.CancelledError):
                await read_task


async def _read(output: process.Lines, opened: asyncio.Future[int]) -> None:
    """Reads kubectl's lines until it ends: it prints a line for each connection, and they must not accumulate."""
    async for line in output:
        found = _READY.match(line)
        if found and not opened.done():
            opened.set_result(int(found[1]))
    if not opened.done():
        opened.cancel()


async def _opened(site: Site, target: str, output: process.Lines, opened: asyncio.Future[int], deadline: float) -> int:
    try:
        # asyncio.wait, unlike await, distinguishes a cancelled future from a cancelled task.
        done, _ = await asyncio.wait([opened], timeout=deadline)
    finally:
        if not opened.done():
            opened.cancel()
    if not done:
        raise WaitTimeout(
            f"timed out opening a port to {target}",
            site=site.name,
            said=refusals.gist(output.completed.said) or None,
            waited=deadline,
            next_step=hints.kubectl(site, f"describe {target}"),
        )
    if opened.cancelled():
        raise refusals.explain(site, f"forward a port to {target}", output.completed.said)
    return opened.result()
