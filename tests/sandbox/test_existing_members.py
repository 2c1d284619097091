"""Members that hzlink did not deploy, as the Helm chart starts them: linked as they are, and left as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.sandbox import helm_release
from tests.sandbox.conftest import Hzlink
from tests.sandbox.test_roles import limit, refused
from tests.sandboxed import until

FROM = ("--members-from", "statefulset/prod-hazelcast")


def release(namespace: str, count: int, hazelcast: dict[str, Any]) -> dict[str, Any]:
    """A release `prod` of the chart whose members find each other by DNS and start at the same time."""
    values = {"memberCount": count, "hazelcast": {"yaml": {"hazelcast": {"cluster-name": "prod", **hazelcast}}}}
    rendered: dict[str, Any] = json.loads(helm_release.render("prod", namespace, values))
    for item in rendered["items"]:
        if item["kind"] == "Service":
            item["spec"]["publishNotReadyAddresses"] = True
        if item["kind"] == "StatefulSet":
            item["spec"]["podManagementPolicy"] = "Parallel"
            [container] = item["spec"]["template"]["spec"]["containers"]
            container["readinessProbe"] |= {"initialDelaySeconds": 0, "periodSeconds": 1}
    return rendered


def start(hzlink: Hzlink, count: int, hazelcast: dict[str, Any]) -> None:
    """Applies the release, and waits until its members are ready."""
    rendered = release(hzlink.namespace, count, hazelcast)
    hzlink.kubectl("cluster", "apply", "-f", "-", stdin=json.dumps(rendered))
    hzlink.kubectl("cluster", "rollout", "status", "statefulset/prod-hazelcast", "--timeout=150s")


def theirs(hzlink: Hzlink) -> dict[str, Any]:
    """What hzlink must not change: UID and desired state of all objects of the release."""
    kinds = "statefulsets,services,configmaps,pods"
    found = hzlink.objects("cluster", kinds)
    return {
        name: (item["metadata"]["uid"], item["metadata"].get("labels"), item.get("spec"), item.get("data"))
        for name, item in found.items()
        if "prod-hazelcast" in name
    }


def connector(hzlink: Hzlink) -> dict[str, Any]:
    [found] = hzlink.objects("cluster", "connectors.skupper.io").values()
    spec: dict[str, Any] = found["spec"]
    return spec


def test_members_that_tell_their_addresses(real_hzlink: Hzlink, kubeconfig: Path) -> None:
    hzlink = real_hzlink
    start(hzlink, 2, {"network": {"join": {"kubernetes": {"service-dns": "prod-hazelcast"}}}})
    before = theirs(hzlink)

    places = ("--client-ctx", "client", "--cluster-ctx", "cluster", "-n", hzlink.namespace)
    checked = hzlink("check", *places, *FROM, "-o", "json").ok()
    found = {one["id"]: one for one in checked.document["checks"]}
    for part in ("StatefulSet prod-hazelcast (2/2 ready)", "port 5701", "cluster name prod", "Hazelcast 5."):
        assert part in found["members"]["message"]
    assert "unisocket" in found["member-addresses"]["message"]

    ran = hzlink.up(*FROM).ok()

    assert "unisocket, a single connection: members tell clients 127." in ran.err
    assert "hzlink member-config" in ran.err
    assert theirs(hzlink) == before
    assert connector(hzlink)["selector"].split(",") == [
        *("app.kubernetes.io/instance=prod", "app.kubernetes.io/name=hazelcast", "role=hazelcast")
    ]
    made = hzlink.objects("cluster", "statefulsets,poddisruptionbudgets,configmaps")
    assert {name for name in made if name.partition("/")[2] in ("hazelcast", "hazelcast-config")} == set()
    assert "nothing written" in hzlink.up().ok().err, "the next run knows the members"
    [proof] = hzlink("verify", "-o", "json").ok().document["verification"]
    assert {member["address"].partition(":")[0] for member in proof["members"]} != set()

    hzlink.kubectl("cluster", "scale", "statefulset/prod-hazelcast", "--replicas=3")
    until(lambda: "3/3" in hzlink("status").out, 90, step=1)
    scaled = hzlink("status", "-o", "json").ok().document
    assert scaled["mode"] == "unisocket"
    assert [member["name"] for member in scaled["members"]] == [f"prod-hazelcast-{number}" for number in range(3)]
    # Without the record of the last `up`, the Connector says where the members are.
    elsewhere = {"XDG_STATE_HOME": str(hzlink.state.parent / "other")}
    assert len(json.loads(hzlink("status", *places, "-o", "json", env=elsewhere).ok().out)["members"]) == 3

    before = theirs(hzlink)
    hzlink("down", "--yes").ok()
    assert theirs(hzlink) == before
    assert hzlink.objects("cluster", "connectors.skupper.io,sites.skupper.io") == {}


def test_members_that_tell_their_pods_names(real_hzlink: Hzlink, kubeconfig: Path) -> None:
    hzlink = real_hzlink
    printed = hzlink("member-config", "helm", "prod", "--discovery", "dns", "-n", hzlink.namespace).ok()
    values = helm_release.merged(
        yaml.safe_load(printed.out),
        {"memberCount": 2, "hazelcast": {"yaml": {"hazelcast": {"cluster-name": "prod"}}}},
    )
    rendered = helm_release.render("prod", hzlink.namespace, values)
    hzlink.kubectl("cluster", "apply", "-f", "-", stdin=rendered)
    hzlink.kubectl("cluster", "rollout", "status", "statefulset/prod-hazelcast", "--timeout=150s")
    before = theirs(hzlink)

    ran = hzlink.up(*FROM, "-o", "json").ok()

    assert ran.document["mode"] == "smart"
    assert theirs(hzlink) == before
    center = next(site["managementCenter"] for site in ran.document["sites"] if site["role"] == "client")
    assert sorted(member["name"] for member in center["sees"]["members"]) == ["prod-hazelcast-0", "prod-hazelcast-1"]
    config = hzlink.objects("client", "configmaps")["ConfigMap/hazelcast-mancenter-config"]
    assert 'cluster-name: "prod"' in config["data"]["hazelcast-client.yaml"]
    assert "nothing written" in hzlink.up().ok().err
    [proof] = hzlink("verify", "-o", "json").ok().document["verification"]
    assert {name["service"]: name["outcome"] for name in proof["names"]} == {
        "prod-hazelcast-0": "ok",
        "prod-hazelcast-1": "ok",
    }
    measured = hzlink("bench", "--seconds", "0.2", "-o", "json").ok().document
    assert measured["comparison"]["members"] == ["prod-hazelcast-0", "prod-hazelcast-1"]
    hzlink("down", "--yes").ok()
    assert theirs(hzlink) == before


def test_members_of_a_deployment_and_by_labels(real_hzlink: Hzlink, kubeconfig: Path) -> None:
    hzlink = real_hzlink
    rendered = release(hzlink.namespace, 2, {"network": {"join": {"kubernetes": {"service-dns": "prod-hazelcast"}}}})
    for item in rendered["items"]:
        if item["kind"] == "StatefulSet":
            item["kind"] = "Deployment"
            for key in ("serviceName", "podManagementPolicy", "updateStrategy"):
                item["spec"].pop(key, None)
    hzlink.kubectl("cluster", "apply", "-f", "-", stdin=json.dumps(rendered))
    hzlink.kubectl("cluster", "rollout", "status", "deployment/prod-hazelcast", "--timeout=150s")
    before, pods = theirs(hzlink), sorted(item.partition("/")[2] for item in hzlink.objects("cluster", "pods"))

    ran = hzlink.up("--members-from", "deployment/prod-hazelcast", "-o", "json").ok()

    assert ran.document["mode"] == "unisocket"
    assert [member["name"] for member in ran.document["members"]] == pods
    selector = connector(hzlink)["selector"]

    labels = "app.kubernetes.io/instance=prod,app.kubernetes.io/name=hazelcast,role=hazelcast"
    ran = hzlink.up("--members-from", f"selector/{labels}", "-o", "json").ok()

    assert connector(hzlink)["selector"] == selector
    assert sorted(member["name"] for member in ran.document["members"]) == pods
    assert hzlink("verify").code == 0
    hzlink("down", "--yes").ok()
    assert theirs(hzlink) == before


def test_the_bundled_role_changes_no_workload(hzlink: Hzlink) -> None:
    """The Role for members of others is enough, although nobody can be asked here: these pods have no processes."""
    rendered = release(hzlink.namespace, 2, {})
    hzlink.kubectl("cluster", "apply", "-f", "-", stdin=json.dumps(rendered))
    hzlink.kubectl("cluster", "rollout", "status", "statefulset/prod-hazelcast", "--timeout=60s")
    before = theirs(hzlink)
    limited = limit(hzlink, cluster="cluster-existing-members")

    ran = limited.up(*FROM).ok()

    assert "is not known" in ran.err
    assert "nothing written" in limited.up().ok().err
    limited("status").ok()
    limited("link").ok()
    limited("down", "--yes").ok()
    assert refused(limited) <= {"get namespaces (client)", "get namespaces (cluster)"}
    assert theirs(hzlink) == before


def test_own_members_are_not_deleted_for_others(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    before = hzlink.writes()

    refusal = hzlink.up("--members-from", "statefulset/prod-hazelcast")

    assert refusal.code == 2
    for part in ("has members of its own", "hzlink down", "--members-from none"):
        assert part in refusal.err
    assert hzlink.writes() == before
