"""Real Hazelcast members and a real client behind pods."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hazelcast.client import HazelcastClient

from sandbox.api import kinds
from sandbox.api.kinds import Obj
from sandbox.clusters.build import find_jar
from sandbox.layout import write_json
from sandbox.pods import class_archive
from sandbox.pods.programs import find_java
from sandbox.processes import ProcessId
from tests.sandbox_infra.objects import CLIENT_CONFIG, MANIFESTS, condition, pod, service
from tests.sandboxed import Namespaces, Sandbox, until

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(find_java() is None, reason="no Java for real members"),
    pytest.mark.skipif(find_jar() is None, reason="no Hazelcast JAR for real members"),
]


@pytest.fixture(scope="module")
def members(sandbox: Sandbox) -> Iterator[str]:
    """The name of a namespace with the three members of the manifests, all ready."""
    made = Namespaces(sandbox)
    ns = made.make("real")
    applied = sandbox.kubectl("cluster", "kustomize", str(MANIFESTS / "cluster"))
    wanted = "\n---\n".join(d for d in applied.split("\n---\n") if "skupper.io" not in d)
    sandbox.kubectl("cluster", "-n", ns, "apply", "-f", "-", stdin=wanted)
    sandbox.kubectl("cluster", "-n", ns, "rollout", "status", "statefulset/hazelcast", "--timeout=200s")
    yield ns
    made.empty()


@contextlib.contextmanager
def _client(address: str) -> Iterator[HazelcastClient]:
    client = HazelcastClient(
        cluster_members=[address], cluster_name="dev", smart_routing=False, cluster_connect_timeout=60
    )
    try:
        yield client
    finally:
        client.shutdown()


@contextlib.contextmanager
def _forwarded(sandbox: Sandbox, context: str, ns: str, target: str, port: int) -> Iterator[int]:
    """`kubectl port-forward` to a free port; the port."""
    kubectl = [str(sandbox.bin / "kubectl"), "--context", context, "-n", ns]
    process = subprocess.Popen(
        [*kubectl, "port-forward", "--address=127.0.0.1", target, f":{port}"],
        env=sandbox.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert found is not None
        yield int(found[1])
    finally:
        process.terminate()
        process.wait()


def test_three_pods_form_one_cluster(sandbox: Sandbox, members: str) -> None:
    # The sandbox writes this record after the pods' status, which the rollout was waited for by.
    until(lambda: all(e["ready"] for e in sandbox.endpoints("cluster", members).values()))
    endpoints = sandbox.endpoints("cluster", members)

    with _client(f"{endpoints['hazelcast-0']['ip']}:5701") as client:
        seen = sorted(f"{m.address.host}:{m.address.port}" for m in client.cluster_service.get_members())

    assert sorted(endpoints) == ["hazelcast-0", "hazelcast-1", "hazelcast-2"]
    assert all(e["ready"] and e["ports"] == [5701, 5702, 8081] for e in endpoints.values())
    # The addresses that clients get: the pods' names.
    assert seen == ["hazelcast-0:5701", "hazelcast-1:5701", "hazelcast-2:5701"]


def test_members_load_their_classes_from_the_archive(sandbox: Sandbox, members: str) -> None:
    archive = class_archive.find(find_java(), find_jar())

    assert archive is not None
    for entry in sandbox.endpoints("cluster", members).values():
        assert str(archive) in Path("/proc", str(entry["pid"]), "maps").read_text()


def test_kubectl_logs_shows_the_members_log(sandbox: Sandbox, members: str) -> None:
    said = sandbox.kubectl("cluster", "-n", members, "logs", "hazelcast-1")
    last = sandbox.kubectl("cluster", "-n", members, "logs", "hazelcast-1", "--tail=1", "--timestamps")

    assert "Members {size:3" in said
    assert re.match(r"20\d\d-\d\d-\d\dT", last)


def test_logs_can_be_followed(sandbox: Sandbox, members: str) -> None:
    kubectl = [str(sandbox.bin / "kubectl"), "--context", "cluster", "-n", members]
    follow = [*kubectl, "logs", "-f", "--tail=0", "hazelcast-0"]
    process = subprocess.Popen(follow, env=sandbox.env, stdout=subprocess.PIPE)
    address = f"{sandbox.endpoints('cluster', members)['hazelcast-0']['ip']}:5701"
    read: list[bytes] = []

    def authenticated() -> bool:
        with _client(address):
            pass
        assert process.stdout is not None
        read.append(process.stdout.read() or b"")
        return b"successfully authenticated" in b"".join(read)

    try:
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        until(authenticated, 15, step=0.3)
    finally:
        process.terminate()
        process.wait()


def test_a_forwarded_port_reaches_its_member(sandbox: Sandbox, members: str) -> None:
    with (
        _forwarded(sandbox, "cluster", members, "pod/hazelcast-2", 5701) as port,
        _client(f"127.0.0.1:{port}") as client,
    ):
        connected = client._connection_manager.active_connections.values()

        assert [c.remote_address.host for c in connected] == ["hazelcast-2"]


def test_a_killed_member_is_restarted_in_its_pod(sandbox: Sandbox, members: str) -> None:
    before = sandbox.endpoints("cluster", members)["hazelcast-1"]
    os.kill(before["pid"], signal.SIGKILL)

    def back() -> bool:
        entry = sandbox.endpoints("cluster", members).get("hazelcast-1", {})
        return bool(entry.get("ready")) and entry["pid"] != before["pid"]

    until(back)
    status = (sandbox.kube("cluster").get(kinds.PODS, members, "hazelcast-1") or {})["status"]
    container = status["containerStatuses"][0]
    assert container["restartCount"] == 1
    assert container["lastState"]["terminated"]["exitCode"] == 137
    assert "Members {size:3" in until(
        lambda: sandbox.kubectl("cluster", "-n", members, "logs", "hazelcast-1", "--previous"), 10
    )


def test_a_stopped_member_is_not_ready(sandbox: Sandbox, members: str) -> None:
    def ready() -> str:
        return condition(sandbox.kube("cluster").get(kinds.PODS, members, "hazelcast-2"), "Ready")

    until(lambda: ready() == "True")
    process = ProcessId.of(sandbox.endpoints("cluster", members)["hazelcast-2"]["pid"])
    assert process is not None
    process.send(signal.SIGSTOP)
    try:
        until(lambda: ready() == "False")
    finally:
        process.send(signal.SIGCONT)
    until(lambda: ready() == "True")


def _mancenter(sandbox: Sandbox, ns: str) -> Callable[[], Obj]:
    """Creates a Management Center pod; returns what port 8080 shows."""
    kube = sandbox.kube("client")
    data = {"hazelcast-client.yaml": CLIENT_CONFIG}
    kube.create(kinds.CONFIG_MAPS, {"metadata": {"name": "mc", "namespace": ns}, "data": data})
    container = {
        "name": "mancenter",
        "image": "i",
        "ports": [{"containerPort": 8080}, {"containerPort": 8081}],
        "env": [{"name": "MC_INIT_CMD", "value": "hz-mc conf cluster add -cc /config/hazelcast-client.yaml"}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8081}},
        "volumeMounts": [{"name": "config", "mountPath": "/config"}],
    }
    spec = {"containers": [container], "volumes": [{"name": "config", "configMap": {"name": "mc"}}]}
    kube.create(kinds.PODS, pod("mc", ns, app="hazelcast-mancenter", spec=spec))
    until(lambda: condition(kube.get(kinds.PODS, ns, "mc"), "Ready") == "True")
    url = f"http://{sandbox.endpoints('client', ns)['mc']['ip']}:8080/"

    def said() -> Obj:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return dict(json.load(answer))

    return said


def test_management_center_sees_the_members_by_name(
    sandbox: Sandbox, members: str, namespaces: Namespaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relays of services.json lead directly to the members; the stand-in is not used."""
    ns = namespaces.make("real")
    kube = sandbox.kube("client")
    endpoints = sandbox.endpoints("cluster", members)
    relays = {f"client/{ns}/{name}": {"ip": e["ip"], "port": 5701} for name, e in endpoints.items()}
    relays[f"client/{ns}/hazelcast"] = relays[f"client/{ns}/hazelcast-0"]
    for key in relays:
        kube.create(kinds.SERVICES, service(key.rpartition("/")[2], ns))
    write_json(sandbox.layout.services, relays)

    said = _mancenter(sandbox, ns)

    names = [f"hazelcast-{n}:5701" for n in range(3)]
    until(lambda: (said()["members"], said()["connections"]) == (names, names))
    log = sandbox.kubectl("cluster", "-n", members, "logs", "hazelcast-0")
    assert "client name: MC-Client-dev" in log


