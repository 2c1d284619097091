"""Links: configured with a delay, connected by the network, reported with the network status."""

from __future__ import annotations

from functools import partial

from sandbox.api.kinds import Obj
from sandbox.skupper.controller import kinds, status
from sandbox.skupper.controller.cluster import Cluster
from sandbox.skupper.controller.reconcile import Cycle
from sandbox.skupper.controller.sites import Sites


class Links:
    """When each Link was configured."""

    def __init__(self, sites: Sites) -> None:
        self._sites = sites
        self._first: dict[str, str] = {}
        self._configured_at: dict[str, float] = {}

    def configured_at(self, link: Obj) -> float | None:
        """When (monotonic seconds) the controller gave the Link to the router; None before."""
        return self._configured_at.get(link["metadata"]["uid"])

    def step(self, cycle: Cycle, cluster: Cluster) -> None:
        """Configures the Links that are due."""
        cycle.for_each(cluster.all(kinds.LINKS), partial(self._one, cycle, cluster))

    def _one(self, cycle: Cycle, cluster: Cluster, link: Obj) -> None:
        if link["metadata"]["namespace"] not in self._sites.working(cluster):
            _set_configured(cluster, link, "No active site in namespace")
        elif self._due(cycle, cluster, link):
            self._configured_at.setdefault(link["metadata"]["uid"], float("-inf") if cycle.first else cycle.now)
            _set_configured(cluster, link, "")

    def _due(self, cycle: Cycle, cluster: Cluster, link: Obj) -> bool:
        """Release 2.2.1 ignores a new Link until its next event: a change or the periodic resync."""
        uid, namespace = link["metadata"]["uid"], link["metadata"]["namespace"]
        if uid in self._configured_at:
            return True
        if status.is_true(link, status.CONFIGURED):
            return True  # configured before this program was started
        first = self._first.setdefault(uid, link["metadata"]["resourceVersion"])
        slept_enough = cycle.elapsed("sleep", cycle.delays.link_sleep, cluster.name, namespace, of=uid)
        if first == link["metadata"]["resourceVersion"]:
            return slept_enough
        return cycle.elapsed("wake", cycle.delays.link_wake, cluster.name, namespace, of=uid) or slept_enough


def _set_configured(cluster: Cluster, link: Obj, problem: str) -> None:
    with cluster.status_of(kinds.LINKS, link) as fresh:
        status.mark(fresh, status.CONFIGURED, status.ok_or_error(problem), status.LINK_NEEDS)


def report(cluster: Cluster, link: Obj, operational: bool, site_id: str, site_name: str) -> None:
    """Writes what the network status says about the Link."""
    with cluster.status_of(kinds.LINKS, link) as fresh:
        status.set_field(fresh, "remoteSiteId", site_id)
        status.set_field(fresh, "remoteSiteName", site_name)
        state = status.ok_or_pending(operational, "Not operational")
        status.mark(fresh, status.OPERATIONAL, state, status.LINK_NEEDS)
