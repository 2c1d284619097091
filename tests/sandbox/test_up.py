"""`hzlink up` on real API servers: first and second runs, options, changes by others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.conftest import Hzlink, tokens_left
from tests.sandboxed import until

LINKED = "links.skupper.io,secrets"
OURS = "app.kubernetes.io/managed-by=hzlink"


@pytest.mark.parametrize("via", ["kubectl", "skupper"])
def test_first_up_succeeds_and_second_writes_nothing(hzlink: Hzlink, via: str) -> None:
    first = hzlink.up("--via", via, "-o", "json").ok().document

    assert first["healthy"] is True
    assert [(site["name"], site["skupper"]["state"]) for site in first["sites"]] == [
        ("cluster", "ok"),
        ("client", "ok"),
    ]
    assert [(link["state"], link["issuer"]) for link in first["links"]] == [("ok", "cluster")]
    assert [(member["name"], member["ready"]) for member in first["members"]] == [
        (f"hazelcast-{number}", True) for number in range(3)
    ]
    assert first["sites"][1]["names"] == ["hazelcast-0", "hazelcast-1", "hazelcast-2"]
    assert first["sites"][1]["managementCenter"]["state"] == "ok"
    assert tokens_left(hzlink) == []

    written = hzlink.writes()
    again = hzlink.up("--via", via).ok()
    assert "nothing written" in again.err
    assert hzlink.writes() == written


def test_skupper_and_kubectl_link_to_the_same_state(hzlink: Hzlink) -> None:
    states = []
    for via in ("kubectl", "skupper"):
        hzlink.up("--via", via).ok()
        states.append(_linked_state(hzlink))
        hzlink("down", "--yes").ok()

    assert states[0] == states[1]
    assert "Link/hazelcast-cluster" in states[0]


def _linked_state(hzlink: Hzlink) -> dict[str, Any]:
    """The objects that linking created, without the parts that differ between runs."""
    found = hzlink.objects("client", LINKED)
    return {
        name: {
            "labels": item["metadata"].get("labels"),
            "owners": [owner["kind"] for owner in item["metadata"].get("ownerReferences", [])],
            "spec": _without_addresses(item.get("spec") or {}),
            "data": sorted(item.get("data", {})),
            "status": item.get("status", {}).get("status"),
        }
        for name, item in found.items()
    }


def _without_addresses(spec: dict[str, Any]) -> dict[str, Any]:
    """A Link's spec without the hosts of its endpoints, which differ between load balancers."""
    if "endpoints" not in spec:
        return spec
    endpoints = [{key: value for key, value in one.items() if key != "host"} for one in spec["endpoints"]]
    assert all(one["host"] for one in spec["endpoints"])
    return {**spec, "endpoints": endpoints}


def test_dry_run_lists_steps_and_writes_nothing(hzlink: Hzlink) -> None:
    before = hzlink.writes()
    ran = hzlink.up("--dry-run", "-o", "json").ok()

    actions = {(step["site"], step["action"]) for step in ran.document["steps"]}
    assert {("cluster", "apply"), ("client", "apply"), ("client", "link"), ("cluster", "members")} <= actions
    assert hzlink.writes() == before


def test_options_are_applied_and_changed(hzlink: Hzlink) -> None:
    hzlink.up("--members", "2", "--image", "example.org/hz:1.2", "--expose", "nodeport").ok()

    workload = hzlink.objects("cluster", "statefulsets")["StatefulSet/hazelcast"]
    assert workload["spec"]["replicas"] == 2
    assert workload["spec"]["template"]["spec"]["containers"][0]["image"] == "example.org/hz:1.2"
    assert hzlink.objects("client", "services")["Service/hazelcast-mancenter"]["spec"]["type"] == "NodePort"

    changed = hzlink.up("--members", "3", "--image", "example.org/hz:1.2", "--expose", "clusterip", "-o", "json").ok()
    assert len(changed.document["members"]) == 3
    assert hzlink.objects("client", "services")["Service/hazelcast-mancenter"]["spec"]["type"] == "ClusterIP"


