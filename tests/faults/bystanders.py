"""Foreign objects with names and labels similar to hzlink's. hzlink must not change them.

Controllers write into objects of some kinds (a Deployment's status, Skupper's kinds): the fields that they write are
not compared. All other objects must stay identical, including their resourceVersion.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sandbox.api import kinds
from sandbox.api.kinds import Obj, Resource
from sandbox.skupper.controller import kinds as skupper_kinds
from tests.faults.world import SERVERS, World

PDBS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
MANAGED_BY, PART_OF = "app.kubernetes.io/managed-by", "app.kubernetes.io/part-of"
# hzlink's label with another topology; this topology's label with another tool; only the workload's label.
OTHER_TOPOLOGY = {MANAGED_BY: "hzlink", PART_OF: "hazelcast-2"}
OTHER_TOOL = {MANAGED_BY: "Helm", PART_OF: "hazelcast"}
NO_MARK = {"app": "hazelcast", "app.kubernetes.io/name": "hazelcast"}
# A code and a key that hzlink must not print either.
CODE, KEY = "planted-code-Zq8Wm3Tt", "planted-key-Lk5Rn7Vx"

_PODS = {"metadata": {"labels": {"app": "mine"}}, "spec": {"containers": [{"name": "main", "image": "mine"}]}}
_WORKLOAD: Obj = {"replicas": 0, "selector": {"matchLabels": {"app": "mine"}}, "template": _PODS}
_LINK: Obj = {"endpoints": [{"name": "inter-router", "host": "192.0.2.1", "port": "55671"}], "tlsCredentials": "mine"}
_WRITTEN_INTO = {
    *("Deployment", "StatefulSet", "PodDisruptionBudget"),
    *("Listener", "Connector", "Link", "AccessGrant", "AccessToken", "Site"),
}


def _all() -> list[tuple[Resource, str, dict[str, str], Obj]]:
    grant = {"redemptionsAllowed": 2, "expirationWindow": "1h", "code": CODE}
    # A closed port, so that the attempt fails at once.
    token = {"url": "https://127.0.0.1:1/mine", "code": CODE, "ca": "planted-authority-Hg2Pd9"}
    budget = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "mine"}}}
    subjects = [{"kind": "ServiceAccount", "name": "hazelcast-mine"}]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "hazelcast-mine"}
    offer = {"routingKey": "mine", "port": 80}
    return [
        (kinds.CONFIG_MAPS, "hazelcast-config-mine", OTHER_TOPOLOGY, {"data": {"keep": "me"}}),
        (kinds.CONFIG_MAPS, "hazelcast-mancenter-config-2", OTHER_TOOL, {"data": {"keep": "me"}}),
        (kinds.SECRETS, "hazelcast-other", OTHER_TOPOLOGY, {"stringData": {"tls.key": KEY}}),
        (kinds.SECRETS, "hazelcast-cluster-mine", NO_MARK, {"stringData": {"tls.key": KEY}}),
        (kinds.SERVICES, "hazelcast-10", NO_MARK, {"spec": {"ports": [{"port": 5701}]}}),
        (kinds.SERVICES, "hazelcast-mancenter-2", OTHER_TOOL, {"spec": {"ports": [{"port": 8080}]}}),
        (kinds.DEPLOYMENTS, "hazelcast-mancenter-2", NO_MARK, {"spec": _WORKLOAD}),
        (kinds.STATEFUL_SETS, "hazelcast-2", OTHER_TOPOLOGY, {"spec": {**_WORKLOAD, "serviceName": "mine"}}),
        (PDBS, "hazelcast-2", OTHER_TOOL, {"spec": budget}),
        (kinds.LEASES, "hazelcast-mine", OTHER_TOPOLOGY, {"spec": {"holderIdentity": "me"}}),
        (kinds.SERVICE_ACCOUNTS, "hazelcast-mine", OTHER_TOPOLOGY, {}),
        (kinds.ROLES, "hazelcast-mine", OTHER_TOPOLOGY, {"rules": []}),
        (kinds.ROLE_BINDINGS, "hazelcast-mine", OTHER_TOOL, {"subjects": subjects, "roleRef": role}),
        (skupper_kinds.LISTENERS, "hazelcast-2", OTHER_TOPOLOGY, {"spec": {**offer, "host": "mine"}}),
        (skupper_kinds.CONNECTORS, "hazelcast-2", OTHER_TOOL, {"spec": {**offer, "host": "mine.example"}}),
        (skupper_kinds.LINKS, "hazelcast-elsewhere", OTHER_TOPOLOGY, {"spec": _LINK}),
        (skupper_kinds.GRANTS, "hazelcast-elsewhere", OTHER_TOPOLOGY, {"spec": grant}),
        (skupper_kinds.TOKENS, "hazelcast-elsewhere", OTHER_TOOL, {"spec": token}),
    ]


def plant(world: World, servers: Sequence[str] = SERVERS) -> None:
    """Creates one object of every kind and records them in the world."""
    for server in servers:
        for resource, name, labels, body in _all():
            world.create(server, resource, {"metadata": {"name": name, "labels": labels}, **body})
            world.planted.append((server, resource, name))


def remove_other_topology(world: World, server: str) -> None:
    """Removes the planted objects of another topology of hzlink from a cluster, also from the world's record."""
    for resource, name, labels, _ in _all():
        if labels is OTHER_TOPOLOGY:
            world.delete(server, resource, name)
            world.planted.remove((server, resource, name))


def content(world: World) -> dict[str, str]:
    """The planted objects as text, by name; "gone" for those that do not exist."""
    found = {}
    for server, resource, name in world.planted:
        item = world.get(server, resource, name)
        key = f"{server}: {resource.kind} {name}"
        found[key] = "gone" if item is None else json.dumps(_compared(resource, item), sort_keys=True)
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The objects that have changed."""
    return [
        f"{name}\n  was {text}\n  is  {after.get(name)}" for name, text in before.items() if after.get(name) != text
    ]


def _compared(resource: Resource, item: Obj) -> Any:
    if resource.kind not in _WRITTEN_INTO:
        return item
    dropped = ("managedFields", "resourceVersion", "annotations")
    meta = {key: value for key, value in item["metadata"].items() if key not in dropped}
    own = {k: v for k, v in item["metadata"].get("annotations", {}).items() if not k.startswith("deployment.kubern")}
    return {**{k: v for k, v in item.items() if k != "status"}, "metadata": {**meta, "annotations": own}}
