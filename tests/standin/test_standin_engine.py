"""When the controller looks, and that it hears what happened before it does."""

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
    """An API server whose watches report one Service, and its end once it is published to."""

    def __init__(self) -> None:
        self.gone = threading.Event()

    def watch(self, resource: Resource, selector: str = "") -> Iterator[WatchEvent]:
        if resource is SERVICES:
            yield WatchEvent("ADDED", SERVICE)
        yield WatchEvent("SYNCED", {})
        if resource is SERVICES:
            self.gone.wait(30)
            yield WatchEvent("DELETED", {**SERVICE, "metadata": {**SERVICE["metadata"], "resourceVersion": "11"}})


def test_a_controller_that_is_late_still_hears_of_what_is_gone() -> None:
    """One whose every look ends after the next was due worked for ever on objects of a namespace that was gone."""
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
