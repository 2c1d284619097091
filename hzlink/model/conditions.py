"""Evaluates the status of one object: ready, not ready yet, or failed, each with the reason. Pure.

The fields are those of Skupper 2.2 and of Kubernetes workloads. Skupper's `status.message` is quoted unchanged.
Skupper's conditions lag behind the traffic by about 12 s, in both directions (measured on Skupper 2.2.1).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from hzlink.model import container_failures, link_host, objects
from hzlink.model.objects import Object


class State(StrEnum):
    """The state of one object."""

    OK = "ok"
    WAITING = "waiting"
    BROKEN = "broken"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Condition:
    """A state and the reason for it, quoted from the cluster where it gives one.

    `grace`: seconds that a wait tolerates BROKEN before it fails; without limit by default.
    """

    state: State
    text: str = ""
    grace: float = math.inf

    @property
    def ok(self) -> bool:
        """Whether the state is OK."""
        return self.state is State.OK


def skupper(item: Object | None) -> Condition:
    """Any Skupper resource, by its `status.status` (Ready, Pending, Error)."""
    if item is None:
        return Condition(State.ABSENT, "not found")
    word = objects.status(item).get("status") or ""
    message = str(objects.status(item).get("message") or "")
    if word == "Ready":
        return Condition(State.OK, message if message != "OK" else "")
    if word == "Error":
        return Condition(State.BROKEN, message or "Error")
    return Condition(State.WAITING, message or NOT_PROCESSED)


# The controller retries a write that conflicted at once. It processes a new Site within 1 s (measured), unless it is
# being restarted.
ERROR_GRACE_SECONDS = 3.0
CONTROLLER_GRACE_SECONDS = 20.0
NOT_PROCESSED = "not processed yet by the Skupper controller"
# A new Site's error until the garbage collector has removed the objects of the previous Site.
_RESOLVES_ITSELF = "is not owned by skupper site"


def site(item: Object | None) -> Condition:
    """The condition of a Site for a wait: an error that cannot resolve itself ends the wait early."""
    condition = skupper(item)
    if condition.state is State.BROKEN and _RESOLVES_ITSELF not in condition.text:
        return replace(condition, grace=ERROR_GRACE_SECONDS)
    if condition.text == NOT_PROCESSED:
        return Condition(State.BROKEN, NOT_PROCESSED, CONTROLLER_GRACE_SECONDS)
    return condition


def since(item: Object) -> datetime | None:
    """When the object last changed its state (UTC): the last transition of its main condition, or of the first
    condition that is False; for an object without conditions, its creation.
    """
    conditions = [entry for entry in objects.status(item).get("conditions") or [] if entry.get("type") != "Resolved"]
    main = [entry for entry in conditions if entry.get("type") in ("Ready", "Available")]
    if not any(entry.get("status") == "True" for entry in main):
        main = [entry for entry in conditions if entry.get("status") == "False"] + main
    moments = [moment for entry in main if (moment := objects.moment(entry.get("lastTransitionTime")))]
    return moments[0] if moments else objects.created(item)


def needs_address(site: Object | None) -> bool:
    """Whether the Site's router runs and the Site lacks only its address for links."""
    if site is None:
        return False
    return (
        objects.holds(site, "Running")
        and not objects.holds(site, "Ready")
        and not objects.holds(site, "Resolved")
        and objects.spec(site).get("linkAccess") not in (None, "", "none")
    )


def address(site: Object | None) -> str | None:
    """The host where other sites' routers connect to this Site, once it has one."""
    return next(iter(addresses(site).values()), None)


def addresses(site: Object | None) -> dict[str, str]:
    """The address of each of the Site's routers, by the router's group. A Site with `ha` has two."""
    return {group: host for group, (host, _) in places(site).items()}


def places(site: Object | None) -> dict[str, tuple[str, str]]:
    """The host and port of each of the Site's routers, by the router's group, without those behind a --link-host."""
    listed = objects.status(site or {}).get("endpoints") or []
    return routers_at(one for one in listed if not link_host.is_own_endpoint(str(one.get("host") or "")))


def link_hosts(link: Object) -> dict[str, str]:
    """The hosts that a Link connects to, by the group of the router."""
    return {group: host for group, (host, _) in routers_at(objects.spec(link).get("endpoints")).items()}


def routers_at(endpoints: Any) -> dict[str, tuple[str, str]]:
    """The host and port for other sites' routers, by the router's group, in the endpoints of a Link or a Site."""
    found: dict[str, tuple[str, str]] = {}
    for one in endpoints or []:
        if one.get("name") == "inter-router" and one.get("host"):
            found.setdefault(str(one.get("group") or ""), (str(one["host"]), str(one.get("port") or "")))
    return found


def balancer_address(service: Object) -> str:
    """The address that a load balancer assigned to a Service; empty if there is none yet."""
    ingress = (objects.status(service).get("loadBalancer") or {}).get("ingress") or []
    first = ingress[0] if ingress else {}
    return str(first.get("ip") or first.get("hostname") or "")


