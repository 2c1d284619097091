"""Objects as kubectl prints them, in the states that the tests need, with the fields of Skupper 2.2 and Kubernetes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hzlink.model.objects import Object
from hzlink.model.topology import labels

EARLIER, LATER = "2026-03-01T10:00:00Z", "2026-03-01T10:05:00Z"
# When the observation of these objects ended.
OBSERVED = datetime(2026, 3, 1, 10, 5, 42, tzinfo=UTC)
OURS = labels("hazelcast")
WORKLOAD, MANCENTER = "hazelcast", "hazelcast-mancenter"


def item_of(kind: str, name: str, marks: dict[str, str] = OURS, **body: Any) -> Object:
    """Any object: kind, name, labels (hzlink's, unless others are given), and its other fields."""
    metadata = {"name": name, "uid": f"uid-{kind}-{name}", "creationTimestamp": EARLIER, "labels": marks}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **body}


def conditions(**states: bool) -> list[dict[str, str]]:
    """Conditions by type, since LATER: `Ready=True`."""
    return [
        {"type": kind, "status": "True" if state else "False", "lastTransitionTime": LATER}
        for kind, state in states.items()
    ]


def skupper_site(
    name: str,
    *,
    host: str = "",
    message: str = "",
    version: str = "2.2.1",
    link_access: str = "none",
    network: list[dict[str, Any]] | None = None,
) -> Object:
    """A Skupper Site: Ready, or Pending with its message; `network` lists the Sites that it knows."""
    status = {
        "status": "Pending" if message else "Ready",
        "message": message or "OK",
        "conditions": conditions(Configured=True, Running=True, Resolved=bool(host), Ready=not message),
        "controller": {"name": "skupper-controller", "namespace": "skupper", "version": version},
        "endpoints": [{"name": "inter-router", "host": host, "port": "55671"}] if host else [],
        **({"network": network} if network else {}),
    }
    return item_of("Site", name, spec={"linkAccess": link_access}, status=status)


def network_entry(name: str, *links: dict[str, Any], namespace: str = "hz", uid: str = "") -> dict[str, Any]:
    """An entry of a Site's network: a Site and its Links."""
    return {
        "id": uid or f"uid-Site-{name}",
        "name": name,
        "namespace": namespace,
        "platform": "kubernetes",
        "version": "2.2.1",
        **({"links": list(links)} if links else {}),
    }


def network_link(issuer: str, *, up: bool = True) -> dict[str, Any]:
    """A Link in such an entry."""
    entry = {"name": f"hazelcast-{issuer}", "remoteSiteId": f"uid-Site-{issuer}", "remoteSiteName": issuer}
    return {**entry, **({"operational": True} if up else {})}


def router(*, stuck: tuple[str, str] | None = None) -> list[Object]:
    """A router's Deployment and pod; with (reason, message) one that does not start."""
    made = item_of("Pod", "skupper-router-6c8d", {"skupper.io/component": "router"}, status={})
    running = pod("skupper-router-6c8d", "skupper-router", ready=not stuck, stuck=stuck)
    deployment = workload("Deployment", "skupper-router", 1, 0 if stuck else 1)
    return [deployment, {**made, "status": running["status"]}]


def offer(kind: str, message: str = "", *, smart: bool = True, error: bool = False) -> Object:
    """A Listener or Connector: matched, or Pending with its message, or with an `error` in its configuration."""
    status = {
        "status": "Error" if error else "Pending" if message else "Ready",
        "message": message or "OK",
        "conditions": conditions(Configured=not error, Matched=not message, Ready=not message),
    }
    return item_of(kind, WORKLOAD, spec={"routingKey": WORKLOAD, "exposePodsByName": smart}, status=status)


def link(issuer: str, message: str = "", *, number: int | None = None, host: str = "") -> Object:
    """A Link to the Site of that name: Ready, or Pending with its message.

    `number` is that of the router, where the Site has several; `host` where the Link leads to.
    """
    status = {
        "status": "Pending" if message else "Ready",
        "message": message or "OK",
        "remoteSiteName": issuer,
        "remoteSiteId": f"uid-Site-{issuer}",
        "conditions": conditions(Configured=True, Operational=not message, Ready=not message),
    }
    spec: dict[str, Any] = {"tlsCredentials": f"hazelcast-{issuer}"}
    if host:
        spec["endpoints"] = [endpoint(host, number or 1)]
    name = f"hazelcast-{issuer}" + ("" if number is None else f"-{number}")
    return item_of("Link", name, spec=spec, status=status)


