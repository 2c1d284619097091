"""Host names of load balancers, as on EKS: a name resolves some time after it was first looked up.

A cluster that asks too early remembers for a while that the name does not exist, as name servers do (CoreDNS 30 s).
"""

from __future__ import annotations

from sandbox.skupper.controller.reconcile import Cycle

FAULT = "lb_name"


class HostNames:
    """The host names of all load balancers: when each was first looked up, and which cluster knows it as absent."""

    def __init__(self) -> None:
        self._given: dict[str, tuple[str, str]] = {}
        self._first_asked: dict[str, float] = {}
        self._absent_until: dict[tuple[str, str], float] = {}

    def give(self, cluster: str, namespace: str, name: str) -> str:
        """The host name of a Service."""
        host = f"{name}-{namespace}.{cluster}.balancers.test"
        self._given.setdefault(host, (cluster, namespace))
        return host

    def cluster_of(self, host: str) -> str:
        """The cluster whose load balancer has the name; empty for any other name."""
        return self._given[host][0] if host in self._given else ""

    def resolves(self, cycle: Cycle, asking: str, host: str) -> bool:
        """Whether the name resolves in the asking cluster now."""
        if host not in self._given:
            return False
        if not cycle.reached(self._absent_until.get((asking, host), 0.0)):
            return False
        cluster, namespace = self._given[host]
        since = self._first_asked.setdefault(host, cycle.now)
        if cycle.reached(since + float(cycle.faults.get(FAULT, cluster, namespace) or 0.0)):
            return True
        self._absent_until[asking, host] = cycle.now + cycle.delays.absent_name.of(asking)
        cycle.requeue_at(self._absent_until[asking, host])
        return False