def matched(item: Object | None) -> Condition:
    """The condition of a Listener or Connector: OK when it has a matching counterpart."""
    condition = skupper(item)
    if item is not None and condition.ok and not objects.holds(item, "Matched"):
        return Condition(State.WAITING, "not matched yet")
    return condition


def only_unmatched(item: Object) -> bool:
    """Whether a Listener or Connector is configured and lacks only a matching counterpart."""
    unmatched = objects.condition(item, "Matched").get("status") == "False" or objects.holds(item, "Ready")
    return unmatched and objects.condition(item, "Configured").get("status") != "False"


def link_is_stale(link: Object, peer: Object | None) -> bool:
    """Whether the Link was made for a Site that was deleted. The current Site does not accept its certificates."""
    if peer is None:
        return False
    remote = objects.status(link).get("remoteSiteId")
    if remote:
        return bool(remote != objects.uid(peer))
    made, peer_made = objects.created(link), objects.created(peer)
    return made is not None and peer_made is not None and made < peer_made


def rollout(item: Object | None, pods: Iterable[Object] = ()) -> Condition:
    """The condition of a StatefulSet or Deployment, as of `kubectl rollout status`, with the reason of a failed pod."""
    if item is None:
        return Condition(State.ABSENT, "not found")
    wanted = wanted_replicas(item)
    status = objects.status(item)
    seen = int(status.get("observedGeneration", 0)) >= int(item.get("metadata", {}).get("generation", 0))
    updated, ready = int(status.get("updatedReplicas", 0)), int(status.get("readyReplicas", 0))
    total = int(status.get("replicas", 0))
    if seen and updated >= wanted and ready >= wanted and total <= wanted:
        return Condition(State.OK, f"{ready}/{wanted}")
    troubles = pod_troubles(pods)
    if total < wanted and (why := not_created(item)):
        return Condition(State.BROKEN, f"{ready}/{wanted} ready: pods are not created: {why}")
    if broken := next((trouble for trouble in troubles if trouble.state is State.BROKEN), None):
        return Condition(State.BROKEN, f"{ready}/{wanted} ready: {broken.text}")
    if troubles:
        return Condition(State.WAITING, f"{ready}/{wanted} ready: {troubles[0].text}")
    left = f", {total - wanted} old pod not deleted yet" if ready >= wanted and total > wanted else ""
    return Condition(State.WAITING, f"{ready}/{wanted} ready{left}")


def not_created(workload: Object) -> str:
    """Why pods of a workload cannot be created, as the cluster says; empty if no reason is known.

    A Deployment has this in its status. A StatefulSet does not: `observe.pod_evidence` adds it.
    """
    failure = objects.condition(workload, "ReplicaFailure")
    return str(failure.get("message") or failure.get("reason") or "") if failure.get("status") == "True" else ""


# Ten times the highest number that hzlink sets. A user of the namespace may write any number into a StatefulSet.
MAX_REPLICAS = 1000


def wanted_replicas(item: Object) -> int:
    """`spec.replicas`, 1 if it is not set; at most `MAX_REPLICAS`."""
    return min(int(objects.spec(item).get("replicas", 1)), MAX_REPLICAS)


# Reasons of a waiting container that usually do not resolve themselves.
_STUCK = (
    *("CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName"),
    *("CreateContainerConfigError", "CreateContainerError", "RunContainerError"),
)
# The kubelet's first back-off is 10 s: a single failure may resolve itself.
STUCK_GRACE_SECONDS = 12.0
# A pod that ends, or a node that is being added, makes the pod schedulable.
UNSCHEDULABLE_GRACE_SECONDS = 15.0


def pod_trouble(pod: Object) -> Condition:
    """Why the pod is not ready. The text is empty if the pod is ready or is only starting."""
    label = f"pod {objects.name(pod)}"
    if objects.is_being_deleted(pod):
        return Condition(State.WAITING, f"{label}: is being deleted")
    if (said := objects.status(pod)).get("phase") == "Failed" and said.get("reason"):
        # For example Evicted: the kubelet ended the pod, and its controller creates another one.
        return Condition(State.WAITING, f"{label}: {said['reason']}: {said.get('message', '')}".rstrip(": "))
    scheduled = objects.condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        text = f"{label}: {scheduled.get('reason')}: {scheduled.get('message', '')}".strip(": ")
        return Condition(State.BROKEN, text, UNSCHEDULABLE_GRACE_SECONDS)
    for container in _containers(pod):
        waiting = (container.get("state") or {}).get("waiting") or {}
        reason = waiting.get("reason", "")
        if reason in _STUCK:
            why = str(waiting.get("message", ""))
            # The kubelet's message has only the back-off time, not why the container crashed.
            if reason == "CrashLoopBackOff" and (cause := container_failures.cause(pod, container)):
                why = f"container {container.get('name')} {container_failures.times(container)}; before: {cause}"
            return Condition(State.BROKEN, f"{label}: {reason}: {why}".rstrip(": "), STUCK_GRACE_SECONDS)
    if is_ready(pod):
        return Condition(State.OK)
    return Condition(State.WAITING, f"{label}: {failure}" if (failure := _failure_of(pod)) else "")