def test_a_number_of_members_that_others_set_stands_unless_another_is_given(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    hzlink.kubectl("cluster", "scale", "statefulset/hazelcast", "--replicas=4")

    scaled = hzlink.up("-o", "json").ok().document
    assert [member["name"] for member in scaled["members"]] == [f"hazelcast-{number}" for number in range(4)]
    assert scaled["sites"][1]["names"] == [f"hazelcast-{number}" for number in range(4)]
    assert "as StatefulSet hazelcast is scaled" in str(scaled["notes"])
    written = hzlink.writes()
    assert "nothing written" in hzlink.up().ok().err
    assert hzlink.writes() == written

    given = hzlink.up("--members", "2", "-o", "json").ok()
    assert len(given.document["members"]) == 2
    assert "StatefulSet hazelcast: replaced .spec.replicas, which was set by kubectl (subresource scale)" in given.err

    hzlink.kubectl("cluster", "scale", "statefulset/hazelcast", "--replicas=0")
    for command in (hzlink.up, lambda *flags: hzlink("link", *flags)):
        none = command("-o", "json")
        assert none.code == 1
        [error] = none.document["errors"]
        assert (error["message"], error["subject"]) == ("the members are scaled to 0", "StatefulSet hazelcast")


def test_a_field_that_others_set_is_named_and_can_be_taken(hzlink: Hzlink) -> None:
    hzlink.up("--mode", "unisocket").ok()
    hzlink.kubectl(
        "cluster", "patch", "configmap", "hazelcast-config", "--type=merge", "-p", '{"data":{"hazelcast.yaml":""}}'
    )

    refused = hzlink.up("--mode", "unisocket", "-o", "json")
    assert refused.code == 1
    [error] = refused.document["errors"]
    assert error["message"] == "field .data.hazelcast.yaml of ConfigMap hazelcast-config is managed by kubectl-patch"
    assert "hzlink up --force-conflicts" in error["next"]

    taken = hzlink.up("--mode", "unisocket", "--force-conflicts").ok()
    assert "which was set by kubectl-patch" in taken.err
    assert "hazelcast:" in hzlink.kubectl("cluster", "get", "configmap", "hazelcast-config", "-o", "yaml")


def test_fields_added_by_others_are_kept(hzlink: Hzlink) -> None:
    """As a policy engine adds fields to applied objects, each time."""
    # In unisocket mode, because Management Center would be restarted when the members restart.
    hzlink.up("--mode", "unisocket").ok()
    hzlink.kubectl("cluster", "set", "env", "statefulset/hazelcast", "PROXY=none")
    hzlink.kubectl("cluster", "rollout", "status", "statefulset/hazelcast", "--timeout=60s")
    until(lambda: hzlink("status").code == 0, 60, step=0.5)

    assert "nothing written" in hzlink.up("--mode", "unisocket").ok().err
    assert "PROXY" in hzlink.kubectl("cluster", "get", "statefulset", "hazelcast", "-o", "yaml")


MUTATIONS = """
[JSONPatch{op: "replace", path: "/spec/template/spec/containers/0/image",
           value: "registry.example/" + object.spec.template.spec.containers[0].image},
 JSONPatch{op: "add", path: "/spec/template/spec/containers/0/resources/requests/memory", value: "500Mi"},
 JSONPatch{op: "add", path: "/spec/template/spec/tolerations",
           value: [Object.spec.template.spec.tolerations{key: "team", operator: "Exists"}]}]
"""


@pytest.fixture
def registry_prefix(hzlink: Hzlink) -> Iterator[None]:
    """The cluster's policy takes images from another registry, asks for more memory and adds a toleration."""
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": hzlink.namespace}}}
    sets = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"]}
    # An image that has the prefix gets no other one.
    once = {"name": "once", "expression": "!object.spec.template.spec.containers[0].image.startsWith('registry.')"}
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": hzlink.namespace},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConditions": [once],
            "matchConstraints": {"resourceRules": [{**sets, "resources": ["statefulsets"]}]},
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": MUTATIONS}}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": hzlink.namespace},
        "spec": {"policyName": hzlink.namespace, "matchResources": here},
    }
    bundle = json.dumps({"apiVersion": "v1", "kind": "List", "items": [policy, binding]})
    hzlink.kubectl("cluster", "create", "-f", "-", stdin=bundle)
    container = {"name": "x", "image": "x", "resources": {"requests": {"memory": "1Mi"}}}
    pods = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [container]}}
    spec = {"serviceName": "x", "selector": {"matchLabels": {"app": "x"}}, "template": pods}
    tried = json.dumps({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "tried"}, "spec": spec})

    def holds() -> bool:
        made = hzlink.kubectl("cluster", "create", "--dry-run=server", "-f", "-", "-o", "yaml", stdin=tried)
        return "registry.example/x" in made

    until(holds, 30, step=0.3)
    yield
    hzlink.kubectl("cluster", "delete", "-f", "-", stdin=bundle)


