"""Objects that a cluster creates in every namespace are not foreign; all others are."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.observe.foreign_objects import is_default
from tests.unit.builders import Obj, item


def secret(name: str, kind: str, **annotations: str) -> Obj:
    found = item("Secret", name, type=kind)
    found["metadata"]["annotations"] = {key.replace("__", "/"): value for key, value in annotations.items()}
    return found


DOCKERCFG = secret(
    "skupper-router-dockercfg-x7k2p",
    "kubernetes.io/dockercfg",
    **{"openshift.io__internal-registry-auth-token.service-account": "skupper-router"},
)
TOKEN = secret(
    "builder-token-abcde",
    "kubernetes.io/service-account-token",
    **{"kubernetes.io__service-account.name": "builder"},
)
COPIED = item("ClusterServiceVersion", "operator.v1", labels={"olm.copiedFrom": "openshift-operators"})


@pytest.mark.parametrize(
    "found",
    [
        item("ConfigMap", "kube-root-ca.crt"),
        item("ServiceAccount", "default"),
        item("ConfigMap", "istio-ca-root-cert"),
        item("ConfigMap", "openshift-service-ca.crt"),
        *(item("ServiceAccount", name) for name in ("builder", "deployer", "pipeline")),
        *(item("RoleBinding", f"system:{name}") for name in ("deployers", "image-builders", "image-pullers")),
        item("RoleBinding", "system:deployers", apiVersion="authorization.openshift.io/v1"),
        *(DOCKERCFG, TOKEN, COPIED),
        item("PolicyReport", "x"),
        item("Event", "x"),
        item("Lease", "skupper-site-leader", apiVersion="coordination.k8s.io/v1"),
        item("ReplicaSet", "x", owner=item("Deployment", "y")),
    ],
    ids=lambda found: f"{found['kind']} {found['metadata']['name']}",
)
def test_objects_of_the_cluster_are_not_foreign(found: Obj) -> None:
    assert is_default(found)


@pytest.mark.parametrize(
    "found",
    [
        item("ConfigMap", "mine"),
        item("ConfigMap", "my-kube-root-ca.crt"),
        item("ConfigMap", "kube-root-caXcrt"),
        item("Secret", "kube-root-ca.crt"),
        item("ServiceAccount", "robot"),
        item("ServiceAccount", "builder-2"),
        item("RoleBinding", "admin"),
        item("Role", "system:mine"),
        secret("registry", "kubernetes.io/dockercfg"),
        secret("default-dockercfg-abcde", "Opaque", **{"kubernetes.io__service-account.name": "default"}),
        item("Lease", "other", apiVersion="coordination.k8s.io/v1"),
        item("PersistentVolumeClaim", "data"),
    ],
    ids=lambda found: f"{found['kind']} {found['metadata']['name']}",
)
def test_other_objects_are_foreign(found: dict[str, Any]) -> None:
    assert not is_default(found)
