"""The controller's cache of the API servers' objects."""

from __future__ import annotations

from typing import Any, cast

import pytest

from sandbox.api.client import Kube
from sandbox.api.kinds import (
    CONFIG_MAPS,
    PODS,
    ROLES,
    SERVICES,
    ConflictError,
    KubeError,
    NotFoundError,
    Obj,
    Resource,
    WatchEvent,
)
from sandbox.skupper.controller import kinds
from sandbox.skupper.controller.cluster import Cluster, is_ending, labels_match, owner
from sandbox.skupper.network.traffic import load_balanced


class Server:
    """A fake of the API client, with the calls that these tests need."""

    def __init__(self, *objects: Obj) -> None:
        self.objects = {(obj["metadata"]["namespace"], obj["metadata"]["name"]): obj for obj in objects}
        self.refusal: KubeError | None = None

    def get(self, resource: Resource, namespace: str, name: str) -> Obj | None:
        return self.objects.get((namespace, name))

    def create(self, resource: Resource, obj: Obj) -> Obj:
        if self.refusal is not None:
            raise self.refusal
        key = (obj["metadata"]["namespace"], obj["metadata"]["name"])
        if key in self.objects:
            raise ConflictError(409, "AlreadyExists", "there is one")
        self.objects[key] = an_object(**obj["metadata"])
        return self.objects[key]


def an_object(name: str = "x", version: int = 10, uid: str = "u", **meta: Any) -> Obj:
    more = {"namespace": "hz", **meta}
    return {"metadata": {"name": name, "uid": uid, "resourceVersion": str(version), **more}}


def a_cluster(server: Server | None = None) -> Cluster:
    return Cluster("client", cast(Kube, server or Server()))


def test_an_older_event_does_not_replace_an_own_write() -> None:
    cluster = a_cluster()
    cluster.handle(SERVICES, WatchEvent("MODIFIED", an_object(version=12)))
    cluster.handle(SERVICES, WatchEvent("ADDED", an_object(version=11)))
    assert (cluster.get(SERVICES, "hz", "x") or {})["metadata"]["resourceVersion"] == "12"


def test_a_deleted_object_stays_deleted_until_a_new_one_is_created() -> None:
    cluster = a_cluster()
    cluster.handle(SERVICES, WatchEvent("ADDED", an_object()))
    cluster.handle(SERVICES, WatchEvent("DELETED", an_object(version=13)))
    cluster.handle(SERVICES, WatchEvent("MODIFIED", an_object(version=12)))
    assert cluster.get(SERVICES, "hz", "x") is None
    cluster.handle(SERVICES, WatchEvent("ADDED", an_object(version=20, uid="v")))
    cluster.handle(SERVICES, WatchEvent("DELETED", an_object(version=21)))
    assert cluster.get(SERVICES, "hz", "x") is not None


def test_only_watched_objects_are_cached() -> None:
    """Other objects would stay in the cache, because no watch reports their deletion."""
    cluster = a_cluster()
    cluster.create(ROLES, an_object("role"))
    cluster.create(CONFIG_MAPS, an_object("skupper-network-status"))
    cluster.create(CONFIG_MAPS, an_object("skupper-router", labels={"internal.skupper.io/router-config": ""}))
    assert cluster.get(ROLES, "hz", "role") is None
    assert cluster.get(CONFIG_MAPS, "hz", "skupper-network-status") is None
    assert cluster.get(CONFIG_MAPS, "hz", "skupper-router") is not None


def test_a_site_without_a_spec_has_an_empty_one() -> None:
    cluster = a_cluster()
    cluster.handle(kinds.SITES, WatchEvent("ADDED", an_object()))
    assert (cluster.get(kinds.SITES, "hz", "x") or {})["spec"] == {}


def test_objects_of_a_previous_owner_have_to_be_removed_first() -> None:
    site = {"apiVersion": "v", "kind": "Site", **an_object("site", uid="new")}
    server = Server(an_object(ownerReferences=[{"uid": "old"}]))
    wanted = {"metadata": {"name": "x", "namespace": "hz", "ownerReferences": owner(site)}}
    assert a_cluster(server).ensure(SERVICES, wanted) is None
    del server.objects["hz", "x"]
    made = a_cluster(server).ensure(SERVICES, {"metadata": {**an_object()["metadata"], **wanted["metadata"]}})
    assert made is not None


@pytest.mark.parametrize(
    "refusal",
    [
        KubeError(403, "Forbidden", "unable to create new content in namespace hz because it is being terminated"),
        NotFoundError(404, "NotFound", 'namespaces "hz" not found'),
    ],
)
def test_nothing_is_created_in_a_namespace_that_is_being_deleted(refusal: KubeError) -> None:
    server = Server()
    server.refusal = refusal
    assert is_ending(refusal)
    assert a_cluster(server).ensure(SERVICES, an_object()) is None
    server.refusal = KubeError(422, "Invalid", "no such name")
    with pytest.raises(KubeError):
        a_cluster(server).ensure(SERVICES, an_object())


def test_label_selectors() -> None:
    assert labels_match({"a": "1"}, an_object(labels={"a": "1", "b": "2"}))
    assert not labels_match({"a": "1"}, an_object(labels={"a": "2"}))
    assert not labels_match({}, an_object())


def test_a_load_balancer_forwards_to_the_processes_of_its_pods() -> None:
    cluster = a_cluster()
    service = an_object("console", uid="s", creationTimestamp="1")
    service["spec"] = {"selector": {"app": "console"}, "ports": [{"port": 8080, "targetPort": "web"}]}
    service["status"] = {"loadBalancer": {"ingress": [{"ip": "127.0.250.1"}]}}
    cluster.handle(SERVICES, WatchEvent("ADDED", service))
    for name, labels in (("one", {"app": "console"}), ("two", {"app": "console"}), ("other", {"app": "x"})):
        pod = an_object(name, uid=name, labels=labels, creationTimestamp="1")
        pod["spec"] = {"containers": [{"ports": [{"name": "web", "containerPort": 8081}]}]}
        cluster.handle(PODS, WatchEvent("ADDED", pod))
    ports = [8081]
    processes = {
        "client/hz/one": {"ip": "127.0.0.5", "ports": ports},
        "client/hz/other": {"ip": "127.0.0.6", "ports": ports},
    }
    assert load_balanced(cluster, processes) == {("127.0.250.1", 8080): (("127.0.0.5", 8081),)}
    assert load_balanced(cluster, {}) == {}
