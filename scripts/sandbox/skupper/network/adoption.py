"""When a Site adopts a Listener or Connector: at an event of the object or at the periodic resync."""

from __future__ import annotations

from sandbox.api.kinds import Obj, Resource
from sandbox.skupper.controller.cluster import Cluster
from sandbox.skupper.controller.reconcile import Cycle


class Adoption:
    """Which objects each Site has adopted.

    An object that is older than its Site gets no event when the Site is created: release 2.2.1 handles it at its next
    change or at the resync, up to half a minute later. The controller's own status `No active site in namespace` is
    such a change, so a Site that is created right after it is in time.
    """

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}
        self._versions: dict[str, str] = {}

    def step(self, cycle: Cycle, cluster: Cluster, resource: Resource, sites: dict[str, Obj]) -> None:
        """Adopts objects that changed or are due for a resync; `sites` are the working Sites by namespace."""
        for obj in cluster.all(resource):
            uid, version = obj["metadata"]["uid"], obj["metadata"]["resourceVersion"]
            changed = self._versions.get(uid) != version
            self._versions[uid] = version
            site = sites.get(obj["metadata"]["namespace"])
            if site is None or self.knows(site, obj):
                continue
            place = (cluster.name, obj["metadata"]["namespace"])
            resynced = cycle.elapsed("resync", cycle.delays.resync, *place, of=f"{site['metadata']['uid']} {uid}")
            if changed or resynced:
                self._known.setdefault(site["metadata"]["uid"], set()).add(uid)

    def knows(self, site: Obj, obj: Obj) -> bool:
        """Whether the Site has adopted the object."""
        return obj["metadata"]["uid"] in self._known.get(site["metadata"]["uid"], set())
