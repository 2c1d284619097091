"""`hzlink down` removes all of hzlink's objects, and no others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.sandbox.conftest import Hzlink

EVERYTHING = (
    "sites.skupper.io,links.skupper.io,listeners.skupper.io,connectors.skupper.io,accessgrants.skupper.io,"
    "accesstokens.skupper.io,statefulsets,deployments,services,configmaps,secrets,poddisruptionbudgets,"
    "leases,serviceaccounts,roles,rolebindings,pods"
)
# Foreign objects with names and labels similar to hzlink's.
BYSTANDERS: list[dict[str, Any]] = [
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "hazelcast-config-mine", "labels": {"app.kubernetes.io/managed-by": "hzlink"}},
        "data": {"keep": "me"},
    },
    {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "hazelcast-other",
            "labels": {"app.kubernetes.io/managed-by": "hzlink", "app.kubernetes.io/part-of": "another"},
        },
    },
    {
        "apiVersion": "skupper.io/v2alpha1",
        "kind": "Listener",
        "metadata": {"name": "mine", "labels": {"app.kubernetes.io/part-of": "hazelcast"}},
        "spec": {"routingKey": "mine", "host": "mine", "port": 80},
    },
]


def test_down_removes_only_hzlinks_objects(hzlink: Hzlink) -> None:
    before = {context: set(hzlink.objects(context, EVERYTHING)) for context in ("client", "cluster")}
    bundle = json.dumps({"apiVersion": "v1", "kind": "List", "items": BYSTANDERS})
    hzlink.kubectl("client", "create", "-f", "-", stdin=bundle)
    names = [f"{item['kind']}/{item['metadata']['name']}" for item in BYSTANDERS]
    hzlink.up().ok()
    content = _content(hzlink, names)

    ran = hzlink("down", "--yes").ok()

    assert "no objects of hzlink are left" in ran.out
    assert _content(hzlink, names) == content
    assert set(hzlink.objects("client", EVERYTHING)) == before["client"] | set(names)
    assert set(hzlink.objects("cluster", EVERYTHING)) == before["cluster"]


def _content(hzlink: Hzlink, names: list[str]) -> dict[str, Any]:
    """The bystanders, without the status that Skupper writes into its own kinds."""
    found = hzlink.objects("client", EVERYTHING)
    dropped = ("managedFields", "resourceVersion")
    return {
        name: {
            **{key: value for key, value in found[name].items() if key not in ("status", "metadata")},
            "metadata": {key: value for key, value in found[name]["metadata"].items() if key not in dropped},
        }
        for name in names
    }


def test_down_without_a_terminal_needs_yes(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    before = hzlink.writes()

    ran = hzlink("down")

    assert ran.code == 2
    assert "statefulsets.apps/hazelcast" in ran.err
    assert "hzlink down --yes" in ran.err
    assert hzlink.writes() == before


def test_down_removes_a_single_site(hzlink: Hzlink) -> None:
    hzlink.up().ok()

    hzlink("down", "--yes", "--site", "client").ok()

    assert "Site/client" not in hzlink.objects("client", EVERYTHING)
    assert "Site/cluster" in hzlink.objects("cluster", EVERYTHING)
    assert hzlink("down", "--yes", "--site", "nosuch").code == 2


def test_down_without_objects_is_exit_0(hzlink: Hzlink) -> None:
    ran = hzlink("down", "--yes", "--client-ctx", "client", "--cluster-ctx", "cluster", "-n", hzlink.namespace).ok()

    assert "no objects of hzlink were found" in ran.out


# Objects that Istio and OpenShift create in each namespace.
IN_EVERY_NAMESPACE: list[dict[str, Any]] = [
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio-ca-root-cert"}},
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "builder"}},
    {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "builder-token-x", "annotations": {"kubernetes.io/service-account.name": "builder"}},
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "system:image-pullers"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": "builder"}],
    },
]


def test_created_namespace_with_foreign_objects_is_kept(hzlink: Hzlink) -> None:
    own = f"{hzlink.namespace}-own"
    places = ("--client-ctx", "client", "--cluster-ctx", "cluster", "-n", own)
    hzlink("up", *places, "--create-namespace").ok()
    hzlink.sandbox.kubectl("client", "-n", own, "create", "configmap", "mine")
    bundle = json.dumps({"apiVersion": "v1", "kind": "List", "items": IN_EVERY_NAMESPACE})
    hzlink.sandbox.kubectl("cluster", "-n", own, "create", "-f", "-", stdin=bundle)

    ran = hzlink("down", "--yes").ok()

    assert "is not removed: it has objects of others" in ran.err
    assert "mine" in hzlink.sandbox.kubectl("client", "-n", own, "get", "configmap", "mine")
    assert hzlink.sandbox.kubectl("cluster", "get", "namespace", own, "--ignore-not-found") == ""
    hzlink.sandbox.kubectl("client", "delete", "namespace", own, "--wait=false")


def test_another_cluster_than_at_the_last_up(hzlink: Hzlink) -> None:
    """The record says so, as it would be of a cluster that was made anew under the same context."""
    hzlink.up().ok()
    file = Path(hzlink.env["XDG_STATE_HOME"]) / "hzlink" / "last.json"
    record = json.loads(file.read_text())
    assert [entry["context"] for entry in record["clusters"]] == ["cluster", "client"]
    system = json.loads(hzlink.kubectl("client", "get", "namespace", "kube-system", "-o", "json"))
    assert record["clusters"][1]["uid"] == system["metadata"]["uid"]
    record["clusters"][1]["uid"] = "another"
    file.write_text(json.dumps(record))
    before = set(hzlink.objects("client", EVERYTHING))

    refused = hzlink("down", "--yes")

    assert refused.code == 2
    assert "context client leads to another cluster" in refused.err
    assert set(hzlink.objects("client", EVERYTHING)) == before
    hzlink("down", "--yes", "--other-cluster").ok()
