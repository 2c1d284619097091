"""Reasons from events and logs for pods whose status does not show why they do not run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hzlink.model import conditions
from hzlink.model.errors import HzlinkError
from hzlink.model.objects import Object
from hzlink.observe.pod_evidence import with_evidence
from hzlink.programs.kubectl import Kubectl
from tests.unit.builders import CORE, Obj, item, pod, statefulset

PULLING = 'Back-off pulling image "x"'
ANSWER = 'Failed to pull image "x": 403 Forbidden'
QUOTA = 'create Pod hazelcast-0 failed error: pods "hazelcast-0" is forbidden: exceeded quota: q'


def event(about: Obj, reason: str, message: str, at: str = "2026-01-01T10:00:00Z") -> Obj:
    involved = {"uid": about["metadata"]["uid"], "name": about["metadata"]["name"]}
    return {"kind": "Event", "reason": reason, "message": message, "involvedObject": involved, "lastTimestamp": at}


LOG = "2026-01-01T10:00:00Z starting\n2026-01-01T10:00:01Z Error: no such file\n"


class Asked:
    """A kubectl with these events and that log, or that fails; it records its calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: tuple[Obj, ...] = ()
        self.fails = False
        self.calls: list[str] = []
        monkeypatch.setattr(Kubectl, "events", lambda kubectl: self._answer("events", list(self.events)))
        monkeypatch.setattr(
            Kubectl, "log", lambda kubectl, *names, **more: self._answer(" ".join(("log", *names)), LOG)
        )

    async def _answer(self, call: str, answer: Any) -> Any:
        self.calls.append(call)
        if self.fails:
            raise HzlinkError("refused")
        return answer

    def __call__(self, *items: Obj) -> tuple[Object, ...]:
        return asyncio.run(with_evidence(Kubectl(CORE), items))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(monkeypatch)


def crashed(name: str = "hazelcast-0", **ended: Any) -> Obj:
    found = pod(name, ready=False)
    state = {"exitCode": 1, "reason": "Error", **ended}
    found["status"]["containerStatuses"] = [
        {"name": "hazelcast", "ready": False, "restartCount": 1, "lastState": {"terminated": state}}
    ]
    return found


def of_set(workload: Obj, *names: str) -> list[Obj]:
    return [pod(name, owner=workload) for name in names]


def test_running_pods_need_no_calls(asked: Asked) -> None:
    workload = statefulset(2)
    items = (workload, *of_set(workload, "hazelcast-0", "hazelcast-1"), item("Service", "x"))
    assert asked(*items) == items
    assert asked.calls == []


def test_last_line_of_a_crashed_container_is_read(asked: Asked) -> None:
    [found] = asked(crashed())
    assert asked.calls == ["log hazelcast-0 hazelcast"]
    assert conditions.pod_trouble(found).text.endswith("Error, exit code 1: Error: no such file")


def test_reason_in_the_status_needs_no_calls(asked: Asked) -> None:
    for ended in ({"message": "bad"}, {"reason": "OOMKilled"}, {"reason": "StartError"}):
        asked(crashed(**ended))
    assert asked.calls == []


def test_number_of_logs_is_limited(asked: Asked) -> None:
    asked(*(crashed(f"hazelcast-{number}") for number in range(9)))
    assert len(asked.calls) == 2


def test_registrys_error_is_read_from_events(asked: Asked) -> None:
    waits = pod("hazelcast-0", ready=False, waiting="ImagePullBackOff", message=PULLING)
    other = pod("hazelcast-1")
    asked.events = (
        event(other, "Failed", "of another pod"),
        event(waits, "Failed", ANSWER),
        event(waits, "Failed", "Error: ErrImagePull"),
        event(waits, "BackOff", PULLING),
    )
    found = asked(waits, other)
    assert conditions.pod_trouble(found[0]).text == f"pod hazelcast-0: ImagePullBackOff: {ANSWER}"


def test_registrys_error_in_the_status_is_kept(asked: Asked) -> None:
    told = f"{PULLING}: ErrImagePull: failed to pull: 401 Unauthorized"
    asked(pod("hazelcast-0", ready=False, waiting="ImagePullBackOff", message=told))
    assert asked.calls == []


def test_statefulset_without_pods_has_a_reason(asked: Asked) -> None:
    workload = statefulset(3, ready=0)
    workload["status"]["replicas"] = 0
    asked.events = (event(workload, "FailedCreate", "earlier"), event(workload, "FailedCreate", QUOTA))
    [found] = asked(workload)
    assert conditions.not_created(found) == QUOTA
    assert conditions.rollout(found).text == f"0/3 ready: pods are not created: {QUOTA}"
    assert "conditions" not in workload["status"], "what was read stays as it was"


def test_failed_calls_leave_the_objects_unchanged(asked: Asked) -> None:
    asked.fails = True
    items = (crashed(), statefulset(3, ready=0))
    assert [dict(one) for one in asked(*items)] == list(items)
