"""The texts of `member-config`: valid YAML that says what it has to, for every choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hzlink.model.choices import ConfigTarget, Discovery
from hzlink.render import member_config
from hzlink.render.member_config import MemberConfig

MANIFEST = Path(__file__).resolve().parents[3] / "manifests/cluster/hazelcast.yaml"
OWN: dict[str, Any] = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["hazelcast"]["advanced-network"]


def documents(target: ConfigTarget, name: str = "prod", **more: Any) -> list[Any]:
    return list(yaml.safe_load_all(member_config.text(MemberConfig(target, name, **more))))


def member_file(**more: Any) -> dict[str, Any]:
    (document,) = documents(ConfigTarget.YAML, **more)
    found: dict[str, Any] = document["hazelcast"]
    return found


def helm_values(**more: Any) -> dict[str, Any]:
    (document,) = documents(ConfigTarget.HELM, **more)
    found: dict[str, Any] = document
    return found


def test_yaml_equals_the_members_that_hzlink_deploys() -> None:
    found = member_file(name="${serviceName}", discovery=Discovery.DNS)
    assert found == {"advanced-network": OWN}


def test_discovery_through_the_api() -> None:
    join = member_file(namespace="hz")["advanced-network"]["join"]["kubernetes"]
    assert join == {"enabled": True, "service-name": "prod", "namespace": "hz", "service-port": 5702}
    assert "namespace" not in member_file()["advanced-network"]["join"]["kubernetes"]


def test_discovery_by_dns_in_another_namespace() -> None:
    join = member_file(namespace="hz", discovery=Discovery.DNS)["advanced-network"]["join"]["kubernetes"]
    assert join == {"enabled": True, "service-dns": "prod.hz.svc", "service-port": 5702}


def test_helm_values_enable_the_section_only_outside_the_file() -> None:
    """Hazelcast refuses a file with an enabled advanced-network and `network`, which the chart always writes."""
    values = helm_values()
    network = values["hazelcast"]["yaml"]["hazelcast"]["advanced-network"]
    assert network["enabled"] is False
    assert values["hazelcast"]["javaOpts"] == "-DadvertiseName=$(POD_NAME) -Dhz.advanced-network.enabled=true"
    join = network["join"]["kubernetes"]
    assert (join["service-name"], join["namespace"]) == ("${serviceName}", "${namespace}")
    ends = {key: value for key, value in OWN.items() if key not in ("enabled", "join")}
    assert {key: value for key, value in network.items() if key not in ("enabled", "join")} == ends


def test_helm_probes_move_to_the_health_port() -> None:
    values = helm_values()
    port = OWN["rest-server-socket-endpoint-config"]["port"]["port"]
    assert (values["livenessProbe"], values["readinessProbe"]) == ({"port": port}, {"port": port})


def test_operator_adds_only_the_advertised_name() -> None:
    config, resource, *services = documents(ConfigTarget.OPERATOR, namespace="hz", members=2)
    assert yaml.safe_load(config["data"]["hazelcast"]) == {
        "advanced-network": {"client-server-socket-endpoint-config": {"public-address": "${advertiseName}:5701"}}
    }
    assert config["metadata"]["annotations"] == {"hazelcast.com/custom-config-overwrite": "true"}
    assert resource["spec"]["customConfigCmName"] == config["metadata"]["name"]
    names = [variable["name"] for variable in resource["spec"]["env"]]
    # Kubernetes inserts only variables that are defined before.
    assert names == ["POD_NAME", "JDK_JAVA_OPTIONS"]
    # The operator's CRD refuses them.
    assert not [name for name in names if name.startswith("HZ_")]
    found = [(one["metadata"], one["spec"]["selector"]) for one in services]
    pods = ["prod-0", "prod-1"]
    assert found == [({"name": pod, "namespace": "hz"}, {"statefulset.kubernetes.io/pod-name": pod}) for pod in pods]


def test_operator_elsewhere_gets_the_names_too() -> None:
    more = documents(ConfigTarget.OPERATOR, namespace="hz", members=1, operator_namespace="ops")
    alias = more[-1]
    assert alias["metadata"] == {"name": "prod-0", "namespace": "ops"}
    assert alias["spec"] == {"type": "ExternalName", "externalName": "prod-0.hz.svc.cluster.local"}


@pytest.mark.parametrize("name", ["orders", "yes", "a: b", "ä\u2028", '"#\n'])
def test_any_cluster_name_is_quoted(name: str) -> None:
    assert member_file(cluster_name=name)["cluster-name"] == name
    assert helm_values(cluster_name=name)["hazelcast"]["yaml"]["hazelcast"]["cluster-name"] == name
    assert documents(ConfigTarget.OPERATOR, cluster_name=name)[1]["spec"]["clusterName"] == name


@pytest.mark.parametrize("target", [ConfigTarget.HELM, ConfigTarget.YAML])
def test_hints_warn_of_a_rolling_update(target: ConfigTarget) -> None:
    assert "form a second cluster" in member_config.hints(MemberConfig(target, "prod"))[0]


def test_hints_name_the_release_and_its_namespace() -> None:
    hints = member_config.hints(MemberConfig(ConfigTarget.HELM, "prod", "hz"))
    assert hints[-1] == "helm upgrade prod hazelcast/hazelcast --reuse-values -f FILE -n hz"


@pytest.mark.parametrize("target", list(ConfigTarget))
def test_every_line_is_short(target: ConfigTarget) -> None:
    wanted = MemberConfig(target, "prod", "hz", operator_namespace="ops")
    assert max(len(line) for line in member_config.text(wanted).splitlines()) <= 120
