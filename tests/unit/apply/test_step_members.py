"""The wait for the members' names: a record that is lost meanwhile is found, and with --repair it is restored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hzlink.apply.steps import members, repair
from hzlink.apply.steps.context import Run
from hzlink.model.errors import HzlinkError
from hzlink.observe.losses import LostMember
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.observe.waiting import Wait
from hzlink.plan.planner import Action, Step
from tests.unit.builders import CORE, EDGE, NOON, World, converged


def world_with_a_lost_record() -> World:
    """Three ready members; the record of edge lacks hazelcast-2, which has no Service there."""
    world = converged()
    uid = world.find(CORE, "Site")["metadata"]["uid"]
    for site, known in ((CORE, range(3)), (EDGE, range(2))):
        services = [{"routingKey": f"hazelcast.hazelcast-{n}", "connectors": [f"10.0.0.{n}"]} for n in known]
        world.find(site, "Site")["status"]["network"] = [{"id": uid, "services": services}]
    for number in range(3):
        world.find(CORE, "Pod", f"hazelcast-{number}")["status"]["podIP"] = f"10.0.0.{number}"
    world.drop(EDGE, "Service", "hazelcast-2")
    return world


def wait_for_names(monkeypatch: pytest.MonkeyPatch, *, asked: bool) -> tuple[str, list[LostMember]]:
    """What the step says, and the records that it restores. The record is lost after the run's first observation."""
    world = world_with_a_lost_record()
    at = datetime.fromisoformat(NOON.replace("Z", "+00:00")).astimezone(UTC) + timedelta(minutes=5)
    restored: list[LostMember] = []

    async def observe(*_: Any) -> Snapshots:
        return {site: Snapshot(site, tuple(items), at=at) for site, items in world.live.items()}

    async def never(*_: Any, **__: Any) -> None:
        await asyncio.sleep(60)

    async def restore(_: Run, lost: Sequence[LostMember]) -> str:
        restored.extend(lost)
        return "restored"

    monkeypatch.setattr(repair, "FIRST_OBSERVE_SECONDS", 0.0)
    monkeypatch.setattr(repair, "observe_all", observe)
    monkeypatch.setattr(repair, "restore", restore)
    monkeypatch.setattr(Wait, "watch", never)
    run = Run(world.topology, converged().snapshots(), lambda _: None, 1e9, repair=asked)
    return asyncio.run(members.names_ready(run, Step(Action.NAMES, EDGE, "until they exist"))), restored


def test_a_record_that_is_lost_during_the_wait_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    said, restored = wait_for_names(monkeypatch, asked=True)
    assert said == "restored"
    assert [(one.site, one.client, one.name) for one in restored] == [(EDGE, EDGE, "hazelcast-2")]


def test_without_repair_it_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HzlinkError, match="Skupper has lost the record of hazelcast-2") as raised:
        wait_for_names(monkeypatch, asked=False)
    assert "hzlink link --repair" in (raised.value.next_step or "")
