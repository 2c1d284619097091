"""The watches of both clusters; waits until the controller has to reconcile."""

from __future__ import annotations

import logging
import queue
import threading
import time
from pathlib import Path

from sandbox.api.kinds import Resource, WatchEvent
from sandbox.layout import FileStamp, file_stamp
from sandbox.skupper.controller.cluster import WATCHED, Cluster

log = logging.getLogger(__name__)

_FILE_CHECK_SECONDS = 0.25
"""Seconds between checks whether the files have changed."""
_BATCH_SECONDS = 0.02
"""Events within this many seconds are handled in one cycle."""

_Item = tuple[Cluster, Resource, WatchEvent]


class Events:
    """The events of several clusters' watches, each in its own thread."""

    def __init__(self, clusters: list[Cluster], files: list[Path]) -> None:
        self._queue: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._files = files
        self._stamps = self._stat()
        self._unsynced = len(clusters) * len(WATCHED)
        for cluster in clusters:
            for resource, selector in WATCHED:
                name = f"{cluster.name} {resource.plural}"
                threading.Thread(
                    target=self._follow, args=(cluster, resource, selector), name=name, daemon=True
                ).start()

    def _follow(self, cluster: Cluster, resource: Resource, selector: str) -> None:
        for event in cluster.kube.watch(resource, selector=selector):
            self._queue.put((cluster, resource, event))

    def wait_for_all(self, stop: threading.Event, seconds: float) -> None:
        """Returns when every watch has listed its objects. TimeoutError after `seconds`."""
        deadline = time.monotonic() + seconds
        while self._unsynced and not stop.is_set():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._unsynced} watches have not listed their objects after {seconds:.0f} s")
            self._take(0.1)

    def wait(self, until: float, stop: threading.Event) -> None:
        """Returns after an event, a change of a file, or at that time (monotonic seconds).

        It handles pending events even if that time has passed: otherwise a controller whose cycles take longer than the
        time until the next one would never learn that its objects are gone.
        """
        while not stop.is_set():
            left = min(until - time.monotonic(), _FILE_CHECK_SECONDS)
            if self._take(max(left, 0.0)) or left <= 0:
                return
            if (stamps := self._stat()) != self._stamps:
                self._stamps = stamps
                return

    def _take(self, seconds: float) -> bool:
        """Waits for an event, handles it and those that follow closely; False when there was none."""
        try:
            self._apply(self._queue.get(timeout=seconds))
        except queue.Empty:
            return False
        end = time.monotonic() + _BATCH_SECONDS
        while (left := end - time.monotonic()) > 0:
            try:
                self._apply(self._queue.get(timeout=left))
            except queue.Empty:
                break
        return True

    def _apply(self, item: _Item) -> None:
        cluster, resource, event = item
        if event.type == "SYNCED":
            self._unsynced -= 1
        cluster.handle(resource, event)

    def _stat(self) -> list[FileStamp]:
        return [file_stamp(path) for path in self._files]
