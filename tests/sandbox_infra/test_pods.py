"""Pods without processes: readiness, holds, init containers, deletion. Real API servers."""

from __future__ import annotations

import time
from functools import partial

import pytest

from sandbox.api import kinds
from sandbox.api.kinds import Obj
from sandbox.pods.record import HOLD, READY_AFTER
from tests.sandbox_infra.objects import CLIENT_CONFIG, MANIFESTS, WAIT_SCRIPT, condition, config_map, pod, service
from tests.sandboxed import Namespaces, Sandbox, until

pytestmark = pytest.mark.sandbox


def _ready(sandbox: Sandbox, server: str, ns: str, name: str) -> bool:
    return condition(sandbox.kube(server).get(kinds.PODS, ns, name), "Ready") == "True"


def _waiting(sandbox: Sandbox, ns: str, name: str) -> str:
    found = sandbox.kube("client").get(kinds.PODS, ns, name) or {}
    statuses = found.get("status", {}).get("containerStatuses") or [{}]
    return str(statuses[0].get("state", {}).get("waiting", {}).get("reason", ""))


def test_the_contexts_and_their_namespaces(sandbox: Sandbox) -> None:
    assert sandbox.kubectl("client", "config", "get-contexts", "-o", "name").split() == ["client", "client2", "cluster"]
    assert sandbox.kubeconfig.stat().st_mode & 0o777 == 0o600
    for context, namespace in {"client": "hz", "client2": "hz2", "cluster": "hz"}.items():
        said = sandbox.kubectl(context, "config", "view", "--minify", "-o", "jsonpath={..namespace}")
        assert said == namespace
        assert sandbox.kubectl(context, "get", "namespace", namespace, "-o", "jsonpath={.status.phase}") == "Active"


def test_the_status_of_a_pod_without_a_process(sandbox: Sandbox, namespaces: Namespaces) -> None:
    ns = namespaces.make("real")
    kube = sandbox.kube("client")
    kube.create(kinds.PODS, pod("plain", ns))

    until(lambda: _ready(sandbox, "client", ns, "plain"))

    status = (kube.get(kinds.PODS, ns, "plain") or {})["status"]
    container = status["containerStatuses"][0]
    assert status["phase"] == "Running"
    assert status["podIP"].startswith("10.")
    assert container["ready"]
    assert container["started"]
    assert container["restartCount"] == 0
    assert {c["type"] for c in status["conditions"]} >= {"Ready", "ContainersReady", "Initialized", "PodScheduled"}


def test_endpoints_follow_the_pods(sandbox: Sandbox, namespaces: Namespaces) -> None:
    ns = namespaces.make()
    kube = sandbox.kube("cluster")
    kube.create(kinds.SERVICES, service("web", ns, selector={"app": "web"}))
    kube.create(kinds.PODS, pod("web-0", ns, app="web"))

    def addresses() -> list[str]:
        slices = kube.list(kinds.ENDPOINT_SLICES, ns, "kubernetes.io/service-name=web")
        return [a for s in slices for e in s["endpoints"] or [] if e["conditions"]["ready"] for a in e["addresses"]]

    found = until(addresses)

    assert found == [(kube.get(kinds.PODS, ns, "web-0") or {})["status"]["podIP"]]


def test_a_deployment_rolls_out_and_restarts(sandbox: Sandbox, namespaces: Namespaces) -> None:
    ns = namespaces.make()
    sandbox.kubectl("client", "-n", ns, "create", "deployment", "web", "--image=example/web:1", "--replicas=2")
    sandbox.kubectl("client", "-n", ns, "rollout", "status", "deployment/web", "--timeout=120s")

    sandbox.kubectl("client", "-n", ns, "rollout", "restart", "deployment/web")

    said = sandbox.kubectl("client", "-n", ns, "rollout", "status", "deployment/web", "--timeout=120s")
    assert "successfully rolled out" in said


def test_ready_after(sandbox: Sandbox, namespaces: Namespaces) -> None:
    ns = namespaces.make()
    began = time.monotonic()
    sandbox.kube("client").create(kinds.PODS, pod("slow", ns, metadata={"annotations": {READY_AFTER: "1.5"}}))

    until(lambda: _ready(sandbox, "client", ns, "slow"))

    assert time.monotonic() - began >= 1.5


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "CrashLoopBackOff"])
def test_hold(sandbox: Sandbox, namespaces: Namespaces, reason: str) -> None:
    ns = namespaces.make()
    kube = sandbox.kube("client")
    kube.create(kinds.PODS, pod("held", ns, metadata={"annotations": {HOLD: reason}}))
    until(lambda: _waiting(sandbox, ns, "held") == reason)
    assert not _ready(sandbox, "client", ns, "held")

    kube.patch(kinds.PODS, ns, "held", {"metadata": {"annotations": {HOLD: None}}})

    until(lambda: _ready(sandbox, "client", ns, "held"))


def test_a_running_pod_can_be_held(sandbox: Sandbox, namespaces: Namespaces) -> None:
    ns = namespaces.make()
    kube = sandbox.kube("client")
    kube.create(kinds.PODS, pod("runs", ns))
    until(lambda: _ready(sandbox, "client", ns, "runs"))

    kube.patch(kinds.PODS, ns, "runs", {"metadata": {"annotations": {HOLD: "CrashLoopBackOff"}}})

    until(lambda: _waiting(sandbox, ns, "runs") == "CrashLoopBackOff")
    assert not _ready(sandbox, "client", ns, "runs")


