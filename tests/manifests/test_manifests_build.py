"""The manifests as built by kustomize: every variant builds and has no cluster-specific values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manifests.kustomizing import (
    MANIFESTS,
    Obj,
    build,
    built,
    built_variant,
    containers,
    one,
    pod_templates,
    variant_id,
    variants,
    write_overlay,
)

LABELS = {"app.kubernetes.io/managed-by": "hzlink", "app.kubernetes.io/part-of": "hazelcast"}


@pytest.fixture(params=list(variants()), ids=variant_id)
def variant(request: pytest.FixtureRequest) -> list[Obj]:
    return built_variant(request.param)


@pytest.fixture
def cluster() -> list[Obj]:
    return built(MANIFESTS / "cluster")


@pytest.fixture
def client() -> list[Obj]:
    return built(MANIFESTS / "client")


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar of an object, and every empty list or dictionary, with its path."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{path}/{key}")
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}/{index}")
    else:
        yield path, value


def names(objs: list[Obj]) -> set[str]:
    return {f"{o['kind']}/{o['metadata']['name']}" for o in objs}


def test_cluster_has_the_documented_objects(cluster: list[Obj]) -> None:
    assert names(cluster) == {
        "Site/cluster",
        "Connector/hazelcast",
        "StatefulSet/hazelcast",
        "Service/hazelcast",
        "ConfigMap/hazelcast-config",
        "PodDisruptionBudget/hazelcast",
    }


def test_client_has_the_documented_objects(client: list[Obj]) -> None:
    assert names(client) == {
        "Site/client",
        "Listener/hazelcast",
        "Deployment/hazelcast-mancenter",
        "Service/hazelcast-mancenter",
        "ConfigMap/hazelcast-mancenter-config",
    }


def test_no_namespace_and_no_cluster_domain(variant: list[Obj]) -> None:
    for obj in variant:
        assert "namespace" not in obj["metadata"]
    text = yaml.safe_dump_all(variant)
    assert not re.search(r"cluster\.local|\.svc\b|\bdnsConfig\b|hostAliases", text)
    assert not re.search(r"(?m)^\s*namespace:", text)


def test_objects_have_no_managed_by_label(variant: list[Obj]) -> None:
    """`kubectl apply -k` alone must not create objects that `hzlink down` would remove."""
    labels = [o["metadata"]["labels"] for o in variant] + [t["metadata"]["labels"] for t in pod_templates(variant)]
    for each in labels:
        assert not LABELS.keys() & each.keys()
        assert {"app.kubernetes.io/name", "app.kubernetes.io/component"} <= each.keys()


def test_no_empty_values(variant: list[Obj]) -> None:
    """No nulls, empty strings or empty lists; empty maps only where they have a meaning."""
    for obj in variant:
        for path, value in leaves(obj):
            assert value is not None, f"{obj['kind']}{path}"
            assert value != "", f"{obj['kind']}{path}"
            assert value != [], f"{obj['kind']}{path}"
            if value == {}:
                assert (obj["kind"], path.rsplit("/", 1)[1]) in {("Site", "spec")} or path.endswith("/emptyDir")


def test_pods_meet_pod_security_restricted(variant: list[Obj]) -> None:
    for template in pod_templates(variant):
        pod = template["spec"]["securityContext"]
        assert pod["runAsNonRoot"] is True
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert template["spec"]["automountServiceAccountToken"] is False
        for container in containers(template):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]


def test_selectors_match_pods(variant: list[Obj]) -> None:
    for obj in variant:
        spec = obj.get("spec", {})
        if obj["kind"] in ("StatefulSet", "Deployment"):
            assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()
    pods = [t["metadata"]["labels"] for t in pod_templates(variant)]
    selectors = [o["spec"]["selector"] for o in variant if o["kind"] == "Service"]
    selectors += [o["spec"]["selector"]["matchLabels"] for o in variant if o["kind"] == "PodDisruptionBudget"]
    selectors += [
        dict(pair.split("=") for pair in o["spec"]["selector"].split(",")) for o in variant if o["kind"] == "Connector"
    ]
    for selector in selectors:
        assert any(selector.items() <= labels.items() for labels in pods), selector


def test_ports_are_named_and_exist(variant: list[Obj]) -> None:
    for template in pod_templates(variant):
        for container in containers(template):
            ports = {p["name"] for p in container.get("ports", [])}
            assert all(p["protocol"] == "TCP" for p in container.get("ports", []))
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if probe in container:
                    assert container[probe]["httpGet"]["port"] in ports
    offered = {
        (p["name"], p["containerPort"])
        for t in pod_templates(variant)
        for c in containers(t)
        for p in c.get("ports", [])
    }
    for obj in variant:
        for port in obj["spec"]["ports"] if obj["kind"] == "Service" else []:
            assert port["protocol"] == "TCP"
            assert (port["targetPort"], port["port"]) in offered


def test_overlay_can_change_images_replicas_namespace_and_labels(tmp_path: Path) -> None:
    """Images, replicas, namespace, labels and the Site's name, as hzlink renders them."""
    overlay = write_overlay(
        tmp_path,
        "cluster",
        images=[{"name": "hazelcast/hazelcast", "newName": "mirror.example/hz", "newTag": "5.7.0"}],
        replicas=[{"name": "hazelcast", "count": 5}],
        namespace="elsewhere",
        labels=[{"pairs": LABELS, "includeSelectors": False}],
        patches=[
            {
                "target": {"group": "skupper.io", "kind": "Site"},
                "patch": '[{"op": "replace", "path": "/metadata/name", "value": "core"}]',
            }
        ],
    )
    objs = built(overlay)
    before = built(MANIFESTS / "cluster")
    members = one(objs, "StatefulSet")
    assert members["spec"]["replicas"] == 5
    assert members["spec"]["template"]["spec"]["containers"][0]["image"] == "mirror.example/hz:5.7.0"
    assert one(objs, "Site")["metadata"]["name"] == "core"
    for obj in objs:
        assert obj["metadata"]["namespace"] == "elsewhere"
        assert LABELS.items() <= obj["metadata"]["labels"].items()
    for kind in ("StatefulSet", "Service", "Connector", "PodDisruptionBudget"):
        assert one(objs, kind)["spec"]["selector"] == one(before, kind)["spec"]["selector"]


