"""A pod's status as a kubelet writes it, from the states of its containers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from sandbox.api.kinds import Obj, timestamp

State = Literal["waiting", "running", "terminated"]
# The conditions that the kubelet sets.
_KUBELET_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")


@dataclass
class ContainerView:
    """The state of one container."""

    name: str
    image: str
    state: State = "waiting"
    reason: str = "PodInitializing"
    message: str = ""
    started_at: str = ""
    finished_at: str = ""
    exit_code: int = 0
    ready: bool = False
    started: bool = False
    restarts: int = 0
    last: Obj = field(default_factory=dict)

    def wait(self, reason: str, message: str = "") -> None:
        """Sets it waiting, for a reason such as ContainerCreating or ImagePullBackOff."""
        self.state, self.reason, self.message = "waiting", reason, message
        self.ready = self.started = False

    def run(self) -> None:
        """Sets it running and not ready."""
        self.state, self.started_at = "running", timestamp()
        self.reason = self.message = ""
        self.ready = self.started = False

    def end(self, exit_code: int) -> None:
        """Sets it terminated; negative codes are signals, as in subprocess."""
        self.state, self.finished_at = "terminated", timestamp()
        self.exit_code = exit_code if exit_code >= 0 else 128 - exit_code
        self.reason = "Completed" if exit_code == 0 else "Error"
        self.started = self.ready = False

    def fail_to_start(self, message: str) -> None:
        """Sets it terminated because the image has no such program."""
        self.run()
        self.end(128)
        self.reason, self.message = "StartError", message

    def restart(self) -> None:
        """Moves the state to `last` and counts a restart."""
        self.last = self.state_object()
        self.restarts += 1

    def state_object(self) -> Obj:
        """The container's `state`."""
        if self.state == "waiting":
            waiting: Obj = {"reason": self.reason}
            if self.message:
                waiting["message"] = self.message
            return {"waiting": waiting}
        if self.state == "running":
            return {"running": {"startedAt": self.started_at}}
        ended = {
            "exitCode": self.exit_code,
            "reason": self.reason,
            "startedAt": self.started_at,
            "finishedAt": self.finished_at,
        }
        if self.message:
            ended["message"] = self.message
        return {"terminated": ended}

    def status(self, uid: str) -> Obj:
        """The entry in `containerStatuses` or `initContainerStatuses`."""
        ran = self.state != "waiting" or bool(self.last)
        status: Obj = {
            "name": self.name,
            "image": self.image,
            "imageID": "simulated" if ran else "",
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
            "state": self.state_object(),
            "lastState": self.last,
        }
        if ran:
            status["containerID"] = f"sandbox://{uid}/{self.name}/{self.restarts}"
        return status


@dataclass
class PodView:
    """The state of one pod."""

    uid: str
    pod_ip: str
    host_ip: str
    start_time: str
    init: list[ContainerView]
    main: list[ContainerView]
    over: bool = False
    """No container is started again."""

    @property
    def phase(self) -> str:
        """The pod's phase."""
        if self.over:
            return "Failed" if any(c.exit_code for c in self.main) else "Succeeded"
        started = any(c.state != "waiting" or c.last for c in self.main)
        return "Running" if self.initialized and started else "Pending"

    @property
    def initialized(self) -> bool:
        """Whether all init containers have succeeded."""
        return all(c.state == "terminated" and c.exit_code == 0 for c in self.init)

    @property
    def ready(self) -> bool:
        """Whether all containers are ready."""
        return self.initialized and all(c.ready for c in self.main)

    def status(self, before: Sequence[Obj]) -> Obj:
        """The pod's status. `before` are its last conditions, whose times are kept where the status is the same."""
        return {
            "phase": self.phase,
            "conditions": self._conditions(before),
            "hostIP": self.host_ip,
            "hostIPs": [{"ip": self.host_ip}],
            "podIP": self.pod_ip,
            "podIPs": [{"ip": self.pod_ip}],
            "startTime": self.start_time,
            "initContainerStatuses": [c.status(self.uid) for c in self.init],
            "containerStatuses": [c.status(self.uid) for c in self.main],
        }

    def _conditions(self, before: Sequence[Obj]) -> list[Obj]:
        unready = [c.name for c in self.main if not c.ready]
        waiting = [c.name for c in self.init if c.state != "terminated" or c.exit_code != 0]
        not_ready = ("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
        if self.over:
            not_ready = ("PodFailed" if self.phase == "Failed" else "PodCompleted", "")
        not_initialized = ("ContainersNotInitialized", f"containers with incomplete status: [{' '.join(waiting)}]")
        wanted = {
            "PodReadyToStartContainers": (True, ("", "")),
            "Initialized": (self.initialized, not_initialized),
            "Ready": (self.ready, not_ready),
            "ContainersReady": (self.ready, not_ready),
        }
        old = {c["type"]: c for c in before}
        ours = [_condition(kind, *wanted[kind], old.get(kind)) for kind in _KUBELET_CONDITIONS]
        return ours + [c for c in before if c["type"] not in _KUBELET_CONDITIONS]


def _condition(kind: str, true: bool, why_not: tuple[str, str], before: Obj | None) -> Obj:
    status = "True" if true else "False"
    condition: Obj = {"type": kind, "status": status, "lastProbeTime": None}
    if not true:
        condition["reason"], condition["message"] = why_not
    unchanged = before is not None and before["status"] == status
    condition["lastTransitionTime"] = before["lastTransitionTime"] if unchanged and before else timestamp()
    return condition


def initial_view(pod: Obj, pod_ip: str, host_ip: str) -> PodView:
    """The view of a pod that was just scheduled."""
    spec = pod["spec"]
    inits = [ContainerView(c["name"], c["image"]) for c in spec.get("initContainers") or []]
    reason = "PodInitializing" if inits else "ContainerCreating"
    main = [ContainerView(c["name"], c["image"], reason=reason) for c in spec["containers"]]
    return PodView(pod["metadata"]["uid"], pod_ip, host_ip, timestamp(), inits, main)
