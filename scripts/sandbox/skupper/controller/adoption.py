"""When a Site takes notice of a Listener or Connector: at an event of theirs, or at the periodic look at all."""

from __future__ import annotations

from sandbox.api.kinds import Obj, Resource
from sandbox.skupper.controller.cluster import Cluster
from sandbox.skupper.controller.reconcile import Cycle


class Adoption:
    """Which objects each Site knows.

    One that was there before its Site gets no event when the Site comes: release 2.2.1 takes it up at its next
    change, or half a minute later. (Its own answer `No active site in namespace` is such a change; a Site that comes
    right after it is in time for that.)
    """

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}
        self._versions: dict[str, str] = {}

    def step(self, cycle: Cycle, cluster: Cluster, resource: Resource, sites: dict[str, Obj]) -> None:
        """Takes in what changed; `sites` are the working Sites by namespace."""
        for obj in cluster.all(resource):
            uid, version = obj["metadata"]["uid"], obj["metadata"]["resourceVersion"]
            changed = self._versions.get(uid) != version
            self._versions[uid] = version
            site = sites.get(obj["metadata"]["namespace"])
            if site is None or self.knows(site, obj):
                continue
            place = (cluster.name, obj["metadata"]["namespace"])
            looked = cycle.elapsed("resync", cycle.delays.resync, *place, of=f"{site['metadata']['uid']} {uid}")
            if changed or looked:
                self._known.setdefault(site["metadata"]["uid"], set()).add(uid)

    def knows(self, site: Obj, obj: Obj) -> bool:
        """Whether the Site has taken notice of the object."""
        return obj["metadata"]["uid"] in self._known.get(site["metadata"]["uid"], set())
