"""The Lease of a Site's leading router. It has no owner, so it outlives the Site and delays the next one."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.api.kinds import LEASES, NotFoundError, Obj
from sandbox.skupper.controller import status, templates
from sandbox.skupper.controller.cluster import Cluster
from sandbox.skupper.controller.reconcile import Cycle


class LeaderElection:
    """When the router of each Site becomes the leader."""

    def __init__(self) -> None:
        self._leader_since: dict[str, float] = {}

    def reports_from(self, cycle: Cycle, cluster: Cluster, site: Obj, pod: str) -> float:
        """When the Site's router may report (monotonic seconds); the first call takes the Lease."""
        uid = site["metadata"]["uid"]
        if uid not in self._leader_since:
            self._leader_since[uid] = cycle.now + _take(cycle, cluster, site["metadata"]["namespace"], pod)
        return self._leader_since[uid]


def _take(cycle: Cycle, cluster: Cluster, namespace: str, pod: str) -> float:
    """Takes the Lease; returns the seconds until the last holder's expires."""
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
    """Sets the Lease's last renewal to now: its Site is gone."""
    try:
        cluster.kube.patch(LEASES, namespace, templates.LEASE, {"spec": {"renewTime": status.micro_time()}})
    except NotFoundError:
        return
