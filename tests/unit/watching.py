"""A kubectl whose watches yield events that a test has set."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from hzlink.model.objects import Object
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import explain
from tests.unit.builders import CORE, Obj

Entry = tuple[str, Obj] | Exception | float | None


class Watched(Kubectl):
    """Each watch plays the next script: events, errors to raise, seconds of silence (None: it never ends)."""

    def __init__(self, *scripts: Iterable[Entry]) -> None:
        super().__init__(CORE)
        self.scripts = [list(script) for script in scripts]
        self.watches = 0
        self.answers = True

    async def ping(self) -> None:
        if not self.answers:
            raise explain(CORE, "reach the API server", "no answer within 5 s (context deadline exceeded)")

    @asynccontextmanager
    async def watch(
        self, resource: str, name: str | None = None, selector: str | None = None
    ) -> AsyncIterator[AsyncIterator[tuple[str, Object]]]:
        script = self.scripts[min(self.watches, len(self.scripts) - 1)]
        self.watches += 1
        yield self._play(script)

    async def _play(self, script: list[Entry]) -> AsyncIterator[tuple[str, Object]]:
        for entry in script:
            await asyncio.sleep(0)
            if entry is None:
                await asyncio.sleep(3600)
            elif isinstance(entry, float):
                await asyncio.sleep(entry)
            elif isinstance(entry, Exception):
                raise entry
            else:
                yield entry
