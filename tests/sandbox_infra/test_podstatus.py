from __future__ import annotations

from sandbox.pods.status import initial_view
from tests.sandbox_infra.objects import condition, pod


def _pod_with_init() -> dict[str, object]:
    made = pod("p", "ns", spec={"initContainers": [{"name": "first", "image": "i"}]}, metadata={"uid": "u-1"})
    return dict(made)


def test_a_new_pod_waits_for_its_init_containers() -> None:
    status = initial_view(_pod_with_init(), "10.1.0.1", "127.0.0.1").status([])

    assert status["phase"] == "Pending"
    assert status["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert condition({"status": status}, "Initialized") == "False"
    assert "first" in next(c["message"] for c in status["conditions"] if c["type"] == "Initialized")


def test_a_pod_without_init_containers_is_creating_its_container() -> None:
    status = initial_view(pod("p", "ns", metadata={"uid": "u"}), "10.1.0.1", "127.0.0.1").status([])

    assert status["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}


def test_a_running_container_is_not_ready_at_once() -> None:
    view = initial_view(_pod_with_init(), "10.1.0.1", "127.0.0.1")
    view.init[0].end(0)
    view.main[0].run()

    running = view.status([])
    view.main[0].started = view.main[0].ready = True
    ready = view.status(running["conditions"])

    assert (running["phase"], condition({"status": running}, "Ready")) == ("Running", "False")
    assert condition({"status": running}, "Initialized") == "True"
    assert condition({"status": ready}, "Ready") == "True"
    assert ready["podIP"] == "10.1.0.1"
    assert ready["containerStatuses"][0]["state"]["running"]["startedAt"]


def test_transition_times_change_only_with_the_status() -> None:
    view = initial_view(pod("p", "ns", metadata={"uid": "u"}), "10.1.0.1", "127.0.0.1")
    old = [{"type": "Ready", "status": "False", "lastTransitionTime": "2001-01-01T00:00:00Z"}]
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2001-01-01T00:00:00Z"}

    waiting = view.status([*old, scheduled])
    view.main[0].run()
    view.main[0].ready = True
    ready = view.status(waiting["conditions"])

    def time_of(status: dict[str, list[dict[str, str]]], kind: str) -> str:
        return next(c["lastTransitionTime"] for c in status["conditions"] if c["type"] == kind)

    assert time_of(waiting, "Ready").startswith("2001")
    assert not time_of(ready, "Ready").startswith("2001")
    assert scheduled in ready["conditions"]


def test_a_restart_keeps_the_last_state() -> None:
    view = initial_view(pod("p", "ns", metadata={"uid": "u"}), "10.1.0.1", "127.0.0.1")
    container = view.main[0]
    container.run()
    container.end(-9)
    container.restart()
    container.run()

    status = view.status([])["containerStatuses"][0]

    assert status["restartCount"] == 1
    assert status["lastState"]["terminated"]["exitCode"] == 137
    assert "running" in status["state"]


def test_a_held_container_has_a_reason() -> None:
    view = initial_view(pod("p", "ns", metadata={"uid": "u"}), "10.1.0.1", "127.0.0.1")
    view.main[0].wait("ImagePullBackOff", "Back-off pulling image")

    status = view.status([])

    assert status["phase"] == "Pending"
    assert status["containerStatuses"][0]["state"]["waiting"]["reason"] == "ImagePullBackOff"
    assert status["containerStatuses"][0]["imageID"] == ""


def test_a_completed_pod_has_its_final_phase() -> None:
    view = initial_view(pod("p", "ns", metadata={"uid": "u"}), "10.1.0.1", "127.0.0.1")
    view.main[0].run()
    view.main[0].end(0)
    view.over = True
    done = view.status([])
    assert (done["phase"], condition({"status": done}, "Ready")) == ("Succeeded", "False")

    view.main[0].fail_to_start("no such program")
    failed = view.status([])
    assert failed["phase"] == "Failed"
    [ended] = [status["state"]["terminated"] for status in failed["containerStatuses"]]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (128, "StartError", "no such program")
