"""What the steps of one run share."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from hzlink.model.errors import HzlinkError
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.topology import Site, Topology
from hzlink.observe.snapshot import Snapshots
from hzlink.observe.waiting import Wait
from hzlink.programs.kubectl import Kubectl


@dataclass
class Run:
    """What the steps of one run share. `began` and `until` are time.monotonic's seconds.

    `force_conflicts`: fields that other managers have set get hzlink's values.
    `repair`: what Skupper is found to have lost is mended, even if that interrupts connections.
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

    def kubectl(self, site: Site) -> Kubectl:
        """kubectl for the site."""
        return Kubectl(site)

    def wait(self, kubectl: Kubectl, text: str) -> Wait:
        """A wait at a site that ends with the run's time."""
        return Wait(kubectl, text, began=time.monotonic(), until=self.until, emit=self.emit)

    def tell(self, mark: Mark, site: Site, text: str, key: str = "") -> None:
        """Emits an event of a site's lane."""
        self.emit(Event(mark, text, site.name, key, elapsed=time.monotonic() - self.began))
