"""Kubernetes objects as kubectl prints them, and a working topology of them that tests change."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from hzlink.model import topology as names
from hzlink.model.choices import Role
from hzlink.model.errors import HzlinkError
from hzlink.model.topology import Settings, Site, Topology
from hzlink.observe.snapshot import Snapshot
from hzlink.report import report
from hzlink.report.report import Report

Obj = dict[str, Any]

CORE = Site("core", Role.CLUSTER, "core-ctx", "hz")
EDGE = Site("edge", Role.CLIENT, "edge-ctx", "hz")
WEST = Site("west", Role.CLIENT, "west-ctx", "hz2")

EARLY, NOON, LATE = "2026-01-01T10:00:00Z", "2026-01-01T12:00:00Z", "2026-01-01T14:00:00Z"


def topology(*clients: Site, name: str = "hazelcast", **settings: Any) -> Topology:
    """Core and its clients (edge alone, if none are named)."""
    return Topology(name, CORE, clients or (EDGE,), Settings(**settings))


def item(kind: str, name: str, *, ours: bool = False, created: str = NOON, uid: str = "", **parts: Any) -> Obj:
    """Any object; `parts` are its top-level fields, `labels`, `owner` and `going` go into its metadata."""
    metadata: Obj = {"name": name, "uid": uid or f"uid-{kind}-{name}", "creationTimestamp": created}
    marks = {**(names.labels("hazelcast") if ours else {}), **parts.pop("labels", {})}
    if marks:
        metadata["labels"] = marks
    if owner := parts.pop("owner", None):
        metadata["ownerReferences"] = [{"kind": owner["kind"], "uid": owner["metadata"]["uid"]}]
    if parts.pop("going", False):
        metadata["deletionTimestamp"] = LATE
    return {"apiVersion": parts.pop("apiVersion", "v1"), "kind": kind, "metadata": metadata, **parts}


def status_conditions(**states: bool) -> list[Obj]:
    return [{"type": kind, "status": str(state)} for kind, state in states.items()]


def skupper_status(word: str | None, message: str = "", **more: Any) -> Obj:
    """The status of a Skupper resource; a `word` of None is a status that the controller has not set."""
    return {} if word is None else {"status": word, "message": message or ("OK" if word == "Ready" else ""), **more}


def skupper_site(name: str, word: str | None = "Ready", message: str = "", *, host: str = "", **parts: Any) -> Obj:
    endpoints = [{"name": "inter-router", "host": host, "port": "55671"}] if host else []
    access = parts.pop("access", "default" if host else None)
    held = parts.pop("holds", {"Running": word == "Ready", "Resolved": bool(host), "Ready": word == "Ready"})
    status = skupper_status(word, message, endpoints=endpoints, conditions=status_conditions(**held))
    return item("Site", name, spec={"linkAccess": access} if access else {}, status=status, **{"ours": True, **parts})


def link(name: str, word: str | None = "Ready", message: str = "", *, to: Obj | None = None, **parts: Any) -> Obj:
    """A Link; `to` is the Site that its status says it leads to."""
    remote = {"remoteSiteName": to["metadata"]["name"], "remoteSiteId": to["metadata"]["uid"]} if to else {}
    spec = {"tlsCredentials": parts.pop("secret", name)}
    return item("Link", name, spec=spec, status=skupper_status(word, message, **remote), **{"ours": True, **parts})


def offer(kind: str, matched: bool = True, *, by_name: bool = True, **parts: Any) -> Obj:
    """The Listener or Connector."""
    status = skupper_status("Ready") if matched else skupper_status("Pending", f"No matching {kind.lower()}s")
    status["conditions"] = status_conditions(Matched=matched)
    return item(kind, "hazelcast", spec={"exposePodsByName": by_name}, status=status, **{"ours": True, **parts})


def workload(kind: str, name: str, replicas: int = 1, ready: int | None = None, **parts: Any) -> Obj:
    """A StatefulSet or Deployment of which `ready` (all, if not given) pods are ready."""
    ready = replicas if ready is None else ready
    status = {"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": ready}
    made = item(kind, name, spec={"replicas": replicas}, status=status | parts.pop("status", {}), **parts)
    made["metadata"]["generation"] = 1
    return made


def statefulset(replicas: int = 3, ready: int | None = None, **parts: Any) -> Obj:
    return workload("StatefulSet", "hazelcast", replicas, ready, **{"ours": True, **parts})


def deployment(ready: int = 1, **parts: Any) -> Obj:
    return workload("Deployment", "hazelcast-mancenter", 1, ready, **{"ours": True, **parts})


def pod(name: str, app: str = "hazelcast", *, ready: bool = True, **parts: Any) -> Obj:
    """A pod; `waiting` is the reason why its container waits, `started` when it started."""
    state: Obj = {}
    if reason := parts.pop("waiting", ""):
        state = {"waiting": {"reason": reason, "message": parts.pop("message", "")}}
    elif started := parts.pop("started", ""):
        state = {"running": {"startedAt": started}}
    init = parts.pop("init", None)
    status: Obj = {
        "conditions": status_conditions(PodScheduled=True, Ready=ready),
        "containerStatuses": [{"state": state}],
    }
    if init is not None:
        status["initContainerStatuses"] = [{"state": init}]
    return item("Pod", name, labels={"app": app, **parts.pop("labels", {})}, status=status, **parts)


def service(name: str, **parts: Any) -> Obj:
    return item("Service", name, spec=parts.pop("spec", {"type": "ClusterIP"}), **parts)


def members(count: int = 3) -> list[Obj]:
    return [pod(f"hazelcast-{number}", owner=statefulset(count)) for number in range(count)]


@dataclass
class World:
    """A working topology; tests change `live` (the existing objects, by site)."""

    topology: Topology
    live: dict[Site, list[Obj]] = field(default_factory=dict)
    wanted: dict[Site, list[Obj]] = field(default_factory=dict)

    def snapshots(self) -> dict[Site, Snapshot]:
        return {site: Snapshot(site, tuple(items)) for site, items in self.live.items()}

    def find(self, site: Site, kind: str, name: str = "") -> Obj:
        [found] = [one for one in self.live[site] if _is(one, kind, name)]
        return found

    def drop(self, site: Site, kind: str, name: str = "") -> None:
        kept = [one for one in self.live[site] if not _is(one, kind, name)]
        assert len(kept) < len(self.live[site]), f"there was no {kind} {name}"
        self.live[site] = kept

    def put(self, site: Site, new: Obj) -> None:
        """Adds an object, or replaces the one of that kind and name."""
        self.live[site] = [one for one in self.live[site] if not _is(one, new["kind"], new["metadata"]["name"])]
        self.live[site].append(new)


def _is(one: Obj, kind: str, name: str) -> bool:
    return bool(one["kind"] == kind and name in ("", one["metadata"]["name"]))


def converged(topo: Topology | None = None) -> World:
    """A working topology: the cluster site issued; each client site has a link, names and Management Center."""
    topo = topo or topology()
    count = topo.settings.members
    core = skupper_site("core", host="203.0.113.7")
    world = World(topo)
    world.live[CORE] = [core, offer("Connector"), statefulset(count), *members(count), service("hazelcast", ours=True)]
    for client in topo.clients:
        mine = skupper_site(client.name)
        per_pod = [service(f"hazelcast-{number}", owner=mine, created=EARLY) for number in range(count)]
        mancenter = pod("hazelcast-mancenter-1", "hazelcast-mancenter", started=NOON)
        world.live[client] = [
            *(mine, offer("Listener"), link("hazelcast-core", to=core, owner=mine), service("hazelcast"), *per_pod),
            *(deployment(), mancenter, service("hazelcast-mancenter", ours=True)),
        ]
    for site in topo.sites:
        applied = [one for one in world.live[site] if one["kind"] != "Link" and one["metadata"].get("labels")]
        applied = [one for one in applied if names.MANAGED_BY in one["metadata"]["labels"]]
        world.wanted[site] = [_as_applied(one) for one in applied]
    return world


def _as_applied(live: Obj) -> Obj:
    """What the manifests would say of a live object: without what the cluster added."""
    kept = {key: deepcopy(value) for key, value in live.items() if key != "status"}
    kept["metadata"] = {key: live["metadata"][key] for key in ("name", "labels")}
    return kept


def report_of(world: World, errors: dict[Site, HzlinkError] | None = None) -> Report:
    """The report on a world, with sites that could not be read."""
    unread = {site: Snapshot(site, error=error) for site, error in (errors or {}).items()}
    return report.make(world.topology, world.snapshots() | unread)
