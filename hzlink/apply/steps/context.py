"""The context of a run, which its steps share."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from hzlink.model.errors import HzlinkError
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.topology import Site, Topology
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.observe.waiting import Wait
from hzlink.programs.kubectl import Kubectl


@dataclass
class Run:
    """The context of a run. `began` and `until` are seconds of time.monotonic.

    `force_conflicts`: replace values that other field managers have set.
    `repair`: repair what Skupper has lost, even if that interrupts connections.
    `unaddressed`: sites whose load balancer gave no address in time.
    """

    topology: Topology
    snapshots: Snapshots
    emit: Emit
    until: float
    repair: bool = False
    began: float = field(default_factory=time.monotonic)
    unaddressed: set[Site] = field(default_factory=set)
    errors: list[HzlinkError] = field(default_factory=list)
    force_conflicts: bool = False
    race: asyncio.Task[bool] | None = None

    def snapshot(self, site: Site) -> Snapshot:
        """The snapshot of a site, or of an application namespace."""
        apps = (app for one in self.snapshots.values() for app in one.apps if app.site == site)
        return self.snapshots.get(site) or next(apps)

    def kubectl(self, site: Site) -> Kubectl:
        """kubectl for the site."""
        return Kubectl(site, until=self.until)

    def wait(self, kubectl: Kubectl, text: str) -> Wait:
        """A wait at a site, until the run's time limit."""
        return Wait(kubectl, text, began=time.monotonic(), until=self.until, emit=self.emit)

    def emit_for(self, mark: Mark, site: Site, text: str, key: str = "") -> None:
        """Emits an event for a site."""
        self.emit(Event(mark, text, site.name, key, elapsed=time.monotonic() - self.began))
