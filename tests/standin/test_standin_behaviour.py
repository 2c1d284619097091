"""The stand-in's controller on real API servers: from nothing to linked Sites, and back."""

from __future__ import annotations

import socket

import pytest

from sandbox.api import kinds as core
from sandbox.api.kinds import KubeError, Obj
from sandbox.skupper.controller import kinds, status
from tests.sandboxed import Namespaces, Sandbox, until
from tests.standin.topology import COLLECTED, SECONDS, Topology

pytestmark = pytest.mark.sandbox

MEMBERS = {"hazelcast-0", "hazelcast-1", "hazelcast-2"}


def conditions(obj: Obj | None) -> list[tuple[str, str, str]]:
    """Type, status and message, in their order."""
    found = (obj or {}).get("status", {}).get("conditions", [])
    return [(c["type"], c["status"], c["message"]) for c in found]


def test_the_objects_of_a_site_and_their_owners(topology: Topology) -> None:
    topology.site("cluster", "c01", "default")

    def owners(resource: core.Resource) -> dict[str, list[str]]:
        return {
            obj["metadata"]["name"]: [
                f"{ref['kind']}/{ref['name']}" for ref in obj["metadata"].get("ownerReferences", [])
            ]
            for obj in topology.list("cluster", resource)
            if "skupper" in obj["metadata"]["name"]
        }

    site, access = ["Site/c01"], ["SecuredAccess/skupper-router"]
    assert owners(core.DEPLOYMENTS) == {"skupper-router": site}
    assert owners(core.SERVICES) == {"skupper-router": access, "skupper-router-local": site}
    assert owners(core.CONFIG_MAPS)["skupper-router"] == site
    until(lambda: "skupper-network-status" in owners(core.CONFIG_MAPS), SECONDS)
    assert owners(core.CONFIG_MAPS)["skupper-network-status"] == ["Deployment/skupper-router"]
    for resource in (core.SERVICE_ACCOUNTS, core.ROLES, core.ROLE_BINDINGS, kinds.ROUTER_ACCESSES):
        assert owners(resource) == {"skupper-router": site}
    assert owners(kinds.SECURED_ACCESSES) == {"skupper-router": ["RouterAccess/skupper-router"]}
    own = {"skupper-site-ca": site, "skupper-local-ca": site, "skupper-local-server": site}
    assert owners(kinds.CERTIFICATES) == own | {"skupper-site-server": access}
    assert owners(core.SECRETS) == {name: [f"Certificate/{name}"] for name in owners(kinds.CERTIFICATES)}
    until(lambda: owners(core.LEASES) == {"skupper-site-leader": []}, SECONDS)


def test_without_link_access_a_site_is_ready_without_an_address(topology: Topology) -> None:
    topology.site("client", "c02")
    site = topology.get("client", kinds.SITES, "c02")
    assert [kind for kind, _, _ in conditions(site)] == ["Configured", "Ready", "Running"]
    assert "endpoints" not in (site or {})["status"]
    assert topology.services("client") == {"skupper-router-local"}
    assert (site or {})["status"]["controller"] == {
        "name": "skupper-controller",
        "namespace": "skupper",
        "version": "2.2.1",
    }


def test_with_link_access_a_site_waits_for_its_load_balancer(topology: Topology) -> None:
    topology.fault(lb={"cluster": False})
    topology.make("cluster", kinds.SITES, "c01", linkAccess="default")
    topology.wait_for("cluster", kinds.SITES, "c01", "Pending", "Pending")
    site = topology.get("cluster", kinds.SITES, "c01")
    assert ("Running", "True", "OK") in conditions(site)
    assert ("Resolved", "False", "Pending") in conditions(site)
    topology.wait_for("cluster", kinds.ROUTER_ACCESSES, "skupper-router", "Pending", "Pending")
    topology.wait_for("cluster", kinds.SECURED_ACCESSES, "skupper-router", "Pending", "Pending")
    refused = topology.on("cluster", "token", "issue", "a.yaml")
    assert (refused.returncode, refused.stdout) == (2, "there is no active skupper site in this namespace\n")

    topology.fault()
    topology.wait_for("cluster", kinds.SITES, "c01", "Ready", "OK")
    endpoints = (topology.get("cluster", kinds.SITES, "c01") or {})["status"]["endpoints"]
    assert [(e["name"], e["port"], e["group"]) for e in endpoints] == [
        ("inter-router", "55671", "skupper-router"),
        ("edge", "45671", "skupper-router"),
    ]
    service = topology.get("cluster", core.SERVICES, "skupper-router") or {}
    assert {e["host"] for e in endpoints} == {service["status"]["loadBalancer"]["ingress"][0]["ip"]}

    topology.fault(lb={"cluster": False})
    topology.wait_for("cluster", kinds.SITES, "c01", "Pending", "Pending")