def endpoint(host: str, number: int = 1) -> dict[str, str]:
    """The endpoint of the router with that number."""
    group = "skupper-router" if number == 1 else f"skupper-router-{number}"
    return {"name": "inter-router", "host": host, "port": "55671", "group": group}


def with_routers(site: Object, *hosts: str) -> Object:
    """The Skupper Site with a router at each of these hosts."""
    endpoints = [endpoint(host, number) for number, host in enumerate(hosts, 1)]
    return {**site, "status": {**site["status"], "endpoints": endpoints}}


def pod(name: str, app: str, *, ready: bool = True, stuck: tuple[str, str] | None = None, init: bool = False) -> Object:
    """A pod: ready, starting, or with a container that waits for (reason, message); `init` runs its init container."""
    waiting = {"reason": stuck[0], "message": stuck[1]} if stuck else {"reason": "PodInitializing"}
    running = {"running": {"startedAt": LATER}}
    container: dict[str, Any] = {"name": app, "ready": ready, "state": running if ready else {"waiting": waiting}}
    if waiting["reason"] == "CrashLoopBackOff":
        ended = {"exitCode": 1, "reason": "Error", "startedAt": EARLIER, "finishedAt": LATER}
        container |= {"restartCount": 3, "lastState": {"terminated": ended}}
    status: dict[str, Any] = {
        "phase": "Running" if ready else "Pending",
        "conditions": conditions(PodScheduled=True, Ready=ready),
        "containerStatuses": [container],
    }
    if init:
        status["initContainerStatuses"] = [{"name": "wait-for-members", "state": {"running": {"startedAt": EARLIER}}}]
    spec = {"containers": [{"name": app, "image": f"example.org/{app}:5.5.0"}]}
    return item_of("Pod", name, {"app": app}, spec=spec, status=status)


def workload(kind: str, name: str, wanted: int, ready: int) -> Object:
    """A StatefulSet or Deployment with `ready` of `wanted` pods ready."""
    status = {"observedGeneration": 1, "replicas": wanted, "updatedReplicas": wanted, "readyReplicas": ready}
    item = dict(item_of(kind, name, spec={"replicas": wanted}, status=status))
    item["metadata"] = {**item["metadata"], "generation": 1}
    return item


def service(name: str, marks: dict[str, str] = OURS, **spec: Any) -> Object:
    """A Service; `ingress` is its load balancer's."""
    ingress = spec.pop("ingress", None)
    status = {"loadBalancer": {"ingress": [ingress]} if ingress else {}}
    spec = {"type": "ClusterIP", "ports": [{"port": 8080}], **spec}
    return item_of("Service", name, marks, spec=spec, status=status)


def members(count: int, down: dict[int, tuple[str, str]] | None = None) -> list[Object]:
    """The members' StatefulSet and pods; `down` names the (reason, message) of those that are not ready."""
    down = down or {}
    pods = [pod(f"{WORKLOAD}-{n}", WORKLOAD, ready=n not in down, stuck=down.get(n)) for n in range(count)]
    return [workload("StatefulSet", WORKLOAD, count, count - len(down)), *pods]


def names(*numbers: int) -> list[Object]:
    """The Services that Skupper makes at a client site, one for each member."""
    return [service(f"{WORKLOAD}-{number}", {"internal.skupper.io/listener": WORKLOAD}) for number in numbers]


def mancenter(*, ready: bool = True, waits: bool = False, **spec: Any) -> list[Object]:
    """Management Center: Deployment, pod and Service. `waits`: its init container still runs."""
    return [
        workload("Deployment", MANCENTER, 1, 1 if ready else 0),
        pod(f"{MANCENTER}-7d4b9c6f5-x2x8q", MANCENTER, ready=ready, init=waits),
        service(MANCENTER, **spec),
    ]


def app_name(name: str, namespace: str) -> Object:
    """The Service of type ExternalName in an application namespace, for a client site in `namespace`."""
    marks = {**OURS, "app.kubernetes.io/component": "app-names"}
    spec = {"type": "ExternalName", "externalName": f"{name}.{namespace}.svc.cluster.local"}
    return {"kind": "Service", "metadata": {"name": name, "labels": marks}, "spec": spec}
