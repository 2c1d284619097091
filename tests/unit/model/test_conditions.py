"""Conditions read from an object's status."""

from __future__ import annotations

import math
from typing import Any

import pytest

from hzlink.model import conditions, objects
from hzlink.model.conditions import Condition, State
from tests.unit.builders import (
    EARLY,
    LATE,
    NOON,
    Obj,
    deployment,
    item,
    link,
    offer,
    pod,
    service,
    skupper_site,
    statefulset,
    status_conditions,
)

NAMES = ("hazelcast-0", "hazelcast-1")


@pytest.mark.parametrize(
    ("found", "condition"),
    [
        (None, Condition(State.ABSENT, "not found")),
        (link("l", None), Condition(State.WAITING, "not processed yet by the Skupper controller")),
        (link("l", "Pending", "Not Operational"), Condition(State.WAITING, "Not Operational")),
        (link("l", "Error", "refused"), Condition(State.BROKEN, "refused")),
        (link("l", "Error"), Condition(State.BROKEN, "Error")),
        (link("l", "Ready"), Condition(State.OK)),
        (link("l", "Ready", "all well"), Condition(State.OK, "all well")),
    ],
)
def test_condition_of_a_skupper_resource(found: Obj | None, condition: Condition) -> None:
    assert conditions.skupper(found) == condition
    assert conditions.skupper(found).ok is (condition.state is State.OK)


@pytest.mark.parametrize(
    ("held", "access", "needs"),
    [
        ({"Running": True}, "default", True),
        ({"Running": True}, "loadbalancer", True),
        ({"Running": True, "Resolved": True}, "default", False),
        ({"Running": True, "Resolved": True, "Ready": True}, "default", False),
        ({"Running": False}, "default", False),
        ({"Running": True}, None, False),
        ({"Running": True}, "none", False),
    ],
)
def test_site_needs_only_an_address(held: dict[str, bool], access: str | None, needs: bool) -> None:
    assert conditions.needs_address(skupper_site("s", "Pending", access=access, holds=held)) is needs


def test_missing_site_does_not_need_an_address() -> None:
    assert conditions.needs_address(None) is False


@pytest.mark.parametrize(
    ("endpoints", "host"),
    [
        ([], None),
        ([{"name": "inter-router", "host": "10.0.0.1"}], "10.0.0.1"),
        ([{"name": "edge", "host": "10.0.0.1"}], None),
        ([{"name": "inter-router", "host": ""}], None),
        ([{"name": "edge", "host": "a"}, {"name": "inter-router", "host": "b"}], "b"),
    ],
)
def test_address_is_the_inter_router_endpoint(endpoints: list[Obj], host: str | None) -> None:
    assert conditions.address(item("Site", "s", status={"endpoints": endpoints})) == host
    assert conditions.address(None) is None


def test_matched_needs_the_matched_condition() -> None:
    assert conditions.matched(offer("Listener")).ok
    lagging = offer("Listener")
    lagging["status"]["conditions"] = status_conditions(Matched=False)
    assert conditions.matched(lagging) == Condition(State.WAITING, "not matched yet")
    assert conditions.matched(offer("Listener", False)).text == "No matching listeners"
    assert conditions.matched(None).state is State.ABSENT


PEER = skupper_site("core")


@pytest.mark.parametrize(
    ("found", "peer", "stale"),
    [
        (link("l", to=PEER), PEER, False),
        (link("l", to=skupper_site("core", uid="before")), PEER, True),
        (link("l", created=EARLY), PEER, True),
        (link("l", created=LATE), PEER, False),
        (link("l", created=""), PEER, False),
        (link("l", created=EARLY, to=PEER), PEER, False),
        (link("l"), None, False),
    ],
)
def test_stale_links(found: Obj, peer: Obj | None, stale: bool) -> None:
    assert conditions.link_is_stale(found, peer) is stale


@pytest.mark.parametrize(
    ("found", "state", "text"),
    [
        (None, State.ABSENT, "not found"),
        (statefulset(3), State.OK, "3/3"),
        (statefulset(3, ready=2), State.WAITING, "2/3 ready"),
        (statefulset(3, status={"updatedReplicas": 1}), State.WAITING, "3/3 ready"),
        (statefulset(3, status={"observedGeneration": 0}), State.WAITING, "3/3 ready"),
        (statefulset(3, status={"replicas": 4}), State.WAITING, "3/3 ready, 1 old pod not deleted yet"),
        (item("StatefulSet", "s", spec={"replicas": 3}), State.WAITING, "0/3 ready"),
        (item("Deployment", "d", status={}), State.WAITING, "0/1 ready"),
        (deployment(ready=0), State.WAITING, "0/1 ready"),
    ],
)
def test_condition_of_a_rollout(found: Obj | None, state: State, text: str) -> None:
    assert conditions.rollout(found) == Condition(state, text)


