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
    """

    topology: Topology
    snapshots: Snapshots
    emit: Emit
    until: float
    began: float = field(default_factory=time.monotonic)
    unaddressed: set[Site] = field(default_factory=set)
    errors: list[HzlinkError] = field(default_factory=list)
    force_conflicts: bool = False
    turning: asyncio.Lock = field(default_factory=asyncio.Lock)

    def kubectl(self, site: Site) -> Kubectl:
        """kubectl for the site."""
        return Kubectl(site)

    def wait(self, kubectl: Kubectl, text: str) -> Wait:
        """A wait at a site that ends with the run's time."""
        return Wait(kubectl, text, began=time.monotonic(), until=self.until, emit=self.emit)

    def tell(self, mark: Mark, site: Site, text: str, key: str = "") -> None:
        """Emits an event of a site's lane."""
        self.emit(Event(mark, text, site.name, key, elapsed=time.monotonic() - self.began))
