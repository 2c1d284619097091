"""Reports routers that were restarted a short time ago: their connections were interrupted. Pure.

A router that crashes again and again, or that the kubelet restarts because it does not answer in time, is Ready in
between, and so are its Site and its Links.
"""

from __future__ import annotations

from hzlink.model import conditions, container_failures, objects
from hzlink.model.durations import ago
from hzlink.observe.snapshot import Snapshot, Snapshots

# For how long a restart is reported.
RECENT_SECONDS = 600.0


def warnings(snapshots: Snapshots) -> tuple[str, ...]:
    """A line for each container of a ready router that was restarted within the last `RECENT_SECONDS`.

    The path reports a router that is not ready.
    """
    return tuple(text for snapshot in snapshots.values() for text in _of_site(snapshot))


def _of_site(snapshot: Snapshot) -> list[str]:
    found = []
    for pod in filter(conditions.is_ready, conditions.router_pods(snapshot.items)):
        for container in container_failures.all_of(pod):
            before = (container.get("lastState") or {}).get("terminated") or {}
            ended = objects.moment(before.get("finishedAt"))
            if not container.get("restartCount") or ended is None or snapshot.at is None:
                continue
            seconds = (snapshot.at - ended).total_seconds()
            if seconds <= RECENT_SECONDS:
                name, times = container.get("name"), container_failures.times(container)
                text = f"{snapshot.site.name}: the router's container {name} ended {ago(seconds)} and was {times}"
                found.append(f"{text} ({container_failures.cause(pod, container)}): its connections were interrupted")
    return found