@pytest.mark.parametrize("reason", ["CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "InvalidImageName"])
def test_stuck_pod_is_named_with_its_reason(reason: str) -> None:
    pods = [pod("hazelcast-0"), pod("hazelcast-1", ready=False, waiting=reason, message="as it says")]
    condition = conditions.rollout(statefulset(2, ready=1), pods)
    assert condition == Condition(State.BROKEN, f"1/2 ready: pod hazelcast-1: {reason}: as it says")


def test_stuck_pod_outranks_a_pod_being_deleted() -> None:
    pods = [pod("hazelcast-0", ready=False, going=True), pod("hazelcast-1", ready=False, waiting="ErrImagePull")]
    assert conditions.rollout(statefulset(2, ready=0), pods).text == "0/2 ready: pod hazelcast-1: ErrImagePull"
    assert conditions.rollout(statefulset(2, ready=0), pods[:1]).text == "0/2 ready: pod hazelcast-0: is being deleted"


def _unscheduled(**why: Any) -> Obj:
    one = pod("p", ready=False)
    one["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", **why}]
    return one


def _last_crash(restarts: int, *, ready: bool = False, **end: Any) -> Obj:
    one = pod("p", ready=ready)
    last = {"terminated": {"finishedAt": "2026-03-01T10:00:00Z", **end}}
    one["status"]["containerStatuses"] = [{"ready": ready, "restartCount": restarts, "lastState": last}]
    return one


@pytest.mark.parametrize(
    ("one", "condition"),
    [
        (pod("p"), Condition(State.OK)),
        (pod("p", ready=False), Condition(State.WAITING)),
        (pod("p", ready=False, waiting="ContainerCreating"), Condition(State.WAITING)),
        (pod("p", ready=False, waiting="PodInitializing", init={"waiting": {"reason": "ErrImagePull"}}),
         Condition(State.BROKEN, "pod p: ErrImagePull", conditions.STUCK_GRACE_SECONDS)),
        (pod("p", going=True), Condition(State.WAITING, "pod p: is being deleted")),
        (_last_crash(1, reason="OOMKilled", exitCode=137),
         Condition(State.WAITING, "pod p: restarted 1 time; before: OOMKilled, exit code 137")),
        (_last_crash(3), Condition(State.WAITING, "pod p: restarted 3 times; before: ended, exit code ?")),
        (_last_crash(3, ready=True, exitCode=1), Condition(State.OK)),
        (_unscheduled(reason="Unschedulable", message="0/1 nodes"),
         Condition(State.BROKEN, "pod p: Unschedulable: 0/1 nodes", conditions.UNSCHEDULABLE_GRACE_SECONDS)),
        (item("Pod", "p"), Condition(State.WAITING)),
    ],
)  # fmt: skip
def test_reason_why_a_pod_is_not_ready(one: Obj, condition: Condition) -> None:
    assert conditions.pod_trouble(one) == condition


def test_pods_of_an_app_are_sorted_by_name() -> None:
    pods = [pod("b"), pod("x", "other"), pod("a"), item("Pod", "bare")]
    assert [objects.name(one) for one in conditions.of_app(pods, "hazelcast")] == ["a", "b"]


def test_missing_names() -> None:
    services = [service("hazelcast-0"), service("hazelcast-1", going=True), service("other")]
    assert conditions.missing_names(services, NAMES) == ["hazelcast-1"]
    assert conditions.missing_names([], NAMES) == list(NAMES)


def mancenter(started: str = "", **parts: Any) -> Obj:
    return pod("mc", "hazelcast-mancenter", started=started, **parts)


@pytest.mark.parametrize(
    ("pods", "made", "first"),
    [
        ([mancenter(EARLY)], [NOON, NOON], True),
        ([mancenter(NOON)], [EARLY, LATE], True),
        ([mancenter(LATE)], [EARLY, NOON], False),
        ([mancenter(NOON)], [NOON, NOON], False),
        # It waits in its init container, or does not exist.
        ([mancenter()], [NOON, NOON], False),
        ([], [NOON, NOON], False),
        # The names do not exist: unknown.
        ([mancenter(EARLY)], [], False),
        # A restart: the old pod is being deleted, the new one started later.
        ([mancenter(EARLY, going=True), mancenter(LATE)], [NOON, NOON], False),
        ([mancenter(EARLY, going=True)], [NOON, NOON], False),
    ],
)
def test_management_center_started_before_the_names(pods: list[Obj], made: list[str], first: bool) -> None:
    services = [service(name, created=moment) for name, moment in zip(NAMES, made, strict=False)]
    services.append(service("unrelated", created="2027-01-01T00:00:00Z"))
    assert conditions.mancenter_started_too_early(pods, services, NAMES) is first


def test_site_in_error_has_a_short_grace_unless_it_recovers_by_itself() -> None:
    assert conditions.site(skupper_site("s", "Error", "Unsupported value")).grace < 10
    waits_for_garbage_collection = skupper_site("s", "Error", 'skupper-router is not owned by skupper site "u"')
    assert conditions.site(waits_for_garbage_collection).grace == math.inf
    assert conditions.site(skupper_site("s")).ok


def test_unprocessed_site_is_broken_after_a_grace_period() -> None:
    condition = conditions.site(item("Site", "s"))
    assert (condition.state, condition.text) == (State.BROKEN, "not processed yet by the Skupper controller")
    assert 0 < condition.grace < 60