def test_image_entry_sets_both_containers_of_management_center(tmp_path: Path) -> None:
    image = {"name": "hazelcast/management-center", "newTag": "5.9.0"}
    template = one(built(write_overlay(tmp_path, "client", images=[image])), "Deployment")["spec"]["template"]
    assert {c["image"] for c in containers(template)} == {"hazelcast/management-center:5.9.0"}


def test_expected_number_of_members_can_be_patched(tmp_path: Path) -> None:
    patch = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "hazelcast-mancenter"},
        "spec": {
            "template": {
                "spec": {
                    "initContainers": [
                        {"name": "wait-for-members", "env": [{"name": "HAZELCAST_MEMBERS", "value": "5"}]}
                    ]
                }
            }
        },
    }
    overlay = write_overlay(tmp_path, "client", patches=[{"patch": yaml.safe_dump(patch)}])
    before = one(built(MANIFESTS / "client"), "Deployment")
    after = one(built(overlay), "Deployment")
    count = before["spec"]["template"]["spec"]["initContainers"][0]["env"][0]
    assert count == {"name": "HAZELCAST_MEMBERS", "value": "3"}
    count["value"] = "5"
    assert after == before


@pytest.mark.parametrize("component", ["expose-loadbalancer", "expose-nodeport"])
def test_expose_component_with_unisocket_is_refused(tmp_path: Path, component: str) -> None:
    done = build(write_overlay(tmp_path, "client", ["client-unisocket", component]))
    assert done.returncode != 0
    assert "hazelcast-mancenter" in done.stderr


def test_every_component_is_in_a_variant() -> None:
    tried = {name for _, components in variants() for name in components}
    assert tried == {path.name for path in (MANIFESTS / "components").iterdir()}


def test_without_management_center_only_the_listener_is_left_and_says_so() -> None:
    objs = built_variant(("client", ("no-mancenter",)))
    assert names(objs) == {"Site/client", "Listener/hazelcast"}
    listener = one(objs, "Listener")
    assert listener["metadata"]["annotations"] == {"hzlink.io/management-center": "none"}
    assert listener["spec"] == one(built(MANIFESTS / "client"), "Listener")["spec"]
    assert names(built_variant(("client", ("client-unisocket",)))) == names(objs)
