"""Finds objects of other users in a namespace, before the namespace is deleted with all its objects.

Objects that Kubernetes, Skupper, a distribution or an add-on creates in every namespace do not count: they are created
again in the next namespace. The names are those of Kubernetes 1.37, OpenShift 4.20 (with Pipelines), Istio 1.28 and
OLM.
"""

from __future__ import annotations

import re

from hzlink.model import objects
from hzlink.model.objects import Object
from hzlink.programs.kubectl import Kubectl

# Kind, and a pattern for the complete name.
_IN_EVERY_NAMESPACE = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        # Kubernetes
        ("ConfigMap", r"kube-root-ca\.crt"),
        ("ServiceAccount", r"default"),
        # OpenShift
        ("ConfigMap", r"openshift-service-ca\.crt|config-service-cabundle|config-trusted-cabundle"),
        ("ServiceAccount", r"builder|deployer|pipeline"),
        ("RoleBinding", r"system:.+|openshift-pipelines-edit|pipelines-scc-rolebinding"),
        # Istio and OpenShift Service Mesh
        ("ConfigMap", r"istio-ca-root-cert|istio-ca-crl"),
    )
)
# Labels and annotations of objects that a controller copies into namespaces.
_COPIED = (
    "olm.copiedFrom",
    "trust.cert-manager.io/bundle",
    "hnc.x-k8s.io/inherited-from",
    "generate.kyverno.io/policy-name",
    "reflector.v1.k8s.emberstack.com/auto-reflects",
    "replicator.v1.mittwald.de/replicated-at",
)
# Types of Secrets with a ServiceAccount's token.
_TOKENS = ("kubernetes.io/service-account-token", "kubernetes.io/dockercfg")
_TOKEN_OF = ("kubernetes.io/service-account.name", "openshift.io/internal-registry-auth-token.service-account")
# Kinds of temporary objects, and of views of other objects.
_TEMPORARY = {
    *("Event", "Endpoints", "EndpointSlice", "PodMetrics", "PackageManifest", "AppliedClusterResourceQuota"),
    # Reports of Kyverno and Trivy.
    *("PolicyReport", "EphemeralReport", "AdmissionReport", "BackgroundScanReport", "VulnerabilityReport"),
    *("ConfigAuditReport", "ExposedSecretReport", "RbacAssessmentReport", "InfraAssessmentReport", "SbomReport"),
}


async def foreign_objects(kubectl: Kubectl) -> list[str]:
    """All objects of other users in the namespace, of every listable type, as `Kind name`.

    Raises:
        KubectlError: a type cannot be listed; then the namespace must not be deleted.
    """
    types = await kubectl.listable_types()
    return [f"{item['kind']} {objects.name(item)}" for item in await kubectl.objects(types) if not is_default(item)]


def is_default(item: Object) -> bool:
    """Whether no user created the object: the cluster did, or another object owns it."""
    kind, name = str(item.get("kind")), objects.name(item)
    metadata = item.get("metadata") or {}
    marks = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
    return (
        kind in _TEMPORARY
        or name == objects.SKUPPER_LEASE.name
        or bool(metadata.get("ownerReferences"))
        or any(kind == known and pattern.fullmatch(name) for known, pattern in _IN_EVERY_NAMESPACE)
        or (kind == "Secret" and item.get("type") in _TOKENS and any(mark in marks for mark in _TOKEN_OF))
        or any(mark in marks for mark in _COPIED)
    )
