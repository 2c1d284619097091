"""Consistency of the manifests: configuration, ports, names, modes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manifests.kustomizing import MANIFESTS, Obj, built, one, write_overlay


@pytest.fixture
def cluster() -> list[Obj]:
    return built(MANIFESTS / "cluster")


@pytest.fixture
def client() -> list[Obj]:
    return built(MANIFESTS / "client")


@pytest.fixture
def unisocket(tmp_path: Path) -> list[Obj]:
    return built(write_overlay(tmp_path, "cluster", ["cluster-unisocket"]))


def member_config(objs: list[Obj]) -> dict[str, Any]:
    data = one(objs, "ConfigMap")["data"]
    assert list(data) == ["hazelcast.yaml"]
    config = yaml.safe_load(data["hazelcast.yaml"])
    assert list(config) == ["hazelcast"]
    return dict(config["hazelcast"])


def client_config(objs: list[Obj]) -> dict[str, Any]:
    config = yaml.safe_load(one(objs, "ConfigMap")["data"]["hazelcast-client.yaml"])
    return dict(config["hazelcast-client"])


def member(objs: list[Obj]) -> Obj:
    (container,) = one(objs, "StatefulSet")["spec"]["template"]["spec"]["containers"]
    return dict(container)


def environment(container: Obj) -> dict[str, str]:
    return {e["name"]: e.get("value", "") for e in container["env"]}


def java_properties(container: Obj) -> dict[str, str]:
    """The system properties in JAVA_OPTS."""
    options = environment(container)["JAVA_OPTS"].split(" ")
    return dict(o.removeprefix("-D").split("=", 1) for o in options if o.startswith("-D"))


def mounted(container: Obj, template: Obj) -> dict[str, str]:
    """ConfigMaps by mount path."""
    volumes = {v["name"]: v["configMap"]["name"] for v in template["spec"]["volumes"] if "configMap" in v}
    return {m["mountPath"]: volumes[m["name"]] for m in container["volumeMounts"] if m["name"] in volumes}


def test_ports_agree(cluster: list[Obj], client: list[Obj]) -> None:
    network = member_config(cluster)["advanced-network"]
    clients = network["client-server-socket-endpoint-config"]
    members = network["member-server-socket-endpoint-config"]
    health = network["rest-server-socket-endpoint-config"]
    ports = {p["name"]: p["containerPort"] for p in member(cluster)["ports"]}
    assert ports == {
        "client": clients["port"]["port"],
        "member": members["port"]["port"],
        "health": health["port"]["port"],
    }
    assert network["join"]["kubernetes"]["service-port"] == ports["member"]
    assert clients["public-address"] == f"${{advertiseName}}:{ports['client']}"
    assert one(cluster, "Connector")["spec"]["port"] == ports["client"]
    assert one(client, "Listener")["spec"]["port"] == ports["client"]
    for endpoint in (clients, members, health):
        assert endpoint["port"]["auto-increment"] is False


def test_only_health_endpoints_are_enabled_over_http(cluster: list[Obj]) -> None:
    rest = member_config(cluster)["advanced-network"]["rest-server-socket-endpoint-config"]
    assert rest["endpoint-groups"] == {"HEALTH_CHECK": {"enabled": True}, "CLUSTER_READ": {"enabled": False}}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert member(cluster)[probe]["httpGet"]["path"].startswith("/hazelcast/health/")


@pytest.mark.parametrize("mode", ["cluster", "unisocket"])
def test_placeholders_have_values(mode: str, request: pytest.FixtureRequest) -> None:
    objs: list[Obj] = request.getfixturevalue(mode)
    text = one(objs, "ConfigMap")["data"]["hazelcast.yaml"]
    configured = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    given = java_properties(member(objs))
    used = set(re.findall(r"\$\{(\w+)\}", configured))
    assert used == {name for name in given if "." not in name}
    assert given["serviceName"] == one(objs, "Service")["metadata"]["name"]


def test_members_advertise_the_pods_name(cluster: list[Obj]) -> None:
    container = member(cluster)
    assert java_properties(container)["advertiseName"] == "$(POD_NAME)"
    # Kubernetes expands only variables that are defined before.
    assert [e["name"] for e in container["env"]] == ["POD_NAME", "JAVA_OPTS"]
    assert container["env"][0]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}


def test_members_find_each_other_by_the_headless_service(cluster: list[Obj]) -> None:
    service, members = one(cluster, "Service"), one(cluster, "StatefulSet")
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert members["spec"]["serviceName"] == service["metadata"]["name"]
    assert members["spec"]["podManagementPolicy"] == "Parallel"
    assert members["spec"]["replicas"] == 3


def test_members_stop_gracefully(cluster: list[Obj]) -> None:
    given = java_properties(member(cluster))
    spec = one(cluster, "StatefulSet")["spec"]["template"]["spec"]
    assert given["hazelcast.shutdownhook.policy"] == "GRACEFUL"
    assert int(given["hazelcast.graceful.shutdown.max.wait"]) == spec["terminationGracePeriodSeconds"] == 600
    assert one(cluster, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_config_files_are_mounted_at_the_configured_paths(cluster: list[Obj], client: list[Obj]) -> None:
    template = one(cluster, "StatefulSet")["spec"]["template"]
    assert mounted(member(cluster), template) == {"/config": "hazelcast-config"}
    assert java_properties(member(cluster))["hazelcast.config"] == "/config/hazelcast.yaml"

    template = one(client, "Deployment")["spec"]["template"]
    wait, mancenter = template["spec"]["initContainers"][0], template["spec"]["containers"][0]
    assert mounted(wait, template) == mounted(mancenter, template) == {"/config": "hazelcast-mancenter-config"}
    files = {f"/config/{name}" for name in one(client, "ConfigMap")["data"]}
    assert wait["command"][-1] in files
    assert environment(mancenter)["MC_INIT_CMD"].split(" ")[-2:] == ["-cc", "/config/hazelcast-client.yaml"]
    assert "/config/hazelcast-client.yaml" in files


def test_client_and_cluster_have_the_same_cluster_name(cluster: list[Obj], client: list[Obj]) -> None:
    listener, connector = one(client, "Listener")["spec"], one(cluster, "Connector")["spec"]
    assert listener["routingKey"] == connector["routingKey"]
    assert listener["exposePodsByName"] is connector["exposePodsByName"] is True
    config = client_config(client)
    assert config["cluster-name"] == member_config(cluster)["cluster-name"]
    assert config["network"]["kubernetes"] == {"enabled": True, "service-dns": listener["host"]}


def test_management_center_can_restart_and_requires_a_login(client: list[Obj]) -> None:
    (mancenter,) = one(client, "Deployment")["spec"]["template"]["spec"]["containers"]
    command = environment(mancenter)["MC_INIT_CMD"]
    assert "cluster add --lenient=true" in command
    assert "dev-mode" not in command
    assert "-Dhazelcast.mc.healthCheck.enable=true" in environment(mancenter)["JAVA_OPTS"]


def test_link_access_is_on_one_side_and_can_be_swapped(cluster: list[Obj], client: list[Obj], tmp_path: Path) -> None:
    assert one(cluster, "Site")["spec"] == {"linkAccess": "default"}
    assert one(client, "Site")["spec"] == {"linkAccess": "none"}
    rename = [
        {
            "target": {"kind": "Site"},
            "patch": '[{"op": "replace", "path": "/metadata/name", "value": "other"}]',
        }
    ]
    without = built(write_overlay(tmp_path / "a", "cluster", ["no-link-access"], patches=rename))
    with_access = built(write_overlay(tmp_path / "b", "client", ["link-access"], patches=rename))
    assert one(without, "Site", "other")["spec"] == {"linkAccess": "none"}
    assert one(with_access, "Site", "other")["spec"] == {"linkAccess": "default"}


@pytest.mark.parametrize(
    ("component", "kind"), [("expose-loadbalancer", "LoadBalancer"), ("expose-nodeport", "NodePort")]
)
def test_expose_component_exposes_only_the_web_port(
    tmp_path: Path, client: list[Obj], component: str, kind: str
) -> None:
    before = one(client, "Service")
    after = one(built(write_overlay(tmp_path, "client", [component])), "Service")
    assert before["spec"]["type"] == "ClusterIP"
    assert [p["port"] for p in before["spec"]["ports"]] == [8080, 8081]
    assert after["spec"]["type"] == kind
    assert [p["port"] for p in after["spec"]["ports"]] == [8080]


def test_unisocket_members_lack_only_the_public_address(cluster: list[Obj], unisocket: list[Obj]) -> None:
    """So members of both modes can form one cluster, and a running cluster can change its mode."""
    expected = member_config(cluster)
    del expected["advanced-network"]["client-server-socket-endpoint-config"]["public-address"]
    assert member_config(unisocket) == expected

    properties = java_properties(member(cluster))
    del properties["advertiseName"]
    assert java_properties(member(unisocket)) == properties
    assert [e["name"] for e in member(unisocket)["env"]] == ["JAVA_OPTS"]
    assert "exposePodsByName" not in one(unisocket, "Connector")["spec"]


def test_unisocket_client_side_has_neither_names_nor_management_center(tmp_path: Path) -> None:
    objs = built(write_overlay(tmp_path, "client", ["client-unisocket"]))
    assert sorted(o["kind"] for o in objs) == ["Listener", "Site"]
    assert "exposePodsByName" not in one(objs, "Listener")["spec"]