def test_management_center_without_members_keeps_running_unconnected(sandbox: Sandbox, namespaces: Namespaces) -> None:
    ns = namespaces.make("real")
    sandbox.kube("client").create(kinds.SERVICES, service("hazelcast", ns))

    said = _mancenter(sandbox, ns)

    until(lambda: said()["state"] == "failed")
    assert condition(sandbox.kube("client").get(kinds.PODS, ns, "mc"), "Ready") == "True"


def test_the_process_ends_before_its_pod_is_deleted(sandbox: Sandbox, members: str) -> None:
    process = ProcessId.of(sandbox.endpoints("cluster", members)["hazelcast-2"]["pid"])
    assert process is not None
    sandbox.kubectl("cluster", "-n", members, "scale", "statefulset/hazelcast", "--replicas=2")

    sandbox.kubectl("cluster", "-n", members, "wait", "--for=delete", "pod/hazelcast-2", "--timeout=200s")

    assert not process.alive()
    assert "hazelcast-2" not in sandbox.endpoints("cluster", members)
    # The member leaves the cluster at once, not after a timeout.
    until(lambda: "Members {size:2" in sandbox.kubectl("cluster", "-n", members, "logs", "hazelcast-0"))
    assert sandbox.kubectl("cluster", "-n", members, "get", "portforwards", "-o", "name").split() == [
        "portforward.kwok.x-k8s.io/hazelcast-0",
        "portforward.kwok.x-k8s.io/hazelcast-1",
    ]


def test_a_deleted_namespace_leaves_no_process(sandbox: Sandbox, members: str) -> None:
    """The last test of this file, because it removes the members."""
    processes = [ProcessId.of(e["pid"]) for e in sandbox.endpoints("cluster", members).values()]

    kube = sandbox.kube("cluster")
    # The namespace first, so that no controller creates new pods in it.
    kube.delete(kinds.NAMESPACES, None, members)
    for left in kube.list(kinds.PODS, members):
        kube.delete(kinds.PODS, members, left["metadata"]["name"], grace=0)

    until(lambda: not any(p.alive() for p in processes if p is not None))
    until(lambda: not sandbox.endpoints("cluster", members))
