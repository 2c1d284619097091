"""A wait for a workload ends when its pods cannot become ready, and continues while they still can."""

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


def crashed_pod(restarts: int, *, ready: bool = False) -> Entry:
    """A crashed pod whose container runs again: it waits for nothing between two crashes."""
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


class PodWatch(Watched):
    """A watched kubectl that also returns events, given as (reason, object, message)."""

    def __init__(self, given_events: Sequence[tuple[str, str, str]], *script: Entry) -> None:
        super().__init__(script)
        self.given_events = given_events

    async def events(self, reasons: Sequence[str] = ()) -> list[Object]:
        return [
            {"reason": reason, "message": message, "involvedObject": {"name": name}}
            for reason, name, message in self.given_events
            if reason in reasons
        ]


class RunWithKubectl(Run):
    """A run with that kubectl at every site."""

    watched: PodWatch

    def kubectl(self, site: Site) -> Kubectl:
        return self.watched


@pytest.fixture(autouse=True)
def short_grace_periods(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pods_step, "WATCH_PODS_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(pods_step, "CREATION_GRACE_SECONDS", 0.1)
    monkeypatch.setattr(conditions, "STUCK_GRACE_SECONDS", 0.1)
    monkeypatch.setattr(conditions, "UNSCHEDULABLE_GRACE_SECONDS", 0.1)


def wait_for_members(watched: PodWatch, needs: float) -> str:
    """The result of a wait for a workload that takes `needs` seconds to roll out."""
    run = RunWithKubectl(topology(), {}, lambda event: None, time.monotonic() + 60)
    run.watched = watched

    async def rollout() -> str:
        await asyncio.sleep(needs)
        return "rolled out"

    return asyncio.run(unless_stuck(run, CORE, MEMBERS, rollout()))


DESCRIBE = "describe pods -l app=hazelcast"


@pytest.mark.parametrize(
    ("watched", "said", "next_step"),
    [
        (PodWatch([], CRASHING, OTHER, None), "pod hazelcast-0: CrashLoopBackOff", DESCRIBE),
        (PodWatch([], ("ADDED", unscheduled()), OTHER, None), "pod hazelcast-0: Unschedulable: 0/1 nodes", DESCRIBE),
        (
            PodWatch([("FailedCreate", "hazelcast", "exceeded quota: few")], OTHER, None),
            "exceeded quota: few",
            "describe resourcequotas few",
        ),
        (
            PodWatch([], OTHER, *map(crashed_pod, (7, 8, 9, 10)), None),
            "pod hazelcast-0: restarted 10 times; before: Error, exit code 1",
            "logs hazelcast-0 -c hazelcast --previous",
        ),
    ],
    ids=["crashes", "no node", "not created", "crashes repeatedly"],
)
def test_wait_ends_when_pods_cannot_get_ready(watched: PodWatch, said: str, next_step: str) -> None:
    with pytest.raises(HzlinkError) as caught:
        wait_for_members(watched, 50)
    error = caught.value
    assert error.message == "StatefulSet hazelcast cannot become ready"
    assert (error.said, error.subject, error.site, int(error.status)) == (said, "StatefulSet hazelcast", "core", 1)
    assert (error.next_step or "").endswith(next_step)


@pytest.mark.parametrize(
    "watched",
    [
        PodWatch([], OTHER, ("ADDED", pod("hazelcast-0", ready=False)), None),
        PodWatch([("TriggeredScaleUp", "hazelcast-0", "")], ("ADDED", unscheduled()), OTHER, None),
        PodWatch([("FailedCreate", "another", "exceeded quota: few")], OTHER, None),
        PodWatch([], None),
        PodWatch([], OTHER, *map(crashed_pod, (7, 8, 9)), None),
        PodWatch([], OTHER, *map(crashed_pod, (0, 1, 2)), crashed_pod(3, ready=True), None),
    ],
    ids=[
        *("starting", "a node is being added", "not created, no event", "no pods yet"),
        *("crashed twice", "crashed and ready"),
    ],
)
def test_wait_continues_while_pods_can_get_ready(watched: PodWatch) -> None:
    assert wait_for_members(watched, 0.5) == "rolled out"


def test_error_of_the_rollout_is_raised() -> None:
    async def failing() -> str:
        raise HzlinkError("no")

    run = RunWithKubectl(topology(), {}, lambda event: None, time.monotonic() + 60)
    run.watched = PodWatch([], None)
    with pytest.raises(HzlinkError, match="no"):
        asyncio.run(unless_stuck(run, CORE, MEMBERS, failing()))
