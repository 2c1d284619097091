"""Gathers the data of a support bundle: a site's objects, the names of its Secrets, logs and versions. Never writes.

The data is not redacted here; bundle.py does that. It never includes the values of Secrets.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from hzlink.model import objects
from hzlink.model.app_namespaces import is_app_name
from hzlink.model.errors import HzlinkError
from hzlink.model.members import mancenter_pods, pods_of
from hzlink.model.objects import RESOURCES, Object
from hzlink.model.topology import Site, Topology
from hzlink.observe.app_namespaces import with_apps
from hzlink.observe.existing_members import with_found
from hzlink.observe.snapshot import STATUS_KINDS, Snapshot
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import KubectlError, Refusal

KINDS = {kind: resource for kind, resource in RESOURCES.items() if kind not in ("Secret", "Namespace")} | {
    "Event": "events",
    "EndpointSlice": "endpointslices.discovery.k8s.io",
    "ReplicaSet": "replicasets.apps",
    "PersistentVolumeClaim": "persistentvolumeclaims",
}

# For each run of each container: its last lines, which are the most informative.
LOG_LINES = 5_000
LOG_BYTES = 1_000_000
# For a site. A namespace may have hundreds of other pods; those of hzlink and Skupper come first.
LOGS = 100

# Limit for one call, and the number of parallel calls for a site.
CALL_SECONDS = 15.0
MAX_PARALLEL = 4


@dataclass(frozen=True)
class Log:
    """The log of a container's current or previous run."""

    pod: str
    container: str
    previous: bool
    text: str


@dataclass
class Found:
    """The data of a site.

    `unread`: what could not be read, and why; `error`: why `status` cannot evaluate the site; `apps`: its application
    namespaces.
    """

    site: Site
    items: list[Object] = field(default_factory=list)
    secrets: list[list[str]] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    versions: dict[str, Any] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    error: HzlinkError | None = None
    apps: tuple[Snapshot, ...] = ()


async def gather(topology: Topology, site: Site, until: float) -> Found:
    """Gathers all data of a site of the topology that can be read until `until` (seconds of time.monotonic).

    Raises:
        PrerequisiteError: kubectl is not installed.
    """
    gathering = _Gathering(topology, site, until)
    await gathering.objects()
    found = gathering.found
    if found.error is None or found.items:
        await asyncio.gather(gathering.secrets(), gathering.versions(), gathering.logs())
    # Sorted, because the order of parallel failures is random.
    found.unread.sort()
    return found


