"""`down` observes again when it has the lock: another topology may have been added before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from hzlink.apply import removal
from hzlink.apply.removal import Removal
from hzlink.commands import down
from hzlink.model.topology import Site, labels
from hzlink.observe.snapshot import Snapshots
from hzlink.plan import sharing
from hzlink.programs.kubectl import Kubectl
from tests.unit.builders import CORE, EDGE, World, converged, item

SESSIONS = labels("sessions")


def _with_sessions() -> World:
    world = converged()
    world.live[CORE].append(item("Connector", "sessions", labels=SESSIONS))
    world.live[EDGE].append(item("Listener", "sessions", labels=SESSIONS))
    return world


@pytest.mark.parametrize(("now", "heir"), [(_with_sessions(), "sessions"), (converged(), "")])
def test_what_a_new_topology_needs_stays(now: World, heir: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def observe(sites: Sequence[Site], deadline: float) -> Snapshots:
        return now.snapshots()

    async def namespace(kubectl: Kubectl) -> None:
        return None

    monkeypatch.setattr(down, "_observe", observe)
    monkeypatch.setattr(Kubectl, "namespace", namespace)
    before = converged()
    snapshots = before.snapshots()

    async def removals() -> Sequence[Removal]:
        handovers = sharing.handovers(before.topology, snapshots)
        planned = [await removal.plan(before.topology, snapshots[site], handovers[site]) for site in (CORE, EDGE)]
        decided = down._Decision(snapshots, [], planned)
        return (await down._with_current_handover(before.topology, decided)).removals

    found = asyncio.run(removals())
    assert [one.handover.heir for one in found] == [heir, heir]
    deleted = {str(ref) for one in found for ref in one.teardown.refs}
    assert ("sites.skupper.io/edge" in deleted) is not bool(heir)
    assert any("links" in name for name in deleted) is not bool(heir)
    assert "listeners.skupper.io/hazelcast" in deleted
