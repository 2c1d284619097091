"""The lease of a Site's leading router: nobody owns it, so it outlives the Site and holds up the next one."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.api.kinds import LEASES, NotFoundError, Obj
from sandbox.skupper.controller import status, templates
from sandbox.skupper.controller.cluster import Cluster
from sandbox.skupper.controller.reconcile import Cycle


class LeaderElection:
    """Which router pod leads in which namespace, and from when."""

    def __init__(self) -> None:
        self._from: dict[str, float] = {}

    def reports_from(self, cycle: Cycle, cluster: Cluster, site: Obj, pod: str) -> float:
        """When the Site's router may report (monotonic seconds); takes the lease when it first asks."""
        uid = site["metadata"]["uid"]
        if uid not in self._from:
            self._from[uid] = cycle.now + _take(cycle, cluster, site["metadata"]["namespace"], pod)
        return self._from[uid]


def _take(cycle: Cycle, cluster: Cluster, namespace: str, pod: str) -> float:
    """Takes over the lease; how long the last holder's claim still lasts."""
    now = status.micro_time()
    spec: Obj = {
        "holderIdentity": pod,
        "leaseDurationSeconds": 15,
        "acquireTime": now,
        "renewTime": now,
        "leaseTransitions": 0,
    }
    old = cluster.kube.get(LEASES, namespace, templates.LEASE)
    cluster.merge(LEASES, {"metadata": {"name": templates.LEASE, "namespace": namespace}, "spec": spec})
    return _remaining(old, cycle.delays.lease.high) if old is not None else 0.0


def _remaining(lease: Obj, duration: float) -> float:
    renewed = lease["spec"].get("renewTime")
    if not renewed:
        return 0.0
    age = (datetime.now(UTC) - datetime.fromisoformat(renewed)).total_seconds()
    return max(0.0, duration - age)


def release(cluster: Cluster, namespace: str) -> None:
    """Notes the moment at which the leader was last alive: its Site is gone."""
    try:
        cluster.kube.patch(LEASES, namespace, templates.LEASE, {"spec": {"renewTime": status.micro_time()}})
    except NotFoundError:
        return