class _Gathering:
    """Makes the calls for one site."""

    def __init__(self, topology: Topology, site: Site, until: float) -> None:
        self.found = Found(site)
        self._topology = topology
        self._until = until
        self._slots = asyncio.Semaphore(MAX_PARALLEL)

    async def objects(self) -> None:
        """Reads the objects in one call, or each kind in a separate call if that is refused."""
        try:
            self.found.items = await self._kubectl().objects(KINDS.values())
        except KubectlError as error:
            if error.refusal in (Refusal.UNREACHABLE, Refusal.UNAUTHORIZED):
                self._record_unread("objects", error)
                self.found.error = error
                return
            await asyncio.gather(*(self._kind(kind) for kind in KINDS))
        if not self.found.items and self.found.error is None:
            self.found.error = await self._no_namespace()

    async def _kind(self, kind: str) -> None:
        try:
            async with self._slots:
                self.found.items += await self._kubectl().objects([KINDS[kind]])
        except KubectlError as error:
            self._record_unread(KINDS[kind], error)
            if kind in STATUS_KINDS and self.found.error is None:
                self.found.error = error

    async def _no_namespace(self) -> HzlinkError | None:
        try:
            return await self._kubectl().lacks_namespace()
        except KubectlError as error:
            return error

    async def secrets(self) -> None:
        """Reads names, types and keys of Secrets."""
        self.found.secrets = await self._read_or_default("secrets", self._kubectl().secret_keys(), [])

    async def versions(self) -> None:
        """Reads the versions of kubectl and the API server."""
        self.found.versions = await self._read_or_default("versions", self._kubectl().versions(), {})

    async def logs(self) -> None:
        """Reads the logs of every container, and of the previous run of restarted containers."""
        pods = [item for item in self.found.items if item.get("kind") == "Pod"]
        # Whether a pod is a member may only be known from the objects.
        seen = Snapshot(self.found.site, tuple(self.found.items))
        topology = with_found(self._topology, seen)
        wanted = [run for pod in sorted(pods, key=partial(_importance, topology)) for run in _runs(pod)]
        if len(wanted) > LOGS:
            self.found.unread.append(f"logs: only {LOGS} of {len(wanted)} were read")
        logs = await asyncio.gather(*(self._log(*run) for run in wanted[:LOGS]))
        self.found.logs = [log for log in logs if log is not None]

    async def _log(self, pod: str, container: str, previous: bool) -> Log | None:
        async with self._slots:
            what = f"{'previous ' if previous else ''}log of {pod}/{container}"
            call = self._kubectl().log(pod, container, lines=LOG_LINES, limit_bytes=LOG_BYTES, previous=previous)
            text = await self._read_or_default(what, call, None)
        return None if text is None else Log(pod, container, previous, text)

    async def _read_or_default(self, what: str, call: Coroutine[Any, Any, Any], otherwise: Any) -> Any:
        try:
            return await call
        except KubectlError as error:
            self._record_unread(what, error)
            return otherwise

    def _record_unread(self, what: str, error: HzlinkError) -> None:
        self.found.unread.append(f"{what}: {error.message}{f': {error.said}' if error.said else ''}")

    def _kubectl(self) -> Kubectl:
        return Kubectl(self.found.site, max(1.0, min(CALL_SECONDS, self._until - time.monotonic())))


def _importance(topology: Topology, pod: Object) -> tuple[bool, str]:
    name = objects.name(pod)
    known = bool(pods_of(topology, [pod]) or mancenter_pods(topology, [pod])) or name.startswith("skupper-")
    return not known, name


def _runs(pod: Object) -> list[tuple[str, str, bool]]:
    """The runs of a pod's containers that have a log: pod, container, and whether it is the previous run."""
    spec, status = objects.spec(pod), objects.status(pod)
    statuses = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    restarted = {one.get("name") for one in statuses if int(one.get("restartCount") or 0) > 0}
    names = [one.get("name") for one in (*(spec.get("initContainers") or []), *(spec.get("containers") or []))]
    return [
        (objects.name(pod), str(name), previous)
        for name in names or [one.get("name") for one in statuses]
        for previous in ((False, True) if name in restarted else (False,))
    ]


async def gather_all(topology: Topology, until: float) -> list[Found]:
    """Gathers the data of all sites in parallel. The result has the order of the topology's sites."""
    found = list(await asyncio.gather(*(gather(topology, site, until) for site in topology.sites)))
    await _gather_apps(topology, found, until)
    return found


async def _gather_apps(topology: Topology, found: Sequence[Found], until: float) -> None:
    """Reads the Services of the names in application namespaces. Other Services there are left out."""
    snapshots = {one.site: Snapshot(one.site, tuple(one.items), one.error) for one in found}
    deadline = max(1.0, min(CALL_SECONDS, until - time.monotonic()))
    observed = await with_apps(topology, snapshots, deadline)
    names = {topology.service, *with_found(topology, snapshots[topology.cluster]).member_names}
    for one in found:
        for app in observed[one.site].apps:
            kept = (item for item in app.items if objects.name(item) in names or is_app_name(item, topology.name))
            one.apps += (replace(app, items=tuple(kept)),)
            if app.error is not None:
                said = f": {app.error.said}" if app.error.said else ""
                one.unread.append(f"application namespace {app.site.namespace}: {app.error.message}{said}")
