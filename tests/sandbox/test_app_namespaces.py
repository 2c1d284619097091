"""`--app-namespace`: the names in other namespaces, on real API servers and with real members and clients."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from tests.manifests.kustomizing import MANIFESTS
from tests.sandbox.conftest import Hzlink
from tests.sandbox.test_roles import USER, limit, refused
from tests.sandboxed import Namespaces, until


def _names(hzlink: Hzlink, namespace: str) -> list[str]:
    found = hzlink.sandbox.kubectl("client", "-n", namespace, "get", "services", "-o", "name").split()
    return sorted(name.removeprefix("service/") for name in found)


def test_names_are_kept_in_step_with_the_least_rights(hzlink: Hzlink, namespaces: Namespaces) -> None:
    shop = namespaces.make("none")
    limit(hzlink)
    hzlink.sandbox.kubectl("client", "-n", shop, "create", "service", "clusterip", "hazelcast-1", "--tcp=80")

    denied = hzlink.up("--members", "2", "--app-namespace", shop)
    assert denied.code == 3
    assert hzlink.objects("client", "sites.skupper.io") == {}, "nothing was written"
    _grant(hzlink, shop)
    taken = hzlink.up("--members", "2", "--app-namespace", shop)
    assert taken.code == 3
    assert "has Services of these names already: hazelcast-1" in taken.err
    hzlink.sandbox.kubectl("client", "-n", shop, "delete", "service", "hazelcast-1")

    hzlink.up("--members", "2", "--app-namespace", shop).ok()
    assert _names(hzlink, shop) == ["hazelcast", "hazelcast-0", "hazelcast-1"]
    written = len(hzlink.sandbox.writes("client", shop))
    assert "nothing written" in hzlink.up().ok().err
    assert len(hzlink.sandbox.writes("client", shop)) == written
    hzlink.up("--members", "1").ok()
    assert _names(hzlink, shop) == ["hazelcast", "hazelcast-0"]

    hzlink.sandbox.kubectl("client", "-n", shop, "delete", "service", "hazelcast-0")
    # Without the record: the namespace is known from the Listener.
    elsewhere = {"XDG_STATE_HOME": str(hzlink.state / "elsewhere")}
    sites = ("--client-ctx", "client", "--cluster-ctx", "cluster", "-n", hzlink.namespace)
    ran = hzlink("status", *sites, "-o", "json", env=elsewhere)
    assert "no Service hazelcast-0" in ran.document["firstBrokenHop"]["message"]
    hzlink.up("--app-namespace", "").ok()
    assert _names(hzlink, shop) == []

    hzlink.up("--app-namespace", shop).ok()
    ran = hzlink("down", "--yes", *sites, env=elsewhere).ok()
    assert f"client (namespace {shop}): services/hazelcast-0" in ran.out
    assert _names(hzlink, shop) == []
    assert refused(hzlink) <= {"get namespaces (client)", "get namespaces (cluster)", "list services (client)"}


def _grant(hzlink: Hzlink, namespace: str) -> None:
    """Gives the limited user the Role for an application namespace."""
    hzlink.sandbox.kubectl("client", "-n", namespace, "apply", "-k", str(MANIFESTS / "rbac" / "app-namespace"))
    patch = {"subjects": [{"kind": "ServiceAccount", "name": USER, "namespace": hzlink.namespace}]}
    binding = ("patch", "rolebinding", "hzlink-app-namespace", "--type=merge", "-p", json.dumps(patch))
    hzlink.sandbox.kubectl("client", "-n", namespace, *binding)


def test_smart_clients_in_other_namespaces_reach_every_member(real_hzlink: Hzlink, namespaces: Namespaces) -> None:
    shop, own = namespaces.make("real"), real_hzlink.namespace
    real_hzlink.up("--app-namespace", shop, "--app-namespace", f"cluster/{own}").ok()
    places = (("client", shop), ("cluster", own))
    for context, namespace in places:
        _start_client(real_hzlink, context, namespace)
    for context, namespace in places:
        until(partial(_reaches_all, real_hzlink, context, namespace), 90, step=1.0)
    for context, namespace in places:
        real_hzlink.sandbox.kubectl(context, "-n", namespace, "delete", "deployment,configmap", "-l", "test=app")
    real_hzlink("status").ok()
    real_hzlink("down", "--yes").ok()


def _start_client(hzlink: Hzlink, context: str, namespace: str) -> None:
    """Starts a smart client: Management Center's Deployment, as an application of somebody else.

    The sandbox runs a Hazelcast client in pods with that label `app`."""
    found = hzlink.objects("client", "deployments,configmaps")
    items = [_copy(found["Deployment/hazelcast-mancenter"])]
    volumes = items[0]["spec"]["template"]["spec"]["volumes"]
    items += [_copy(found[f"ConfigMap/{one['configMap']['name']}"]) for one in volumes if "configMap" in one]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    hzlink.sandbox.kubectl(context, "-n", namespace, "create", "-f", "-", stdin=text)


def _copy(item: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    return {**kept, "metadata": {"name": item["metadata"]["name"], "labels": {"test": "app"}}}


def _reaches_all(hzlink: Hzlink, context: str, namespace: str) -> bool:
    """Whether the client has connections to all members, by their names."""
    logs = ("logs", "--selector", "app=hazelcast-mancenter", "--tail=-1")
    lines = hzlink.sandbox.kubectl(context, "-n", namespace, *logs, check=False).splitlines()
    last = next((line for line in reversed(lines) if ", connections [" in line), "")
    connections = last.partition(", connections ")[2]
    return all(f"'hazelcast-{number}:5701'" in connections for number in range(3))
