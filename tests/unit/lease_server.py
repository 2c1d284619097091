"""A simulated API server that stores Leases and checks resource versions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from hzlink.model.objects import Object, Ref
from hzlink.programs import refusals
from tests.unit.builders import CORE


class LeaseServer:
    """Replaces `Kubectl` for one site. If `fail` is set, every call fails with that kubectl message."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.version = 0
        self.fail = ""
        self.calls: list[str] = []
        # Called before each request: for what another run does at that moment.
        self.before: Callable[[str], None] = lambda verb: None

    def __call__(self, site: object, deadline: float = 0.0, until: float | None = None) -> LeaseServer:
        return self

    @property
    def only(self) -> dict[str, Any]:
        [item] = self.items.values()
        return item

    def write(self, item: Object) -> dict[str, Any]:
        """Stores it, whatever was stored before."""
        self.version += 1
        name = item["metadata"]["name"]
        uid = self.items.get(name, {}).get("metadata", {}).get("uid", f"uid-{self.version}")
        stored = deepcopy({**item, "metadata": {**item["metadata"], "uid": uid, "resourceVersion": str(self.version)}})
        self.items[name] = stored
        return deepcopy(stored)

    async def get(self, target: Ref) -> Object | None:
        await self._called("get")
        return deepcopy(self.items.get(target.name))

    async def create(self, item: Object) -> Object:
        await self._called("create")
        if item["metadata"]["name"] in self.items:
            self._refuse('Error from server (AlreadyExists): leases.coordination.k8s.io "x" already exists')
        return self.write(item)

    async def replace(self, item: Object) -> Object:
        await self._called("replace")
        self._must_be(item["metadata"]["name"], item)
        return self.write(item)

    async def delete_as_read(self, target: Ref, item: Object) -> Object:
        await self._called("delete")
        self._must_be(target.name, item)
        del self.items[target.name]
        return {"kind": "Status"}

    async def _called(self, verb: str) -> None:
        await asyncio.sleep(0)
        self.calls.append(verb)
        self.before(verb)
        if self.fail:
            self._refuse(self.fail)

    def _must_be(self, name: str, item: Object) -> None:
        if name not in self.items:
            self._refuse(f'Error from server (NotFound): leases.coordination.k8s.io "{name}" not found')
        if self.items[name]["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
            self._refuse("Error from server (Conflict): the object has been modified; please apply your changes to it")

    def _refuse(self, said: str) -> None:
        raise refusals.explain(CORE, "update Lease", said)
