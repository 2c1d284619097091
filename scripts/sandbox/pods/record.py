"""A pod's object and container states, and how the pod's thread waits for changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sandbox.api import kinds
from sandbox.api.client import Kube
from sandbox.api.kinds import ConflictError, KubeError, NotFoundError, Obj
from sandbox.pods.status import initial_view

READY_AFTER = "sandbox.hzlink.dev/ready-after"
"""Pod annotation: seconds from the start of its containers until it may be ready."""
HOLD = "sandbox.hzlink.dev/hold"
"""Pod annotation: keeps the pod waiting with this reason, such as ImagePullBackOff or CrashLoopBackOff."""

HOST_IP = "127.0.0.1"
_FOREIGN_CONDITIONS = ("PodScheduled", "DisruptionTarget")


class PodDeletedError(Exception):
    """The pod is being deleted, or the sandbox ends."""


class PodRecord:
    """The pod's object, the view of its containers, and waiting for changes of both."""

    def __init__(self, kube: Kube, pod: Obj, pod_ip: str) -> None:
        self.kube = kube
        self.pod = pod
        self.pod_ip = pod_ip
        meta = pod["metadata"]
        self.namespace, self.name, self.uid = str(meta["namespace"]), str(meta["name"]), str(meta["uid"])
        self.view = initial_view(pod, pod_ip, HOST_IP)
        self.gone = False
        """Removed from the API server: the process gets no grace period."""
        self.stopping = False
        """The sandbox ends: the process is killed and no status written."""
        self._change = threading.Condition()
        self._conditions: list[Obj] = []

    # Called from other threads

    def update(self, pod: Obj) -> None:
        """Takes a changed pod."""
        with self._change:
            self.pod = pod
            self._change.notify_all()

    def removed(self) -> None:
        """The pod was removed from the API server."""
        with self._change:
            self.gone = True
            self._change.notify_all()

    def stop(self) -> None:
        """The sandbox ends."""
        with self._change:
            self.gone = self.stopping = True
            self._change.notify_all()

    def wake(self) -> None:
        """Makes a waiting thread check its condition again."""
        with self._change:
            self._change.notify_all()

    # Called from the pod's thread

    @property
    def deleting(self) -> bool:
        """Whether the pod is being deleted."""
        return self.gone or "deletionTimestamp" in self.pod["metadata"]

    @property
    def hold(self) -> str:
        """The reason of its annotation HOLD; empty without one."""
        return str(self.pod["metadata"].get("annotations", {}).get(HOLD, ""))

    @property
    def ready_after(self) -> float:
        """The seconds of its annotation READY_AFTER."""
        value = self.pod["metadata"].get("annotations", {}).get(READY_AFTER, "0")
        try:
            return max(0.0, float(value))
        except ValueError:
            return 0.0

    def wait(self, seconds: float | None, until: Callable[[], bool]) -> bool:
        """Waits until `until` is true (True) or the time is over (False; None waits for ever).

        Raises PodDeletedError as soon as the pod is being deleted.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        with self._change:
            while True:
                if self.deleting:
                    raise PodDeletedError
                if until():
                    return True
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                self._change.wait(left)

    def wait_gone(self, seconds: float, until: Callable[[], bool]) -> None:
        """The same for a pod that is being deleted; ends early when the pod is removed."""
        deadline = time.monotonic() + seconds
        with self._change:
            while not until() and not self.gone and time.monotonic() < deadline:
                self._change.wait(deadline - time.monotonic())

    def publish(self) -> None:
        """Writes the status, with retries. NotFoundError or ConflictError when the pod is gone."""
        others = self.pod.get("status", {}).get("conditions") or []
        before = [*self._conditions, *(c for c in others if c["type"] in _FOREIGN_CONDITIONS)]
        status = self.view.status(before)
        while True:
            try:
                # The uid keeps it from changing a later pod of the same name.
                body = {"metadata": {"uid": self.uid}, "status": status}
                self.kube.patch(kinds.PODS, self.namespace, self.name, body, subresource="status")
            except (NotFoundError, ConflictError):
                raise
            except KubeError:
                self.wait(0.5, lambda: False)
            else:
                self._conditions = [c for c in status["conditions"] if c["type"] not in _FOREIGN_CONDITIONS]
                return
