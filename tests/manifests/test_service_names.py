"""The objects of a topology with its own Service name, as kustomize builds them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest

from hzlink.model.choices import Mode, Role
from hzlink.model.topology import Site
from hzlink.plan import manifests
from tests.manifests.kustomizing import Obj, one
from tests.unit.builders import CORE, EDGE, topology

# What keeps the word: images, the file and its property, paths, and the product's name in Hazelcast's configuration.
KEPT = re.compile(
    r"hazelcast/[a-z:-]+|hazelcast(-client)?\.yaml|-Dhazelcast\.\S+|/hazelcast/health\S*|^hazelcast(-client)?:"
)


def texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Each text of an object with the key that it is at."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from texts(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, key)
    elif isinstance(value, str):
        yield key, value


def built(site: Site, **settings: Any) -> list[Obj]:
    made = asyncio.run(manifests.render(topology(name="demo", **settings), site, site.name, site is CORE))
    return [dict(item) for item in made]


@pytest.mark.parametrize("mode", [Mode.SMART, Mode.UNISOCKET])
@pytest.mark.parametrize("site", [CORE, EDGE], ids=["cluster", "client"])
def test_no_name_of_the_manifests_is_left(site: Site, mode: Mode) -> None:
    for item in built(site, service="orders", mode=mode):
        assert "hazelcast" not in item["metadata"]["name"]
        for key, text in texts(item):
            # The product's name, and the container's.
            if key == "app.kubernetes.io/name" or (key, text) == ("name", "hazelcast"):
                continue
            lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
            assert "hazelcast" not in " ".join(KEPT.sub("", line) for line in lines), (item["kind"], key)


def test_members_find_each_other_by_the_own_service() -> None:
    objs = built(CORE, service="orders", members=4)
    workload, service, connector = one(objs, "StatefulSet"), one(objs, "Service"), one(objs, "Connector")
    assert workload["spec"]["replicas"] == 4
    assert workload["spec"]["serviceName"] == service["metadata"]["name"] == "orders"
    assert workload["spec"]["template"]["metadata"]["labels"]["app"] == "orders"
    assert workload["spec"]["selector"]["matchLabels"] == service["spec"]["selector"] == {"app": "orders"}
    assert one(objs, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == {"app": "orders"}
    assert connector["spec"]["selector"] == topology(service="orders").member_selector == "app=orders"
    assert connector["spec"]["routingKey"] == "orders"
    [container] = workload["spec"]["template"]["spec"]["containers"]
    [options] = [one["value"] for one in container["env"] if one["name"] == "JAVA_OPTS"]
    assert "-DserviceName=orders " in options
    [config] = [volume["configMap"]["name"] for volume in workload["spec"]["template"]["spec"]["volumes"][:1]]
    assert config == one(objs, "ConfigMap")["metadata"]["name"] == "orders-config"


def test_management_center_asks_for_the_own_names() -> None:
    objs = built(EDGE, service="orders")
    listener, deployment = one(objs, "Listener"), one(objs, "Deployment")
    assert (listener["spec"]["host"], listener["spec"]["routingKey"]) == ("orders", "orders")
    assert deployment["spec"]["selector"]["matchLabels"] == {"app": "orders-mancenter"}
    assert one(objs, "Service")["spec"]["selector"] == {"app": "orders-mancenter"}
    files = one(objs, "ConfigMap")["data"]
    assert "service-dns: orders\n" in files["hazelcast-client.yaml"]
    assert 'names+=("orders-$i")' in files["wait-for-members.sh"]


@pytest.mark.parametrize(("site", "kind"), [(CORE, "StatefulSet"), (EDGE, "Deployment")], ids=["cluster", "client"])
def test_pull_secrets_keep_their_names(site: Site, kind: str) -> None:
    objs = built(site, service="orders", pull_secrets=("hazelcast-registry", "hazelcast"))
    secrets = one(objs, kind)["spec"]["template"]["spec"]["imagePullSecrets"]
    assert secrets == [{"name": "hazelcast-registry"}, {"name": "hazelcast"}]


def test_management_center_of_any_name_is_left_out() -> None:
    objs = built(EDGE, service="orders", mancenter=False, pull_secrets=("registry",))
    assert {(item["kind"], item["metadata"]["name"]) for item in objs} == {("Site", "edge"), ("Listener", "orders")}


def test_site_keeps_its_own_name() -> None:
    assert one(built(EDGE, service="orders"), "Site")["metadata"]["name"] == "edge"
    named = Site("hazelcast", Role.CLIENT, "edge-ctx", "hz")
    assert one(built(named, service="orders"), "Site")["metadata"]["name"] == "hazelcast"


@pytest.mark.parametrize("site", [CORE, EDGE], ids=["cluster", "client"])
def test_rendered_text_has_the_same_objects(site: Site) -> None:
    text = asyncio.run(manifests.build(topology(name="demo", service="orders"), site, site.name, site is CORE))
    parsed = [manifests.stamped(item) for item in manifests.parse(text)]
    assert parsed == built(site, service="orders")
    # Files stay readable.
    assert "hazelcast.yaml: |" in text or "wait-for-members.sh: |" in text