@pytest.mark.parametrize("access", ["nodeport", "ingress", "nonsense"])
def test_unsupported_link_access(topology: Topology, access: str) -> None:
    topology.make("cluster", kinds.SITES, "c01", linkAccess=access)
    topology.wait_for("cluster", kinds.SITES, "c01", "Error", f"Unsupported value for LinkAccess: {access}")
    assert topology.list("cluster", core.DEPLOYMENTS) == []


def test_only_one_site_per_namespace_is_active(topology: Topology) -> None:
    topology.site("client", "first")
    topology.make("client", kinds.SITES, "second")
    message = "An active site already exists in the namespace (first)"
    topology.wait_for("client", kinds.SITES, "second", "Error", message)
    topology.delete("client", kinds.SITES, "first")
    topology.wait_for("client", kinds.SITES, "second", "Ready", "OK", seconds=COLLECTED)


def test_a_recreated_site_recovers_after_garbage_collection(topology: Topology) -> None:
    topology.site("client", "c02")
    before = topology.get("client", core.DEPLOYMENTS, "skupper-router") or {}
    topology.delete("client", kinds.SITES, "c02")
    topology.make("client", kinds.SITES, "c02")
    topology.wait_for("client", kinds.SITES, "c02", "Ready", "OK", seconds=COLLECTED)

    def renewed() -> bool:
        now = topology.get("client", core.DEPLOYMENTS, "skupper-router") or {"metadata": {"uid": ""}}
        return bool(now["metadata"]["uid"] not in ("", before["metadata"]["uid"]))

    until(renewed, COLLECTED)


def test_the_order_of_conditions(topology: Topology) -> None:
    topology.sites()
    topology.bindings()
    topology.wait_for("client", kinds.LISTENERS, "hazelcast", "Pending", "No matching connectors")
    topology.wait_for("cluster", kinds.CONNECTORS, "hazelcast", "Pending", "No matching listeners")
    assert topology.services("client") == {"hazelcast", "skupper-router-local"}

    name = topology.token(topology.grant())
    topology.wait_for("client", kinds.TOKENS, name, "Ready", "OK")
    link = topology.get("client", kinds.LINKS, name) or {}
    assert "status" not in link
    assert [ref["kind"] for ref in link["metadata"]["ownerReferences"]] == ["Site"]
    secret = topology.get("client", core.SECRETS, name) or {}
    assert secret["metadata"]["ownerReferences"] == link["metadata"]["ownerReferences"]
    assert topology.services("client") == {"hazelcast", "skupper-router-local"}

    topology.wake(name)
    topology.wait_for("client", kinds.LINKS, name, "Pending", "Not Operational")
    topology.wait_for("client", kinds.LINKS, name, "Ready", "OK")
    topology.wait_for("client", kinds.LISTENERS, "hazelcast", "Ready", "OK")
    topology.wait_for("cluster", kinds.CONNECTORS, "hazelcast", "Ready", "OK")
    until(lambda: topology.services("client") >= MEMBERS, SECONDS)
    link = topology.get("client", kinds.LINKS, name) or {}
    assert [kind for kind, _, _ in conditions(link)] == ["Configured", "Ready", "Operational"]
    assert link["status"]["remoteSiteName"] == "c01"
    for server, site in (("client", "c02"), ("cluster", "c01")):
        found = (topology.get(server, kinds.SITES, site) or {})["status"]
        assert found["sitesInNetwork"] == 2
        assert {record["name"] for record in found["network"]} == {"c01", "c02"}


