"""The controller handles pending events before each cycle."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import cast

from sandbox.api.client import Kube
from sandbox.api.kinds import SERVICES, Obj, Resource, WatchEvent
from sandbox.skupper.controller.cluster import WATCHED, Cluster
from sandbox.skupper.controller.events import Events

SERVICE: Obj = {"metadata": {"name": "x", "namespace": "hz", "uid": "u", "resourceVersion": "10"}}


class Watched:
    """An API server whose watches report one Service, and its deletion once `gone` is set."""

    def __init__(self) -> None:
        self.gone = threading.Event()

    def watch(self, resource: Resource, selector: str = "") -> Iterator[WatchEvent]:
        if resource is SERVICES:
            yield WatchEvent("ADDED", SERVICE)
        yield WatchEvent("SYNCED", {})
        if resource is SERVICES:
            self.gone.wait(30)
            yield WatchEvent("DELETED", {**SERVICE, "metadata": {**SERVICE["metadata"], "resourceVersion": "11"}})


def test_a_late_controller_still_handles_deletions() -> None:
    """A controller with cycles longer than its pauses once kept deleted objects."""
    server, stop = Watched(), threading.Event()
    cluster = Cluster("client", cast(Kube, server))
    events = Events([cluster], [])
    events.wait_for_all(stop, 30)
    assert len(WATCHED) > 1
    assert cluster.get(SERVICES, "hz", "x") is not None

    server.gone.set()
    deadline = time.monotonic() + 30
    while cluster.get(SERVICES, "hz", "x") is not None and time.monotonic() < deadline:
        events.wait(time.monotonic() - 1.0, stop)
    assert cluster.get(SERVICES, "hz", "x") is None
