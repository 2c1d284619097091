"""`hzlink verify --in-cluster`: the proof from a real Job, and the removal of the Job."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hzlink.checks.needed_rights import Right
from tests.manifests.kustomizing import MANIFESTS
from tests.sandbox.conftest import HZLINK, Hzlink
from tests.sandbox.forwarding import forwards, own_maps
from tests.sandbox.test_roles import USER, asked, limit, used
from tests.sandbox.test_verify import NAMES, errors, outcomes, service_ports
from tests.sandboxed import until

KINDS = "jobs,configmaps,pods"
IN_CLUSTER = ("verify", "--in-cluster", "-o", "json")


@pytest.fixture
def linked(real_hzlink: Hzlink, kubeconfig: Path) -> Hzlink:
    """hzlink in a running topology of real members, with the sandbox's kubectl on the test's PATH."""
    real_hzlink.up().ok()
    return real_hzlink


def probes(hzlink: Hzlink) -> list[str]:
    """The existing Jobs of `verify`, with their ConfigMaps and pods."""
    return [name for name in hzlink.objects("client", KINDS) if "/hzlink-verify-" in name]


def test_every_member_answers_a_pod_by_name(linked: Hzlink) -> None:
    calls = len(linked.sandbox.audit("client"))
    ran = linked(*IN_CLUSTER).ok()

    assert probes(linked) == []
    assert outcomes(ran) == dict.fromkeys(NAMES, "ok")
    [site] = ran.document["verification"]
    assert (site["proven"], site["mode"], len(site["members"])) == (True, "smart", 3)
    for name in site["names"]:
        assert name["answeredBy"]["address"] == f"{name['service']}:5701"
        assert 0 < name["latency"]["p50Ms"] <= name["latency"]["p99Ms"]
    assert own_maps(linked) == []
    assert not any(
        event["objectRef"].get("subresource") == "portforward"
        for event in linked.sandbox.audit("client")[calls:]
        if "objectRef" in event and event["objectRef"].get("namespace") == linked.namespace
    )
    assert "3 of 3 members answered" in linked("status").ok().out


def test_swapped_services_are_wrong_members(linked: Hzlink, faults: Callable[..., None]) -> None:
    # Otherwise the controller would restore the Services.
    faults(controller="stopped")
    ports = service_ports(linked)
    for name, other in (("hazelcast-1", "hazelcast-2"), ("hazelcast-2", "hazelcast-1")):
        patch = f'{{"spec": {{"ports": [{{"port": 5701, "targetPort": {ports[other][0]["targetPort"]}}}]}}}}'
        linked.kubectl("client", "patch", "service", name, "--patch", patch)

    ran = linked(*IN_CLUSTER)

    assert ran.code == 1
    assert outcomes(ran) == {"hazelcast-0": "ok", "hazelcast-1": "wrong member", "hazelcast-2": "wrong member"}
    assert [message.partition(" (")[0] for message in errors(ran)] == [
        "Service hazelcast-1 leads to hazelcast-2",
        "Service hazelcast-2 leads to hazelcast-1",
    ]
    assert probes(linked) == []


def test_unisocket_is_verified_from_a_pod(real_hzlink: Hzlink) -> None:
    real_hzlink.up("--mode", "unisocket").ok()
    [site] = real_hzlink(*IN_CLUSTER).ok().document["verification"]
    assert (site["mode"], site["proven"], len(site["members"])) == ("unisocket", True, 3)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_verify_removes_its_job(linked: Hzlink, number: signal.Signals) -> None:
    running = subprocess.Popen([HZLINK, "verify", "--in-cluster"], env=linked.env, stderr=subprocess.PIPE, text=True)
    until(lambda: any(name.startswith("Pod/") for name in probes(linked)))
    running.send_signal(number)
    _, said = running.communicate(timeout=60)

    assert running.returncode == 130, said
    assert probes(linked) == []
    assert forwards(linked.namespace) == []
    assert own_maps(linked) == []


def test_job_of_a_killed_run_is_removed_by_the_next_verify(linked: Hzlink) -> None:
    running = subprocess.Popen([HZLINK, "verify", "--in-cluster"], env=linked.env, stderr=subprocess.DEVNULL)
    until(lambda: any(name.startswith("Pod/") for name in probes(linked)))
    running.kill()
    running.wait(10)
    assert probes(linked) != []

    # The Job is not part of the topology: a second `up` writes nothing.
    assert "nothing written" in linked.up().ok().err
    linked(*IN_CLUSTER).ok()
    until(lambda: probes(linked) == [])


def test_job_of_a_killed_run_is_removed_by_down(hzlink: Hzlink) -> None:
    """Without processes, so that the pod never ends."""
    hzlink.up().ok()
    running = subprocess.Popen([HZLINK, "verify", "--in-cluster"], env=hzlink.env, stderr=subprocess.DEVNULL)
    until(lambda: any(name.startswith("Pod/") for name in probes(hzlink)))
    running.kill()
    running.wait(10)

    assert "no objects of hzlink are left" in hzlink("down", "--yes").ok().out
    assert probes(hzlink) == []


def test_image_that_cannot_be_pulled_ends_the_wait(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    ran = hzlink("verify", "--in-cluster", env={"HZLINK_PROBE_IMAGE": "images.invalid/python:3.13"})

    assert ran.code == 1
    assert ran.seconds < 30
    assert "does not start (image images.invalid/python:3.13)" in ran.err
    assert "ImagePull" in ran.err
    assert "no such host" in ran.err
    assert "--probe-image IMAGE" in ran.err
    assert probes(hzlink) == []


def test_image_without_python_is_reported(linked: Hzlink) -> None:
    ran = linked("verify", "--in-cluster", "--probe-image", "busybox:1")
    assert ran.code == 1
    assert "ended without a verdict (image busybox:1)" in ran.err
    assert 'exec: "python3": executable file not found' in ran.err
    assert "--probe-image IMAGE" in ran.err


def test_exceeded_quota_ends_the_wait(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    hzlink.kubectl("client", "create", "quota", "none", "--hard=pods=0")
    ran = hzlink("verify", "--in-cluster")
    assert ran.code == 1
    assert ran.seconds < 30
    assert "exceeded quota: none" in ran.err
    assert "get events" in ran.err
    assert probes(hzlink) == []


def test_job_runs_with_pod_security_restricted(real_hzlink: Hzlink) -> None:
    """The label is set after `up`, because Skupper's router does not meet that level."""
    real_hzlink.up("--mode", "unisocket").ok()
    label = "pod-security.kubernetes.io/enforce=restricted"
    real_hzlink.kubectl("client", "label", "namespace", real_hzlink.namespace, label)
    real_hzlink(*IN_CLUSTER).ok()


ROLE = "hzlink-verify-in-cluster"


def test_roles_for_verify_in_cluster_are_sufficient_and_all_used(real_hzlink: Hzlink) -> None:
    hzlink = limit(real_hzlink)
    hzlink.up().ok()
    ran = hzlink("verify", "--in-cluster")
    assert ran.code == 3
    assert "you may not read objects" in ran.err
    assert "jobs.batch" in ran.err

    hzlink.kubectl("client", "apply", "-k", str(MANIFESTS / "rbac" / "client-verify-in-cluster"))
    subject = {"kind": "ServiceAccount", "name": USER, "namespace": hzlink.namespace}
    hzlink.kubectl("client", "patch", "rolebinding", ROLE, "--type=merge", "-p", json.dumps({"subjects": [subject]}))
    hzlink.kubectl("client", "delete", "rolebinding", "hzlink-portforward")
    hzlink("verify", "--in-cluster").ok()

    calls = asked(hzlink, "client")
    rights = [
        Right(group, resource, verb)
        for rule in json.loads(hzlink.kubectl("client", "get", "role", ROLE, "-o", "json"))["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]
    assert [right for right in rights if not used(calls, right)] == []
    assert probes(hzlink) == []