def test_per_pod_services(topology: Topology) -> None:
    topology.sites()
    topology.bindings()
    topology.link()
    until(lambda: topology.services("client") >= MEMBERS, SECONDS)
    site = topology.get("client", kinds.SITES, "c02") or {}
    ports = set()
    for name in ("hazelcast", *sorted(MEMBERS)):
        service = topology.get("client", core.SERVICES, name) or {}
        assert service["metadata"]["labels"] == {"internal.skupper.io/listener": "hazelcast"}
        assert service["metadata"]["ownerReferences"][0]["uid"] == site["metadata"]["uid"]
        assert service["spec"]["selector"] == {"application": "skupper-router", "skupper.io/component": "router"}
        (port,) = service["spec"]["ports"]
        assert (port["name"], port["port"]) == ("hazelcast", 5701)
        ports.add(port["targetPort"])
    assert ports == {1024, 1025, 1026, 1027}

    before = (topology.get("client", core.SERVICES, "hazelcast-1") or {})["metadata"]["uid"]
    relay = topology.relay("hazelcast-1")
    _scale(topology, 1)
    until(lambda: topology.services("client") & MEMBERS == {"hazelcast-0"}, SECONDS)
    _scale(topology, 3)
    until(lambda: topology.services("client") >= MEMBERS, SECONDS)
    assert (topology.get("client", core.SERVICES, "hazelcast-1") or {})["metadata"]["uid"] != before
    until(lambda: topology.relay("hazelcast-1") not in (None, relay), SECONDS)


def _scale(topology: Topology, replicas: int) -> None:
    scale = {"spec": {"replicas": replicas}}
    topology.sandbox.kube("cluster").patch(core.STATEFUL_SETS, topology.name, "hazelcast", scale)


def test_a_service_with_a_pods_name_is_taken_over_and_not_deleted(topology: Topology) -> None:
    topology.sites()
    topology.bindings()
    spec = {"ports": [{"name": "own", "port": 80}], "selector": {"app": "mine"}}
    topology.make("client", core.SERVICES, "hazelcast-0", **spec)
    topology.link()

    def taken() -> bool:
        service = topology.get("client", core.SERVICES, "hazelcast-0") or {}
        return bool(service["spec"]["selector"].get("application") == "skupper-router")

    until(taken, SECONDS)
    topology.delete("client", kinds.LISTENERS, "hazelcast")
    until(lambda: not topology.services("client") & {"hazelcast", "hazelcast-1"}, SECONDS)
    assert "hazelcast-0" in topology.services("client")


def test_a_listener_does_not_take_over_the_service_of_its_host(topology: Topology) -> None:
    topology.site("client", "c02")
    topology.make("client", core.SERVICES, "hazelcast", ports=[{"port": 80}])
    topology.make("client", kinds.LISTENERS, "hazelcast", routingKey="hazelcast", host="hazelcast", port=5701)
    message = "Service hazelcast already exists in namespace"
    topology.wait_for("client", kinds.LISTENERS, "hazelcast", "Error", message)


def test_a_connector_without_ready_pods(topology: Topology) -> None:
    topology.site("cluster", "c01", "default")
    topology.bindings(members=1)
    topology.wait_for("cluster", kinds.CONNECTORS, "hazelcast", "Pending", "No matching listeners")
    _scale(topology, 0)
    topology.wait_for("cluster", kinds.CONNECTORS, "hazelcast", "Error", "No matches for selector")


def test_without_a_site_nothing_is_reconciled(topology: Topology) -> None:
    topology.bindings(members=0)
    message = "No active site in namespace"
    topology.wait_for("client", kinds.LISTENERS, "hazelcast", "Error", message)
    topology.wait_for("cluster", kinds.CONNECTORS, "hazelcast", "Error", message)
    # A Site that is created later adopts them only at the resync.
    topology.site("client", "c02")
    topology.wait_for("client", kinds.LISTENERS, "hazelcast", "Pending")
    until(lambda: "hazelcast" in topology.services("client"), SECONDS)


def test_a_new_link_is_ignored_until_it_changes(topology: Topology) -> None:
    topology.sites()
    one, two = topology.token(topology.grant()), topology.token(topology.grant())
    for name in (one, two):
        topology.wait_for("client", kinds.TOKENS, name, "Ready")
    topology.wake(one)
    topology.wait_for("client", kinds.LINKS, one, "Pending", "Not Operational")
    assert topology.state("client", kinds.LINKS, two) == ("", "")
    topology.wait_for("client", kinds.LINKS, two, "Ready", "OK")


def test_either_side_can_issue(topology: Topology) -> None:
    topology.site("client", "c02", "default")
    topology.site("cluster", "c01")
    topology.bindings()
    name = topology.token(topology.grant("client"), server="cluster")
    topology.wake(name, "cluster")
    topology.wait_for("cluster", kinds.LINKS, name, "Ready", "OK")
    topology.wait_for("client", kinds.LISTENERS, "hazelcast", "Ready", "OK")
    until(lambda: topology.services("client") >= MEMBERS, SECONDS)
    assert topology.list("client", kinds.LINKS) == []


