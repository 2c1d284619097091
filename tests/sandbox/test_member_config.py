"""Members as the Helm chart starts them, with the values that `hzlink member-config helm` prints."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from tests.sandbox import helm_release
from tests.sandbox.conftest import Hzlink
from tests.sandboxed import until

MEMBERS = [f"prod-hazelcast-{number}" for number in range(3)]
SKUPPER = "skupper.io/v2alpha1"


def _apply(hzlink: Hzlink, context: str, *objects: dict[str, Any]) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    hzlink.kubectl(context, "apply", "-f", "-", stdin=text)


def _object(kind: str, name: str, **spec: object) -> dict[str, Any]:
    return {"apiVersion": SKUPPER, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _link(hzlink: Hzlink, folder: Path) -> None:
    """Both Sites, the Connector and the Listener, and the Link: without hzlink."""
    selector = "app.kubernetes.io/instance=prod,role=hazelcast"
    shared = {"routingKey": "prod", "port": 5701, "exposePodsByName": True}
    connector = _object("Connector", "prod", selector=selector, **shared)
    _apply(hzlink, "cluster", _object("Site", "core", linkAccess="default"), connector)
    _apply(hzlink, "client", _object("Site", "edge"), _object("Listener", "prod", host="prod", **shared))
    for context, site in (("cluster", "core"), ("client", "edge")):
        hzlink.kubectl(context, "wait", "--for=condition=Ready", f"site.skupper.io/{site}", "--timeout=60s")
    for context, verb in (("cluster", "issue"), ("client", "redeem")):
        program = str(hzlink.sandbox.bin / "skupper")
        command = [program, "-p", "kubernetes", "-c", context, "-n", hzlink.namespace, "token", verb, "token.yaml"]
        # A relative path: skupper refuses one with an underscore, which pytest's folders have.
        subprocess.run(command, env=hzlink.env, cwd=folder, check=True, timeout=90, capture_output=True)


def _smart_client(hzlink: Hzlink) -> None:
    """A pod with a real client that connects to every member by the name that it advertises."""
    config = {"hazelcast-client": {"network": {"cluster-members": ["prod:5701"]}}}
    data = {"hazelcast-client.yaml": yaml.safe_dump(config)}
    container = {
        "name": "client",
        "image": "hazelcast/management-center:5.5.2",
        "ports": [{"containerPort": 8080}, {"containerPort": 8081}],
        "env": [{"name": "MC_INIT_CMD", "value": "hz-mc conf cluster add -cc /config/hazelcast-client.yaml"}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8081}},
        "volumeMounts": [{"name": "config", "mountPath": "/config"}],
    }
    volume = {"name": "config", "configMap": {"name": "smart"}}
    _apply(
        hzlink,
        "client",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "smart"}, "data": data},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "smart", "labels": {"app": "hazelcast-mancenter"}},
            "spec": {"containers": [container], "volumes": [volume]},
        },
    )
    hzlink.kubectl("client", "wait", "--for=condition=Ready", "pod/smart", "--timeout=60s")


def test_chart_members_are_called_by_name(real_hzlink: Hzlink, tmp_path: Path) -> None:
    hzlink = real_hzlink
    # The chart's default discovery needs the Kubernetes API from inside a pod, which the sandbox does not have.
    printed = hzlink("member-config", "helm", "prod", "--discovery", "dns", "-n", hzlink.namespace).ok()
    rendered = helm_release.render("prod", hzlink.namespace, yaml.safe_load(printed.out))
    hzlink.kubectl("cluster", "apply", "-f", "-", stdin=rendered)
    _link(hzlink, tmp_path)
    hzlink.kubectl("cluster", "rollout", "status", "statefulset/prod-hazelcast", "--timeout=150s")

    until(lambda: {f"Service/{name}" for name in MEMBERS} <= hzlink.objects("client", "services").keys())
    _smart_client(hzlink)

    address = hzlink.sandbox.endpoints("client", hzlink.namespace)["smart"]["ip"]

    def view() -> dict[str, Any]:
        with urllib.request.urlopen(f"http://{address}:8080/", timeout=5) as answer:
            return dict(json.load(answer))

    names = [f"{name}:5701" for name in MEMBERS]
    until(lambda: (view()["members"], view()["connections"]) == (names, names))
    # The same names lead to the members beside them, too.
    beside = hzlink.objects("cluster", "services")
    assert {beside[f"Service/{name}"]["spec"]["type"] for name in MEMBERS} == {"ClusterIP"}
