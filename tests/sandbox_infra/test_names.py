from __future__ import annotations

from pathlib import Path

from sandbox.network.names import PodName, read_hosts, relays_by_target_port, resolve, write_hosts
from tests.sandbox_infra.objects import service

UNREACHABLE = "127.9.255.254"
PODS = [
    PodName("hazelcast-0", {"app": "hazelcast"}, "127.9.0.1", True, "hazelcast-0", "hazelcast"),
    PodName("hazelcast-1", {"app": "hazelcast"}, "127.9.0.2", False, "hazelcast-1", "hazelcast"),
    PodName("other", {"app": "other"}, "127.9.0.3", True),
]


def _addresses(name: str, *services: dict[str, object], relays: dict[str, str] | None = None) -> list[str]:
    return [address for address, known in resolve("ns", services, PODS, relays or {}, UNREACHABLE) if known == name]


def test_a_headless_service_resolves_to_its_ready_pods() -> None:
    headless = service("hazelcast", "ns", clusterIP="None", selector={"app": "hazelcast"})

    assert _addresses("hazelcast", headless) == ["127.9.0.1"]


def test_publish_not_ready_addresses() -> None:
    headless = service(
        "hazelcast", "ns", clusterIP="None", selector={"app": "hazelcast"}, publishNotReadyAddresses=True
    )

    assert _addresses("hazelcast", headless) == ["127.9.0.1", "127.9.0.2"]
    assert _addresses("hazelcast.ns.svc.cluster.local", headless) == ["127.9.0.1", "127.9.0.2"]
    assert _addresses("hazelcast-1.hazelcast", headless) == ["127.9.0.2"]
    # A pod's name alone does not resolve.
    assert _addresses("hazelcast-1", headless) == []


def test_a_headless_service_without_pods_does_not_resolve() -> None:
    assert _addresses("x", service("x", "ns", clusterIP="None", selector={"app": "nobody"})) == []


def test_a_relay_overrides_the_selector() -> None:
    routed = service("hazelcast-0", "ns", selector={"skupper.io/component": "router"})

    assert _addresses("hazelcast-0", routed, relays={"hazelcast-0": "127.9.128.1"}) == ["127.9.128.1"]


def test_a_service_without_pods_resolves_to_the_unreachable_address() -> None:
    assert _addresses("hazelcast-0", service("hazelcast-0", "ns", clusterIP="10.96.0.9")) == [UNREACHABLE]


def test_a_hosts_file_contains_services_and_the_pod_itself(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"

    write_hosts(hosts, [("127.9.0.1", "hazelcast"), ("127.9.0.2", "hazelcast")], PODS[1])

    assert read_hosts(hosts, "Hazelcast.") == ["127.9.0.1", "127.9.0.2"]
    assert read_hosts(hosts, "hazelcast-1") == ["127.9.0.2"]
    assert read_hosts(hosts, "hazelcast-0") == []
    assert read_hosts(hosts, "localhost") == ["127.0.0.1"]


def test_a_changed_target_port_selects_another_relay() -> None:
    def service(name: str, target: int) -> dict[str, object]:
        return {"metadata": {"name": name}, "spec": {"ports": [{"port": 5701, "targetPort": target}]}}

    relays = {"a": "127.0.0.11", "b": "127.0.0.12", "c": "127.0.0.13"}
    routers = {1024: "127.0.0.11", 1025: "127.0.0.12"}
    services = [service("a", 1025), service("b", 1024), service("c", 7), service("own", 1024)]
    assert relays_by_target_port(services, relays, routers) == {**relays, "a": "127.0.0.12", "b": "127.0.0.11"}
