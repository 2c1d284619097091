"""Facts for the checks: those of a working topology, apart from what a test changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hzlink.checks.judge import judge
from hzlink.checks.needed_rights import Right
from hzlink.checks.records import Answers, Facts, Finding, Versions
from hzlink.model.choices import Role
from hzlink.model.topology import Site, Topology
from hzlink.observe.snapshot import Snapshot
from tests.unit import builders as make
from tests.unit.builders import CORE, EDGE, World, converged

ALL = {"resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]}
NEEDED = (Right("apps", "statefulsets", "create"), Right("apps", "statefulsets", "patch"), Right("", "pods", "list"))


def deployment(image: str = "quay.io/skupper/controller:2.2.1", ready: int = 1) -> dict[str, Any]:
    """The controller's Deployment."""
    made = make.workload("Deployment", "skupper-controller", 1, ready)
    made["spec"]["template"] = {"spec": {"containers": [{"name": "controller", "image": image}]}}
    return made


def balancer(address: str = "203.0.113.9", name: str = "skupper-grant-server") -> dict[str, Any]:
    """A Service of type LoadBalancer, with an address or waiting for one."""
    ingress = {"loadBalancer": {"ingress": [{"ip": address}]} if address else {}}
    return make.service(name, spec={"type": "LoadBalancer"}, status=ingress)


def namespace(uid: str, **labels: str) -> dict[str, Any]:
    """A Namespace object."""
    return make.item("Namespace", "hz", uid=uid, labels=labels)


def answers(uid: str = "ns", **changes: Any) -> Answers:
    """The answers of a working site."""
    well = Answers(Versions("v1.37.2", "v1.37.0"), ALL, namespace(uid), deployment(), balancer(), False)
    return replace(well, **changes)


def well(topo: Topology | None = None) -> World:
    """A working topology, with the labels that Skupper gives to the Listener's Service."""
    world = converged(topo)
    for client in world.topology.clients:
        world.put(client, make.service("hazelcast", labels={"internal.skupper.io/listener": "hazelcast"}))
    return world


def facts(world: World | None = None, topology: Topology | None = None, **changes: Any) -> Facts:
    """The facts of a working topology; `changes` to the Facts, or to the `core` or `edge` site's answers."""
    world = world or well(topology)
    own = {site: changes.pop(site.name, {}) for site in world.topology.sites}
    answered = {site: answers(f"ns-{site.name}", **own[site]) for site in world.topology.sites}
    snapshots = {site: Snapshot(site, tuple(_of(site, one) for one in items)) for site, items in world.live.items()}
    made = Facts(world.topology, snapshots, answered, "2.2.1", dict.fromkeys(Role, NEEDED))
    return replace(made, **changes)


def _of(site: Site, one: dict[str, Any]) -> dict[str, Any]:
    """The object with a UID that differs between sites, unless a test has set the UID."""
    uid = str(one["metadata"]["uid"])
    return {**one, "metadata": {**one["metadata"], "uid": f"{site.name}-{uid}" if uid.startswith("uid-") else uid}}


def of_nothing(**changes: Any) -> Facts:
    """The facts before the first `up`: both namespaces exist and are empty."""
    world = well()
    world.live = {site: [] for site in world.topology.sites}
    return facts(world, **changes)


def with_snapshot(of: Facts, site: Site, snapshot: Snapshot) -> Facts:
    """The facts with another snapshot of one site."""
    return replace(of, snapshots={**of.snapshots, site: snapshot})


def ended(of: Facts, outcome: str) -> dict[tuple[str | None, str], Finding]:
    """The findings with that outcome, by site and check."""
    found = [finding for finding in judge(of) if finding.word == outcome]
    return {(finding.site.name if finding.site else None, finding.check.id): finding for finding in found}


__all__ = ["CORE", "EDGE"]