def test_several_client_sites(sandbox: Sandbox, namespaces: Namespaces, topology: Topology) -> None:
    topology.sites()
    topology.bindings()
    topology.link()
    other = Topology(sandbox, namespaces.make("none"), topology.folder)
    other.site("client", "c03")
    name = other.token(topology.grant())
    other.wake(name)
    other.wait_for("client", kinds.LINKS, name, "Ready", "OK")
    assert (other.get("client", kinds.LINKS, name) or {})["status"]["remoteSiteName"] == "c01"
    until(lambda: (topology.get("client", kinds.SITES, "c02") or {})["status"]["sitesInNetwork"] == 3, SECONDS)


def test_the_client_side_keeps_its_status_for_a_while_after_the_cluster_site_is_gone(topology: Topology) -> None:
    topology.sites()
    topology.bindings()
    name = topology.link()
    topology.wait_for("client", kinds.LISTENERS, "hazelcast", "Ready", "OK")
    topology.delete("cluster", kinds.SITES, "c01")
    topology.wait_for("client", kinds.LINKS, name, "Pending", "Not operational")
    assert topology.state("client", kinds.LISTENERS, "hazelcast") == ("Ready", "OK")
    assert topology.services("client") >= MEMBERS
    topology.wait_for("client", kinds.LISTENERS, "hazelcast", "Pending", "No matching connectors")
    until(lambda: not topology.services("client") & MEMBERS, SECONDS)
    link = topology.get("client", kinds.LINKS, name) or {}
    assert (link["status"]["message"], link["status"]["remoteSiteName"]) == ("Not operational", "c01")
    until(lambda: (topology.get("client", kinds.SITES, "c02") or {})["status"]["sitesInNetwork"] == 1, SECONDS)


def test_objects_that_remain_after_a_site_is_deleted(topology: Topology) -> None:
    topology.sites()
    topology.bindings()
    name = topology.link()
    topology.delete("client", kinds.SITES, "c02")
    over = "Already redeemed for a deleted site"
    topology.wait_for("client", kinds.TOKENS, name, "Error", over)
    token = topology.get("client", kinds.TOKENS, name) or {}
    assert status.is_true(token, status.REDEEMED)

    def collected() -> bool:
        left = [core.SERVICES, core.DEPLOYMENTS, core.SECRETS, core.ROLES, core.PODS, kinds.LINKS]
        return not any(topology.list("client", resource) for resource in left)

    until(collected, COLLECTED)
    until(lambda: topology.get("client", core.CONFIG_MAPS, "skupper-network-status") is None, COLLECTED)
    assert topology.get("client", core.LEASES, "skupper-site-leader") is not None
    assert topology.get("client", kinds.LISTENERS, "hazelcast") is not None
    assert topology.state("cluster", kinds.GRANTS, name) == ("Ready", "OK")
    # The other side removes it from its status later.
    topology.wait_for("cluster", kinds.CONNECTORS, "hazelcast", "Pending", "No matching listeners")


def test_credentials_of_a_previous_site_are_invalid(topology: Topology) -> None:
    topology.sites()
    name = topology.link()
    topology.delete("cluster", kinds.SITES, "c01")
    topology.wait_for("client", kinds.LINKS, name, "Pending", "Not operational")
    until(lambda: topology.get("cluster", core.SECRETS, "skupper-site-ca") is None, COLLECTED)
    topology.site("cluster", "c01", "default", seconds=COLLECTED)
    with pytest.raises(AssertionError, match="not within"):
        until(lambda: topology.state("client", kinds.LINKS, name) == ("Ready", "OK"), 1.5)


def test_traffic_needs_ready_routers_and_a_link_but_no_conditions(topology: Topology) -> None:
    topology.fault(listener="pending")
    topology.sites()
    topology.bindings()
    assert _open(topology.relay("hazelcast")) is False
    topology.link()
    assert topology.state("client", kinds.LISTENERS, "hazelcast") == ("Pending", "No matching connectors")
    # These pods have no processes, so no relay listens for them, linked or not.
    until(lambda: topology.relay("hazelcast-1"), SECONDS)
    assert len({topology.relay(name) for name in ("hazelcast", *MEMBERS)}) == 4


def _open(address: tuple[str, int] | None) -> bool:
    if address is None:
        return False
    with socket.socket() as client:
        return client.connect_ex(address) == 0


def test_unknown_fields_are_refused_by_strict_validation(topology: Topology) -> None:
    site = {
        "apiVersion": kinds.API_VERSION,
        "kind": "Site",
        "metadata": {"name": "c01"},
        "spec": {"linkAccess": "none", "settings": {"anything": "goes"}, "linkAcess": "typo"},
    }
    path = kinds.SITES.path(topology.name)
    with pytest.raises(KubeError, match=r'unknown field "spec.linkAcess"'):
        topology.sandbox.kube("cluster").request("POST", path, body=site, params={"fieldValidation": "Strict"})


