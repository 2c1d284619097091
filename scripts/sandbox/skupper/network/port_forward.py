"""PortForwards for `kubectl port-forward` to a Listener's Service: they tell KWOK where a router pod's ports are."""

from __future__ import annotations

from functools import partial

from sandbox.api.kinds import PORT_FORWARDS, Obj, Objs
from sandbox.skupper.controller.cluster import Cluster
from sandbox.skupper.controller.reconcile import Cycle
from sandbox.skupper.controller.sites import Sites, router_pods
from sandbox.skupper.controller.templates import meta
from sandbox.skupper.network.traffic import Traffic


def step(cycle: Cycle, cluster: Cluster, sites: Sites, traffic: Traffic) -> None:
    """Creates one PortForward for every router pod, with the pod's name."""
    for namespace in sites.working(cluster):
        forwards: Objs = [
            {"ports": [port], "target": {"address": address, "port": number}}
            for (where, space, port), (address, number) in sorted(traffic.at.items())
            if (where, space) == (cluster.name, namespace)
        ]
        if not forwards:
            continue
        living = [pod for pod in router_pods(cluster, namespace) if "deletionTimestamp" not in pod["metadata"]]
        cycle.for_each(living, partial(_ensure, cluster, forwards))


def _ensure(cluster: Cluster, forwards: Objs, pod: Obj) -> None:
    wanted: Obj = {"metadata": meta(pod, pod["metadata"]["name"]), "spec": {"forwards": forwards}}
    cluster.ensure_spec(PORT_FORWARDS, wanted)
