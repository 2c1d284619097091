"""Which side issues where the cluster site's load balancer is slow, and whose link access is taken back."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from hzlink.apply.steps import address_race
from hzlink.apply.steps.context import Run
from hzlink.model import events
from hzlink.model.errors import WaitTimeout
from hzlink.model.topology import Site
from hzlink.observe.snapshot import Snapshot
from tests.unit.builders import EDGE, WEST, converged, topology


class Race:
    """A race in which each site gets its address after some seconds; None: never."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *clients: Site, **seconds: float | None) -> None:
        self.switched: list[tuple[str, bool]] = []
        self.topology = topology(*clients)
        self._seconds = seconds
        monkeypatch.setattr(address_race, "_reachable", self._reachable)
        monkeypatch.setattr(address_race, "_link_access", self._link_access)

    async def _reachable(self, run: Run, sites: list[Site]) -> None:
        for site in sites:
            seconds = self._seconds[site.name]
            if seconds is None:
                raise WaitTimeout("timed out", site=site.name, said="no address yet for Service skupper-router")
            await asyncio.sleep(seconds)

    async def _link_access(self, run: Run, site: Site, *, wanted: bool) -> None:
        self.switched.append((site.name, wanted))

    def client_issues(self, **snapshots: Any) -> bool:
        found = snapshots or {site.name: Snapshot(site) for site in self.topology.sites}
        seen = {site: found[site.name] for site in self.topology.sites}

        async def asked() -> bool:
            run = Run(self.topology, seen, events.ignore, time.monotonic() + 30)
            answers = await asyncio.gather(*(address_race.client_issues(run) for _ in self.topology.clients))
            assert len(set(answers)) == 1, "all links of a run get the same answer"
            return answers[0]

        return asyncio.run(asked())


def test_the_cluster_site_issues_when_it_is_first_after_all(monkeypatch: pytest.MonkeyPatch) -> None:
    race = Race(monkeypatch, EDGE, core=0.01, edge=5.0)
    assert race.client_issues() is False
    assert race.switched == [("edge", True), ("edge", False)]


def test_a_client_site_issues_when_it_is_first(monkeypatch: pytest.MonkeyPatch) -> None:
    race = Race(monkeypatch, EDGE, core=5.0, edge=0.01)
    assert race.client_issues() is True
    assert race.switched == [("edge", True), ("core", False)]


def test_the_cluster_sites_access_stays_until_every_client_site_has_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    race = Race(monkeypatch, EDGE, WEST, core=0.1, edge=0.01, west=5.0)
    assert race.client_issues() is False
    assert ("core", False) not in race.switched


def test_a_side_that_fails_leaves_it_to_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    race = Race(monkeypatch, EDGE, core=0.05, edge=None)
    assert race.client_issues() is False


def test_no_side_gets_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    race = Race(monkeypatch, EDGE, core=None, edge=None)
    with pytest.raises(WaitTimeout) as caught:
        race.client_issues()
    assert "neither side can issue" in caught.value.message
    assert ("core", False) not in race.switched


def test_a_link_that_does_not_work_takes_part_too(monkeypatch: pytest.MonkeyPatch) -> None:
    world = converged()
    seen = {site.name: snapshot for site, snapshot in world.snapshots().items()}
    race = Race(monkeypatch, EDGE, core=0.01, edge=5.0)
    assert race.client_issues(**seen) is False
    assert race.switched == [("edge", True), ("edge", False)]