def test_a_pod_waits_for_a_missing_config_map(sandbox: Sandbox, namespaces: Namespaces) -> None:
    ns = namespaces.make()
    kube = sandbox.kube("client")
    volumes = [{"name": "c", "configMap": {"name": "later"}}]
    made = pod("waits", ns, spec={"containers": [{"name": "m", "image": "i"}], "volumes": volumes})
    kube.create(kinds.PODS, made)
    until(lambda: _waiting(sandbox, ns, "waits") == "CreateContainerConfigError")

    kube.create(kinds.CONFIG_MAPS, config_map("later", ns, key="value"))

    until(lambda: _ready(sandbox, "client", ns, "waits"))


def _mancenter(ns: str) -> Obj:
    mounts = [{"name": "config", "mountPath": "/config"}]
    init = {
        "name": "wait",
        "image": "i",
        "command": ["bash", "/config/wait-for-members.sh"],
        "env": [{"name": "HAZELCAST_MEMBERS", "value": "2"}],
        "volumeMounts": mounts,
    }
    spec = {
        "initContainers": [init],
        "containers": [{"name": "mancenter", "image": "i", "volumeMounts": mounts}],
        "volumes": [{"name": "config", "configMap": {"name": "mc"}}],
    }
    return pod("mc", ns, app="hazelcast-mancenter", spec=spec)


def test_the_init_container_waits_for_the_members_names(sandbox: Sandbox, namespaces: Namespaces) -> None:
    """The script of the manifests runs even in a namespace without processes."""
    ns = namespaces.make("none")
    kube = sandbox.kube("client")
    data = {"wait-for-members.sh": WAIT_SCRIPT, "hazelcast-client.yaml": CLIENT_CONFIG}
    kube.create(kinds.CONFIG_MAPS, {"metadata": {"name": "mc", "namespace": ns}, "data": data})
    kube.create(kinds.PODS, _mancenter(ns))
    kube.create(kinds.SERVICES, service("hazelcast-0", ns))
    until(
        lambda: (
            "waiting for: hazelcast-1" in sandbox.kubectl("client", "-n", ns, "logs", "mc", "-c", "wait", check=False)
        ),
        10,
    )
    assert condition(kube.get(kinds.PODS, ns, "mc"), "Initialized") == "False"

    kube.create(kinds.SERVICES, service("hazelcast-1", ns))

    until(lambda: _ready(sandbox, "client", ns, "mc"))
    assert sandbox.endpoints("client", ns) == {}
    assert "no process" in sandbox.kubectl("client", "-n", ns, "logs", "mc", "-c", "mancenter")


def test_manifests_get_ready_without_processes(sandbox: Sandbox, namespaces: Namespaces) -> None:
    ns = namespaces.make("none")
    applied = sandbox.kubectl("cluster", "kustomize", str(MANIFESTS / "cluster"))
    wanted = "\n---\n".join(d for d in applied.split("\n---\n") if "skupper.io" not in d)

    sandbox.kubectl("cluster", "-n", ns, "apply", "-f", "-", stdin=wanted)

    sandbox.kubectl("cluster", "-n", ns, "rollout", "status", "statefulset/hazelcast", "--timeout=120s")
    assert sandbox.endpoints("cluster", ns) == {}


def test_pods_and_namespaces_are_deleted(sandbox: Sandbox, namespaces: Namespaces) -> None:
    ns = namespaces.make()
    kube = sandbox.kube("client")
    for name in ("a", "b"):
        # The namespace controller retries after half of a pod's grace period.
        kube.create(kinds.PODS, pod(name, ns, spec={"terminationGracePeriodSeconds": 1}))
        until(partial(_ready, sandbox, "client", ns, name))

    sandbox.kubectl("client", "-n", ns, "delete", "pod", "a", "--timeout=120s")
    sandbox.kubectl("client", "delete", "namespace", ns, "--timeout=120s")

    assert kube.get(kinds.NAMESPACES, None, ns) is None


def test_rbac_is_enforced(sandbox: Sandbox, namespaces: Namespaces) -> None:
    ns = namespaces.make()

    said = sandbox.kubectl(
        "client", "-n", ns, "auth", "can-i", "list", "pods", f"--as=system:serviceaccount:{ns}:default", check=False
    )

    assert said.startswith("no")


def test_the_audit_log_contains_writes(sandbox: Sandbox, namespaces: Namespaces) -> None:
    ns = namespaces.make()
    before = len(sandbox.writes("client", ns))
    sandbox.kubectl("client", "-n", ns, "get", "configmaps")
    sandbox.kubectl("client", "-n", ns, "create", "configmap", "one")

    new = sandbox.writes("client", ns)[before:]

    assert [(e["verb"], e["objectRef"]["name"]) for e in new] == [("create", "one")]


def test_a_frozen_server_does_not_answer(sandbox: Sandbox) -> None:
    with sandbox.frozen("cluster"):
        said = sandbox.kubectl("cluster", "get", "nodes", "--request-timeout=1s", check=False)
    assert "cluster-node" not in said

    assert "cluster-node" in sandbox.kubectl("cluster", "get", "nodes")