def test_a_refused_object_does_not_stop_the_others(topology: Topology) -> None:
    topology.site("client", "c02")
    topology.make("client", kinds.LISTENERS, "a-bad", routingKey="x", host="Not A Name", port=80)
    topology.make("client", kinds.LISTENERS, "b-good", routingKey="y", host="good", port=80)
    until(lambda: "good" in topology.services("client"), SECONDS)
    assert (topology.get("client", kinds.LISTENERS, "a-bad") or {})["status"]["conditions"][0]["status"] == "True"


def test_a_stopped_controller_does_nothing(topology: Topology) -> None:
    topology.fault(controller={"client": "stopped"})
    topology.make("client", kinds.SITES, "c02")
    with pytest.raises(AssertionError, match="not within"):
        until(lambda: topology.state("client", kinds.SITES, "c02")[0], 1.0)
    topology.fault()
    topology.wait_for("client", kinds.SITES, "c02", "Ready", "OK")


def test_a_site_that_never_gets_ready(topology: Topology) -> None:
    topology.fault(site="never-ready")
    topology.make("client", kinds.SITES, "c02")
    message = "containers with unready status: [router kube-adaptor]"
    topology.wait_for("client", kinds.SITES, "c02", "Pending", message)
    topology.fault()
    topology.wait_for("client", kinds.SITES, "c02", "Ready", "OK")


def test_faults_of_links_and_per_pod_services(topology: Topology) -> None:
    topology.sites()
    topology.bindings()
    topology.fault(link="never", pod_services="missing")
    name = topology.token(topology.grant())
    topology.wake(name)
    topology.wait_for("client", kinds.LINKS, name, "Pending", "Not Operational")
    topology.fault(pod_services="missing")
    topology.wait_for("client", kinds.LINKS, name, "Ready", "OK")
    topology.wait_for("client", kinds.LISTENERS, "hazelcast", "Ready", "OK")
    assert not topology.services("client") & MEMBERS
    topology.fault(pod_services="stale")
    until(lambda: topology.services("client") >= MEMBERS, SECONDS)
    _scale(topology, 1)
    topology.fault(pod_services="stale", link="down")
    topology.wait_for("client", kinds.LINKS, name, "Pending", "Not operational")
    topology.wait_for("client", kinds.LISTENERS, "hazelcast", "Pending", "No matching connectors")
    assert topology.services("client") >= MEMBERS
    topology.fault()
    until(lambda: topology.services("client") & MEMBERS == {"hazelcast-0"}, SECONDS)


def controller(topology: Topology, **env: str) -> None:
    """Creates a Deployment of a controller with these variables in the cluster site's namespace."""
    labels = {"application": "skupper-controller", "skupper.io/component": "controller"}
    container = {"name": "controller", "image": "none", "env": [{"name": k, "value": v} for k, v in env.items()]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": "skupper-controller", "namespace": topology.name, "labels": labels}
    topology.sandbox.kube("cluster").create(core.DEPLOYMENTS, {"metadata": metadata, "spec": spec})


def test_enabled_access_types_and_the_node_ports(topology: Topology) -> None:
    controller(topology, SKUPPER_ENABLED_ACCESS_TYPES="local,nodeport", SKUPPER_CLUSTER_HOST="192.0.2.9")
    topology.site("cluster", "c01", "nodeport")
    service = topology.get("cluster", core.SERVICES, "skupper-router") or {}
    ports = {port["name"]: str(port["nodePort"]) for port in service["spec"]["ports"]}
    site = topology.get("cluster", kinds.SITES, "c01") or {}
    assert {e["name"]: (e["host"], e["port"]) for e in site["status"]["endpoints"]} == {
        name: ("192.0.2.9", port) for name, port in ports.items()
    }

    change = {"spec": {"linkAccess": "local"}}
    topology.sandbox.kube("cluster").patch(kinds.SITES, topology.name, "c01", change)

    def hosts() -> set[str]:
        found = (topology.get("cluster", kinds.SITES, "c01") or {})["status"].get("endpoints") or []
        return {endpoint["host"] for endpoint in found}

    until(lambda: hosts() == {f"skupper-router.{topology.name}"}, SECONDS)
    service = topology.get("cluster", core.SERVICES, "skupper-router") or {}
    assert service["spec"]["type"] == "ClusterIP"
