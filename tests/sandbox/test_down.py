"""`hzlink down`: all of hzlink's, and nothing else."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.conftest import Hzlink

EVERYTHING = (
    "sites.skupper.io,links.skupper.io,listeners.skupper.io,connectors.skupper.io,accessgrants.skupper.io,"
    "accesstokens.skupper.io,statefulsets,deployments,services,configmaps,secrets,poddisruptionbudgets,"
    "leases,serviceaccounts,roles,rolebindings,pods"
)
# Names and labels as near to hzlink's own as a neighbour's may be.
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


def test_all_gone_and_nothing_else(hzlink: Hzlink) -> None:
    before = {context: set(hzlink.objects(context, EVERYTHING)) for context in ("client", "cluster")}
    bundle = json.dumps({"apiVersion": "v1", "kind": "List", "items": BYSTANDERS})
    hzlink.kubectl("client", "create", "-f", "-", stdin=bundle)
    names = [f"{item['kind']}/{item['metadata']['name']}" for item in BYSTANDERS]
    hzlink.up().ok()
    standing = _content(hzlink, names)

    ran = hzlink("down", "--yes").ok()

    assert "no objects of hzlink are left" in ran.out
    assert _content(hzlink, names) == standing
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


def test_without_a_terminal_it_needs_yes(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    before = hzlink.writes()

    ran = hzlink("down")

    assert ran.code == 2
    assert "statefulsets.apps/hazelcast" in ran.err
    assert "hzlink down --yes" in ran.err
    assert hzlink.writes() == before


def test_one_site_when_the_other_is_gone(hzlink: Hzlink) -> None:
    hzlink.up().ok()

    hzlink("down", "--yes", "--site", "client").ok()

    assert "Site/client" not in hzlink.objects("client", EVERYTHING)
    assert "Site/cluster" in hzlink.objects("cluster", EVERYTHING)
    assert hzlink("down", "--yes", "--site", "nosuch").code == 2


def test_nothing_to_remove(hzlink: Hzlink) -> None:
    ran = hzlink("down", "--yes", "--client-ctx", "client", "--cluster-ctx", "cluster", "-n", hzlink.namespace).ok()

    assert "no objects of hzlink were found" in ran.out


# What Istio and OpenShift put into each namespace.
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


def test_a_namespace_of_hzlinks_own_stays_while_others_use_it(hzlink: Hzlink) -> None:
    own = f"{hzlink.namespace}-own"
    places = ("--client-ctx", "client", "--cluster-ctx", "cluster", "-n", own)
    hzlink("up", *places, "--create-namespace").ok()
    hzlink.sandbox.kubectl("client", "-n", own, "create", "configmap", "mine")
    bundle = json.dumps({"apiVersion": "v1", "kind": "List", "items": IN_EVERY_NAMESPACE})
    hzlink.sandbox.kubectl("cluster", "-n", own, "create", "-f", "-", stdin=bundle)

    ran = hzlink("down", "--yes").ok()

    assert "stays" in ran.err
    assert "mine" in hzlink.sandbox.kubectl("client", "-n", own, "get", "configmap", "mine")
    assert hzlink.sandbox.kubectl("cluster", "get", "namespace", own, "--ignore-not-found") == ""
    hzlink.sandbox.kubectl("client", "delete", "namespace", own, "--wait=false")
