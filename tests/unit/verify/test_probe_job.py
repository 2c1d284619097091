"""The Job of `verify --in-cluster`: its spec, the state of its pod, and the removal of old Jobs."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from hzlink.apply.lease import Holder, Process, holder
from hzlink.model.conditions import State
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import planner, teardown
from hzlink.verify import probe_job
from tests.unit.builders import CORE, EDGE, Obj, converged, item, topology

NAME = "hzlink-verify-0a1b2c3d"
ME = Holder("ann@laptop pid 7", "run", Process("boot", "pid:[1]", 7, 70))
JOB = {**probe_job.job("hazelcast", NAME, "python:3.13-slim", 60, ME)}
MADE: Obj = {**JOB, "metadata": {**JOB["metadata"], "uid": "uid-job"}}


def pod(name: str = f"{NAME}-x", *, of: Obj = MADE, state: Any = None, **status: Any) -> Obj:
    marks = {"batch.kubernetes.io/job-name": NAME, "app.kubernetes.io/component": "verify"}
    if state is not None:
        status["containerStatuses"] = [{"name": probe_job.CONTAINER, "state": state}]
    return item("Pod", name, ours=True, owner=of, labels=marks, status=status)


def config_map() -> Obj:
    return probe_job.config_map("hazelcast", MADE, b"zip", "{}")


def test_job_meets_pod_security_restricted() -> None:
    spec = JOB["spec"]["template"]["spec"]
    [container] = spec["containers"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]) == {"requests", "limits"}
    assert [set(volume) for volume in spec["volumes"]] == [{"name", "configMap"}]


def test_job_has_the_pull_secrets() -> None:
    assert "imagePullSecrets" not in JOB["spec"]["template"]["spec"]
    made = probe_job.job("hazelcast", NAME, "python:3.13-slim", 60, ME, pull_secrets=("registry", "mirror"))
    assert made["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "registry"}, {"name": "mirror"}]


def test_job_has_a_deadline_and_no_retries() -> None:
    spec = JOB["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (0, 60)
    assert spec["ttlSecondsAfterFinished"] > 0
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_job_names_its_run() -> None:
    assert holder(JOB).process == ME.process


def test_config_map_is_owned_by_the_job() -> None:
    found = config_map()
    assert found["metadata"]["ownerReferences"] == [
        {"apiVersion": "batch/v1", "kind": "Job", "name": NAME, "uid": "uid-job"}
    ]
    assert base64.b64decode(found["binaryData"]["hzlink.zip"]) == b"zip"


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (pod(phase="Pending"), State.WAITING),
        (pod(phase="Running", state={"running": {}}), State.WAITING),
        (pod(phase="Running", state={"terminated": {"exitCode": 0}}), State.OK),
        (pod(phase="Succeeded"), State.OK),
        (pod(phase="Failed", reason="Evicted"), State.OK),
        (pod(phase="Succeeded", of=item("Job", NAME, uid="another")), State.WAITING),
    ],
)
def test_condition_of_the_jobs_pod(found: Obj, state: State) -> None:
    assert probe_job.has_ended(MADE, [found]).state is state


def test_starting_pod_has_a_reason() -> None:
    found = pod(phase="Pending", state={"waiting": {"reason": "ErrImagePull", "message": "no such image"}})
    assert "ErrImagePull: no such image" in probe_job.has_ended(MADE, [found]).text
    assert probe_job.has_ended(MADE, []).text == "no pod yet"


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (pod(phase="Failed", state={"terminated": {"exitCode": 1, "reason": "Error"}}), "Error: exit code 1"),
        (pod(phase="Failed", reason="Evicted", message="no room"), "Evicted: no room"),
        (
            pod(state={"terminated": {"exitCode": 128, "reason": "StartError", "message": "no python3"}}),
            "StartError: no python3: exit code 128",
        ),
    ],
)
def test_reason_why_the_pod_ended(found: Obj, why: str) -> None:
    assert probe_job.why_ended(found) == why


@pytest.mark.parametrize("left", [config_map(), pod()])
def test_down_finds_the_job_by_its_config_map_or_pod(left: Obj) -> None:
    found = teardown.make(topology(), Snapshot(EDGE, (left,)))
    assert f"jobs.batch/{NAME}" in map(str, found.refs)


def test_up_does_not_prune_the_job() -> None:
    world = converged()
    world.put(EDGE, config_map())
    world.put(EDGE, pod())
    wanted: planner.Wanted = {CORE: [], EDGE: []}
    steps = planner.make(world.topology, wanted, world.snapshots())
    pruned = [str(ref) for step in steps for ref in step.refs]
    assert pruned, "other objects of hzlink are pruned"
    assert not any(NAME in name for name in pruned)