def pod_troubles(pods: Iterable[Object]) -> list[Condition]:
    """The conditions of the pods that are not ready and have a reason."""
    return [trouble for trouble in map(pod_trouble, pods) if trouble.text]


def restarts(pod: Object) -> int:
    """How often the pod's containers were restarted, in total."""
    return sum(container.get("restartCount", 0) for container in _containers(pod))


def crashed_container(pod: Object) -> Object | None:
    """The status of the pod's container that is not ready and has ended before; None if there is none.

    Between two crashes the container is not `waiting`: only its last state shows that it crashed.
    """
    for container in _containers(pod):
        ended = (container.get("lastState") or {}).get("terminated")
        if ended and container.get("restartCount") and not container.get("ready"):
            return container
    return None


def _failure_of(pod: Object) -> str:
    """What is said of a pod with a container that has ended; empty where none has."""
    if container := crashed_container(pod):
        return f"{container_failures.times(container)}; before: {container_failures.cause(pod, container)}"
    for container in _containers(pod):
        if (container.get("state") or {}).get("terminated") and container_failures.ended(container):
            return f"container {container.get('name')} has ended: {container_failures.cause(pod, container)}"
    return ""


_containers = container_failures.all_of


ROUTER_SELECTOR = "skupper.io/component=router"
ROUTER = "skupper-router"


def routers(items: Iterable[Object]) -> Condition:
    """A site's router pods. One ready pod is enough (with `ha` there are two).

    OK, too, where neither a pod nor a Deployment of the router's can be seen: then the Site's word has to do.
    """
    listed = list(items)
    pods = router_pods(listed)
    if any(is_ready(pod) for pod in pods):
        return Condition(State.OK)
    if pods:
        return next(iter(pod_troubles(pods)), Condition(State.WAITING, "no router pod is ready"))
    made = [item for item in listed if item.get("kind") == "Deployment" and objects.name(item) == ROUTER]
    if not made:
        return Condition(State.OK)
    why = not_created(made[0])
    return Condition(State.WAITING, f"Deployment {ROUTER} has no pod{f': {why}' if why else ''}")


def router_pods(items: Iterable[Object]) -> list[Object]:
    """The pods of a site's router."""
    key, _, value = ROUTER_SELECTOR.partition("=")
    return [item for item in items if item.get("kind") == "Pod" and objects.labels(item).get(key) == value]


def is_ready(pod: Object) -> bool:
    """Whether the pod is Ready and is not being deleted."""
    return objects.holds(pod, "Ready") and not objects.is_being_deleted(pod)


def has_ended(pod: Object) -> bool:
    """Whether the pod's containers have ended for good, for example because the kubelet evicted the pod."""
    return objects.status(pod).get("phase") in ("Succeeded", "Failed")


def of_app(pods: Iterable[Object], app: str) -> list[Object]:
    """The pods with that `app` label, by name."""
    return sorted((pod for pod in pods if objects.labels(pod).get("app") == app), key=objects.name)


def missing_names(services: Iterable[Object], names: Sequence[str]) -> list[str]:
    """The members' names that have no Service yet. Skupper makes one for each member at a client site."""
    present = {objects.name(service) for service in services if not objects.is_being_deleted(service)}
    return [name for name in names if name not in present]


def names(services: Iterable[Object], wanted: Sequence[str]) -> Condition:
    """The condition of a client site's member names: OK once each of them has its Service."""
    missing = missing_names(services, wanted)
    return Condition(State.WAITING, f"no Service yet: {', '.join(missing)}") if missing else Condition(State.OK)


# Skupper's label on the Services that it makes for a Listener. The value is the Listener's name.
OF_LISTENER = "internal.skupper.io/listener"


def member_services(services: Iterable[Object], listener: str) -> list[Object]:
    """The Services that Skupper made for single members, from the Listener of that name."""
    made = [service for service in services if objects.labels(service).get(OF_LISTENER) == listener]
    return [service for service in made if objects.name(service) != listener]


def stale_names(services: Iterable[Object], listener: str, names: Sequence[str]) -> list[str]:
    """The names of Services that Skupper made from the Listener for members that are not among `names`."""
    made = member_services(services, listener)
    present = [objects.name(service) for service in made if not objects.is_being_deleted(service)]
    return sorted(name for name in present if name not in names)


def newest_start(pods: Iterable[Object]) -> datetime | None:
    """When the newest container of these pods started; None while their init containers wait."""
    started = [
        moment
        for pod in pods
        if not objects.is_being_deleted(pod)
        for container in objects.status(pod).get("containerStatuses") or []
        if (moment := objects.moment(((container.get("state") or {}).get("running") or {}).get("startedAt")))
    ]
    return max(started, default=None)


def mancenter_started_too_early(pods: Iterable[Object], services: Iterable[Object], names: Sequence[str]) -> bool:
    """Whether Management Center started before the members' Services existed, so that it may have found no member.

    `pods`: Management Center's pods; `names`: the members' names.

    Management Center does not try again if it finds no member at its start.
    """
    started = newest_start(pods)
    made = [objects.created(service) for service in services if objects.name(service) in names]
    known = [moment for moment in made if moment is not None]
    return started is not None and bool(known) and started < max(known)
