"""Why a container ended: the kubelet's reason, the limit and its source, the last line of the log."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from hzlink.model import conditions, container_failures
from hzlink.model.conditions import State
from hzlink.programs import hints
from tests.unit.builders import CORE, Obj, item

BACK_OFF = "back-off 20s restarting failed container=router pod=skupper-router-5bb9dbf8f-bv249_hz(7113badb)"
RANGED = (
    "LimitRanger plugin set: memory request for container router; memory limit for container router; memory limit for "
    "init container config-init"
)
# A router's pod in a namespace with a LimitRange of 16Mi (Kubernetes 1.37).
ROUTER: Obj = item(
    "Pod",
    "router-1",
    labels={"skupper.io/component": "router"},
    status={
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}],
        "containerStatuses": [
            {"name": "kube-adaptor", "ready": False, "restartCount": 0, "state": {"running": {}}, "lastState": {}},
            {
                "name": "router",
                "ready": False,
                "restartCount": 2,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": BACK_OFF}},
                "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
                "resources": {"limits": {"memory": "16Mi"}},
            },
        ],
    },
)
ROUTER["metadata"]["annotations"] = {"kubernetes.io/limit-ranger": RANGED}


def router(**ended: Any) -> Obj:
    """The router's pod with another end of its container."""
    pod = deepcopy(ROUTER)
    pod["status"]["containerStatuses"][1]["lastState"]["terminated"] = ended
    return pod


def test_out_of_memory_names_the_limit_and_its_source() -> None:
    trouble = conditions.pod_trouble(ROUTER)
    assert trouble.state is State.BROKEN
    assert trouble.text == (
        "pod router-1: CrashLoopBackOff: container router restarted 2 times; before: OOMKilled, exit code 137: "
        "memory limit 16Mi, set by a LimitRange of the namespace"
    )
    assert hints.previous_log(CORE, ROUTER) == "kubectl --context core-ctx -n hz describe limitranges"


@pytest.mark.parametrize(
    "noted",
    [
        "",
        "LimitRanger plugin set: memory request for container router",
        "LimitRanger plugin set: memory limit for container router-2",
        "LimitRanger plugin set: memory limit for init container other",
    ],
)
def test_limit_set_by_the_pod_has_no_other_source(noted: str) -> None:
    pod = deepcopy(ROUTER)
    pod["metadata"]["annotations"] = {"kubernetes.io/limit-ranger": noted}
    assert conditions.pod_trouble(pod).text.endswith("OOMKilled, exit code 137: memory limit 16Mi")
    assert hints.previous_log(CORE, pod).endswith("describe pod router-1")


def test_limit_is_read_from_the_spec() -> None:
    pod = deepcopy(ROUTER)
    del pod["status"]["containerStatuses"][1]["resources"]
    pod["spec"] = {"containers": [{"name": "router", "resources": {"limits": {"memory": "1Gi"}}}]}
    assert "memory limit 1Gi" in conditions.pod_trouble(pod).text


@pytest.mark.parametrize("spec", [{}, {"containers": 3}, {"containers": [None, {"name": "router", "resources": 1}]}])
def test_any_spec_is_read_without_an_error(spec: Obj) -> None:
    pod = deepcopy(ROUTER)
    pod["status"]["containerStatuses"][1]["resources"] = {"limits": []}
    pod["spec"] = spec
    assert conditions.pod_trouble(pod).text.endswith("OOMKilled, exit code 137")


def test_exit_code_has_the_last_line() -> None:
    pod = router(exitCode=1, reason="Error", message="starting\njava.lang.Exception: no licence\n\n")
    text = conditions.pod_trouble(pod).text
    assert text.endswith("before: Error, exit code 1: java.lang.Exception: no licence")
    assert hints.previous_log(CORE, pod).endswith("logs router-1 -c router --previous")


def test_container_that_never_started_has_no_log() -> None:
    pod = router(exitCode=128, reason="StartError", message='exec: "x": executable file not found in $PATH')
    assert "executable file not found" in conditions.pod_trouble(pod).text
    assert hints.previous_log(CORE, pod).endswith("describe pod router-1")


def test_ended_container_before_its_back_off_is_reported() -> None:
    pod = router()
    pod["status"]["containerStatuses"][1] |= {
        "restartCount": 0,
        "lastState": {},
        "state": {"terminated": {"exitCode": 3, "reason": "Error"}},
    }
    assert conditions.pod_trouble(pod).text == "pod router-1: container router has ended: Error, exit code 3"
    assert hints.previous_log(CORE, pod) == ""


def test_completed_container_is_no_failure() -> None:
    done = {"name": "init", "ready": True, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
    assert container_failures.ended(done) == {}


def test_evicted_pod_has_a_reason() -> None:
    pod = item("Pod", "p", status={"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."})
    assert conditions.pod_trouble(pod).text == "pod p: Evicted: The node was low on memory."
