"""The logs of routers that cannot connect because of a certificate, as skupper-router 3.5 writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from sandbox.api.kinds import POD_LOGS, Obj
from sandbox.layout import Layout
from sandbox.skupper.controller import kinds
from sandbox.skupper.controller.cluster import Cluster, owner
from sandbox.skupper.controller.reconcile import Cycle
from sandbox.skupper.controller.sites import Sites, is_ready, router_pods
from sandbox.skupper.network.network import Network

# Seconds between two attempts of a router to connect.
_RETRY = 2.0
_WHY = "amqp:connection:framing-error SSL Failure: error:0A000086:SSL routines::certificate verify failed"


class RouterLogs:
    """Writes the logs, and tells KWOK where they are."""

    def __init__(self, layout: Layout, sites: Sites, network: Network) -> None:
        self._layout = layout
        self._sites = sites
        self._network = network
        self._due: dict[str, float] = {}

    def step(self, cycle: Cycle, cluster: Cluster) -> None:
        """Writes a line for each Link whose next attempt is due."""
        if self._network.refused:
            cycle.for_each(self._sites.working(cluster).values(), partial(self._one, cycle, cluster))

    def _one(self, cycle: Cycle, cluster: Cluster, site: Obj) -> None:
        namespace = site["metadata"]["namespace"]
        names = {name for holder, name in self._network.refused if holder == site["metadata"]["uid"]}
        pod = next((pod for pod in router_pods(cluster, namespace) if is_ready(pod)), None)
        if not names or pod is None:
            return
        uid = pod["metadata"]["uid"]
        if cycle.reached(self._due.get(uid, 0.0)):
            links = [link for link in cluster.all(kinds.LINKS, namespace) if link["metadata"]["name"] in names]
            self._write(cluster, pod, links, published=uid in self._due)
            self._due[uid] = cycle.now + _RETRY
            cycle.requeue_at(self._due[uid])

    def _write(self, cluster: Cluster, pod: Obj, links: list[Obj], published: bool) -> None:
        meta = pod["metadata"]
        folder = self._layout.pod_dir(cluster.name, meta["namespace"], meta["name"], meta["uid"])
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "router-0.log"
        with path.open("ab") as file:
            for link in links:
                endpoint = next(one for one in link["spec"]["endpoints"] if one["name"] == "inter-router")
                at = f"{endpoint['host']}:{endpoint['port']}"
                stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
                # The format of the container runtime, which the kubelet reads.
                file.write(f"{stamp} stdout F SERVER (error) [C1] Connection to {at} failed: {_WHY}\n".encode())
        if not published:
            listed = {"name": meta["name"], "namespace": meta["namespace"], "ownerReferences": owner(pod)}
            logs = [{"containers": ["router"], "logsFile": str(path), "follow": True}]
            cluster.kube.apply(POD_LOGS, {"metadata": listed, "spec": {"logs": logs}})
