"""`hzlink verify --in-cluster`: the same proof from a real Job, and nothing of it left behind."""

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
    """hzlink in a topology of real members that is up, with the sandbox's kubectl on this test's own PATH."""
    real_hzlink.up().ok()
    return real_hzlink


def probes(hzlink: Hzlink) -> list[str]:
    """What is there of Jobs, their ConfigMaps and pods."""
    return [name for name in hzlink.objects("client", KINDS) if "/hzlink-verify-" in name]


def test_every_member_is_proven_from_a_pod(linked: Hzlink) -> None:
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


def test_what_a_pod_finds_wrong_is_told_as_ever(linked: Hzlink, faults: Callable[..., None]) -> None:
    # Else the controller would put the Services right again.
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


def test_unisocket_from_a_pod(real_hzlink: Hzlink) -> None:
    real_hzlink.up("--mode", "unisocket").ok()
    [site] = real_hzlink(*IN_CLUSTER).ok().document["verification"]
    assert (site["mode"], site["proven"], len(site["members"])) == ("unisocket", True, 3)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_takes_its_job_away(linked: Hzlink, number: signal.Signals) -> None:
    running = subprocess.Popen([HZLINK, "verify", "--in-cluster"], env=linked.env, stderr=subprocess.PIPE, text=True)
    until(lambda: any(name.startswith("Pod/") for name in probes(linked)), 60)
    running.send_signal(number)
    _, said = running.communicate(timeout=60)

    assert running.returncode == 130, said
    assert probes(linked) == []
    assert forwards(linked.namespace) == []
    assert own_maps(linked) == []


def test_what_a_killed_run_left_goes_with_the_next(linked: Hzlink) -> None:
    running = subprocess.Popen([HZLINK, "verify", "--in-cluster"], env=linked.env, stderr=subprocess.DEVNULL)
    until(lambda: any(name.startswith("Pod/") for name in probes(linked)), 60)
    running.kill()
    running.wait(10)
    assert probes(linked) != []

    # It is no part of the topology: a second `up` still has nothing to do.
    assert "nothing written" in linked.up().ok().err
    linked(*IN_CLUSTER).ok()
    until(lambda: probes(linked) == [], 20)


def test_and_with_down(hzlink: Hzlink) -> None:
    """Without processes: the pod never ends."""
    hzlink.up().ok()
    running = subprocess.Popen([HZLINK, "verify", "--in-cluster"], env=hzlink.env, stderr=subprocess.DEVNULL)
    until(lambda: any(name.startswith("Pod/") for name in probes(hzlink)), 60)
    running.kill()
    running.wait(10)

    assert "no objects of hzlink are left" in hzlink("down", "--yes").ok().out
    assert probes(hzlink) == []


def test_an_image_that_cannot_be_had_is_told_at_once(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    ran = hzlink("verify", "--in-cluster", env={"HZLINK_PROBE_IMAGE": "images.invalid/python:3.13"})

    assert ran.code == 1
    assert ran.seconds < 30
    assert "does not start (image images.invalid/python:3.13)" in ran.err
    assert "ImagePull" in ran.err
    assert "no such host" in ran.err
    assert "--probe-image IMAGE" in ran.err
    assert probes(hzlink) == []


def test_an_image_without_python(linked: Hzlink) -> None:
    ran = linked("verify", "--in-cluster", "--probe-image", "busybox:1")
    assert ran.code == 1
    assert "ended without a verdict (image busybox:1)" in ran.err
    assert 'exec: "python3": executable file not found' in ran.err
    assert "--probe-image IMAGE" in ran.err


def test_a_quota_that_lets_no_pod_in_is_told(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    hzlink.kubectl("client", "create", "quota", "none", "--hard=pods=0")
    ran = hzlink("verify", "--in-cluster")
    assert ran.code == 1
    assert ran.seconds < 30
    assert "exceeded quota: none" in ran.err
    assert "get events" in ran.err
    assert probes(hzlink) == []


def test_pod_security_restricted_lets_it_in(real_hzlink: Hzlink) -> None:
    """Skupper's own router does not pass, so this holds for what comes after it."""
    real_hzlink.up("--mode", "unisocket").ok()
    label = "pod-security.kubernetes.io/enforce=restricted"
    real_hzlink.kubectl("client", "label", "namespace", real_hzlink.namespace, label)
    real_hzlink(*IN_CLUSTER).ok()


ROLE = "hzlink-verify-in-cluster"


def test_the_roles_for_it_are_enough_and_no_more_than_that(real_hzlink: Hzlink) -> None:
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
