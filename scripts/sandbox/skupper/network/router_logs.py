"""The routers' logs: a line for each certificate that names other hosts than the one that a Link leads to."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.api.kinds import POD_LOGS, Obj
from sandbox.layout import Layout
from sandbox.skupper.controller.cluster import Cluster, owner
from sandbox.skupper.controller.sites import Sites, is_ready, router_pods
from sandbox.skupper.network.network import Network

_LINE = (
    "SERVER (error) [C42] Connection to {host}:{port} failed: amqp:connection:framing-error SSL Failure: "
    "error:0A000086:SSL routines::certificate verify failed"
)


class RouterLogs:
    """Writes the logs, which `kubectl logs` reads through KWOK. The real router writes a line at each attempt."""

    def __init__(self, layout: Layout, sites: Sites, network: Network) -> None:
        self._folder = layout.logs / "routers"
        self._sites = sites
        self._network = network
        self._written: set[tuple[str, str, str]] = set()

    def step(self, cluster: Cluster) -> None:
        """Adds the lines of new failures to the logs of the cluster's routers."""
        for namespace, site in self._sites.working(cluster).items():
            failed = self._network.unverified.get(site["metadata"]["uid"], frozenset())
            pods = [pod for pod in router_pods(cluster, namespace) if is_ready(pod)] if failed else []
            for pod in pods:
                for host, port in sorted(failed):
                    self._write(cluster, pod, host, port)

    def _write(self, cluster: Cluster, pod: Obj, host: str, port: str) -> None:
        uid = pod["metadata"]["uid"]
        if (uid, host, port) in self._written:
            return
        self._written.add((uid, host, port))
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{uid}.log"
        with path.open("a") as log:
            log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} stderr F {_LINE.format(host=host, port=port)}\n")
        meta = {key: pod["metadata"][key] for key in ("name", "namespace")}
        entry = {"containers": ["router"], "logsFile": str(path), "follow": True}
        owners = owner({"apiVersion": "v1", "kind": "Pod", **pod})
        cluster.kube.apply(POD_LOGS, {"metadata": {**meta, "ownerReferences": owners}, "spec": {"logs": [entry]}})
