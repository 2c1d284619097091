"""Pods that will not come end a wait for what needs them; those that may still come do not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from hzlink.apply.steps import pods as pods_step
from hzlink.apply.steps.context import Run
from hzlink.apply.steps.pods import Pods, unless_stuck
from hzlink.model import conditions
from hzlink.model.errors import HzlinkError
from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.programs.kubectl import Kubectl
from tests.unit.builders import CORE, Obj, pod, topology
from tests.unit.watching import Entry, Watched

MEMBERS = Pods("StatefulSet", "hazelcast", "app=hazelcast", 2)
CRASHING = ("ADDED", pod("hazelcast-0", ready=False, waiting="CrashLoopBackOff"))
OTHER = ("ADDED", pod("hazelcast-1"))


def falling(restarts: int, *, ready: bool = False) -> Entry:
    """It runs: nothing is waited for between two of its falls."""
    one = pod("hazelcast-0", ready=ready)
    last = {"terminated": {"reason": "Error", "exitCode": 1}}
    one["status"]["containerStatuses"] = [
        {"name": "hazelcast", "ready": ready, "restartCount": restarts, "lastState": last}
    ]
    return ("MODIFIED", one)


def unscheduled() -> Obj:
    one = pod("hazelcast-0", ready=False)
    one["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
    ]
    return one


class Told(Watched):
    """One that also tells what happened."""

    def __init__(self, happened: Sequence[tuple[str, str, str]], *script: Entry) -> None:
        super().__init__(script)
        self.happened = happened

    async def events(self, reasons: Sequence[str]) -> list[Object]:
        return [
            {"reason": reason, "message": message, "involvedObject": {"name": name}}
            for reason, name, message in self.happened
            if reason in reasons
        ]


class Running(Run):
    """A run with that kubectl."""

    told: Told

    def kubectl(self, site: Site) -> Kubectl:
        return self.told


@pytest.fixture(autouse=True)
def short_of_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pods_step, "PODS_AFTER", 0.0)
    monkeypatch.setattr(pods_step, "CREATION_GRACE_SECONDS", 0.1)
    monkeypatch.setattr(conditions, "STUCK_GRACE_SECONDS", 0.1)
    monkeypatch.setattr(conditions, "UNSCHEDULABLE_GRACE_SECONDS", 0.1)


def wait_for_members(told: Told, needs: float) -> str:
    """The wait for a workload that takes so many seconds, with these pods."""
    run = Running(topology(), {}, lambda event: None, time.monotonic() + 60)
    run.told = told

    async def rollout() -> str:
        await asyncio.sleep(needs)
        return "rolled out"

    return asyncio.run(unless_stuck(run, CORE, MEMBERS, rollout()))


DESCRIBE = "describe pods -l app=hazelcast"


@pytest.mark.parametrize(
    ("told", "said", "next_step"),
    [
        (Told([], CRASHING, OTHER, None), "pod hazelcast-0: CrashLoopBackOff", DESCRIBE),
        (Told([], ("ADDED", unscheduled()), OTHER, None), "pod hazelcast-0: Unschedulable: 0/1 nodes", DESCRIBE),
        (
            Told([("FailedCreate", "hazelcast", "exceeded quota: few")], OTHER, None),
            "exceeded quota: few",
            "describe resourcequotas few",
        ),
        (
            Told([], OTHER, *map(falling, (7, 8, 9, 10)), None),
            "pod hazelcast-0: restarted 10 times; before: Error, exit code 1",
            "logs hazelcast-0 -c hazelcast --previous",
        ),
    ],
    ids=["crashes", "no node", "not made", "falls again and again"],
)
def test_pods_that_will_not_come(told: Told, said: str, next_step: str) -> None:
    with pytest.raises(HzlinkError) as caught:
        wait_for_members(told, 50)
    error = caught.value
    assert error.message == "StatefulSet hazelcast cannot get ready"
    assert (error.said, error.subject, error.site, int(error.status)) == (said, "StatefulSet hazelcast", "core", 1)
    assert (error.next_step or "").endswith(next_step)


@pytest.mark.parametrize(
    "told",
    [
        Told([], OTHER, ("ADDED", pod("hazelcast-0", ready=False)), None),
        Told([("TriggeredScaleUp", "hazelcast-0", "")], ("ADDED", unscheduled()), OTHER, None),
        Told([("FailedCreate", "another", "exceeded quota: few")], OTHER, None),
        Told([], None),
        Told([], OTHER, *map(falling, (7, 8, 9)), None),
        Told([], OTHER, *map(falling, (0, 1, 2)), falling(3, ready=True), None),
    ],
    ids=[
        *("starting", "a node is being added", "not made yet, nobody says why", "nothing there yet"),
        *("has fallen twice", "has fallen and is ready"),
    ],
)
def test_pods_that_may_still_come(told: Told) -> None:
    assert wait_for_members(told, 0.5) == "rolled out"


def test_a_workload_that_fails_by_itself() -> None:
    async def failing() -> str:
        raise HzlinkError("no")

    run = Running(topology(), {}, lambda event: None, time.monotonic() + 60)
    run.told = Told([], None)
    with pytest.raises(HzlinkError, match="no"):
        asyncio.run(unless_stuck(run, CORE, MEMBERS, failing()))
