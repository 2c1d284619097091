"""Which pods are members, and which are Management Center's. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from hzlink.model import conditions, objects
from hzlink.model.objects import Object
from hzlink.model.topology import Topology


def pods_of(topology: Topology, pods: Iterable[Object]) -> list[Object]:
    """The members' pods among `pods`, by name."""
    found = topology.found
    if found is None:
        return conditions.of_app(pods, topology.workload)
    chosen = [pod for pod in pods if found.selector.matches(objects.labels(pod)) and not conditions.has_ended(pod)]
    return sorted(chosen, key=objects.name)


def mancenter_pods(topology: Topology, pods: Iterable[Object]) -> list[Object]:
    """Management Center's pods among `pods`, by name."""
    return conditions.of_app(pods, topology.mancenter)