def test_what_admission_changes_is_not_applied_again(hzlink: Hzlink, registry_prefix: None) -> None:
    hzlink.up("--mode", "unisocket").ok()
    pods = hzlink.objects("cluster", "statefulsets")["StatefulSet/hazelcast"]["spec"]["template"]["spec"]
    assert pods["containers"][0]["image"].startswith("registry.example/")
    assert pods["tolerations"] == [{"key": "team", "operator": "Exists"}]
    written = hzlink.writes()

    assert "nothing written" in hzlink.up("--mode", "unisocket").ok().err
    assert hzlink.writes() == written

    changed = hzlink.up("--mode", "unisocket", "--image", "hazelcast/hazelcast:5.5.1").ok()
    assert "applied" in changed.err
    pods = hzlink.objects("cluster", "statefulsets")["StatefulSet/hazelcast"]["spec"]["template"]["spec"]
    assert pods["containers"][0]["image"] == "registry.example/hazelcast/hazelcast:5.5.1"


def test_openshift_user_ids_are_detected(hzlink: Hzlink) -> None:
    users = "openshift.io/sa.scc.uid-range=1000680000/10000"
    hzlink.sandbox.kubectl("cluster", "annotate", "namespace", hzlink.namespace, users)
    hzlink.kubectl("cluster", "create", "configmap", "openshift-service-ca.crt")

    ran = hzlink.up("--mode", "unisocket", "-o", "json").ok()

    pods = hzlink.objects("cluster", "statefulsets")["StatefulSet/hazelcast"]["spec"]["template"]["spec"]
    assert "runAsUser" not in pods["securityContext"]
    assert pods["securityContext"]["runAsNonRoot"] is True
    assert any("component openshift" in note for note in ran.document["notes"])
    assert "nothing written" in hzlink.up("--mode", "unisocket").ok().err


def test_unisocket_has_no_management_center(hzlink: Hzlink) -> None:
    ran = hzlink.up("--mode", "unisocket").ok()

    assert "Management Center does not support a single connection" in ran.err
    assert "Deployment/hazelcast-mancenter" not in hzlink.objects("client", "deployments")
    services = hzlink.objects("client", "services")
    assert "Service/hazelcast" in services
    assert "Service/hazelcast-0" not in services
    assert "nothing written" in hzlink.up("--mode", "unisocket").ok().err


def test_mode_changes_to_unisocket_and_back(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    hzlink.up("--mode", "unisocket").ok()
    assert hzlink.objects("client", "deployments").keys() == {"Deployment/skupper-router"}

    hzlink.up("--mode", "smart").ok()
    assert "Deployment/hazelcast-mancenter" in hzlink.objects("client", "deployments")
    assert "Service/hazelcast-2" in hzlink.objects("client", "services")


def test_wait_for_a_crashing_member_ends_early(real_hzlink: Hzlink) -> None:
    """A real container that crashes and restarts. The sandbox's back-offs are too short to detect it by its state."""
    real_hzlink.up().ok()
    real_hzlink.kubectl("cluster", "set", "env", "statefulset/hazelcast", "HZ_NETWORK_PORT_PORT=nowhere")

    ran = real_hzlink.up("--timeout", "150")

    assert ran.code == 1, "the wait did not time out"
    assert "error: cluster: StatefulSet hazelcast cannot become ready" in ran.err
    assert re.search(r"pod hazelcast-2: (CrashLoopBackOff|restarted \d times; before: Error, exit code 1)", ran.err)
    assert f"-n {real_hzlink.namespace} logs hazelcast-2 -c hazelcast --previous" in ran.err
    assert "InvalidConfigurationException" in real_hzlink.kubectl("cluster", "logs", "hazelcast-2", "--previous")


def test_two_client_sites(hzlink: Hzlink) -> None:
    other = f"{hzlink.namespace}-2"
    sites = ("--client-ctx", "client", "--client-ctx", "client2", "--client-ns", hzlink.namespace, "--client-ns", other)
    cluster = ("--cluster-ctx", "cluster", "--cluster-ns", hzlink.namespace)

    document = hzlink("up", *sites, *cluster, "--create-namespace", "-o", "json").ok().document

    assert [(link["client"], link["state"]) for link in document["links"]] == [("client", "ok"), ("client2", "ok")]
    assert [len(site["names"]) for site in document["sites"][1:]] == [3, 3]
    assert "nothing written" in hzlink("up", *sites, *cluster).ok().err

    # hzlink created the second namespace; the first one existed before.
    hzlink("down", "--yes").ok()
    assert hzlink.sandbox.kubectl("client", "get", "namespace", other, "--ignore-not-found") == ""
    assert hzlink.namespace in hzlink.sandbox.kubectl("client", "get", "namespace", hzlink.namespace)
