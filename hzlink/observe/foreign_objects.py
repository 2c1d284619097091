"""Whether a namespace holds anything of other people's, before it is removed with all in it.

What Kubernetes, Skupper, a distribution or an add-on puts into every namespace by itself is nobody's: it comes again
with the next namespace. The names are those of Kubernetes 1.37, OpenShift 4.20 (with Pipelines), Istio 1.28 and OLM.
"""

from __future__ import annotations

import re

from hzlink.model import objects
from hzlink.model.objects import Object
from hzlink.programs.kubectl import Kubectl

# Kind, and the pattern of the whole name.
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
# Labels and annotations of objects that a controller copies into every namespace that it is told to.
_COPIED = (
    "olm.copiedFrom",
    "trust.cert-manager.io/bundle",
    "hnc.x-k8s.io/inherited-from",
    "generate.kyverno.io/policy-name",
    "reflector.v1.k8s.emberstack.com/auto-reflects",
    "replicator.v1.mittwald.de/replicated-at",
)
# Tokens that are made for a ServiceAccount, whoever has that one.
_TOKENS = ("kubernetes.io/service-account-token", "kubernetes.io/dockercfg")
_TOKEN_OF = ("kubernetes.io/service-account.name", "openshift.io/internal-registry-auth-token.service-account")
# Objects that appear and disappear by themselves, or are views of something else.
_PASSING = {
    *("Event", "Endpoints", "EndpointSlice", "PodMetrics", "PackageManifest", "AppliedClusterResourceQuota"),
    # Reports of Kyverno and of Trivy on what is in the namespace.
    *("PolicyReport", "EphemeralReport", "AdmissionReport", "BackgroundScanReport", "VulnerabilityReport"),
    *("ConfigAuditReport", "ExposedSecretReport", "RbacAssessmentReport", "InfraAssessmentReport", "SbomReport"),
}


async def foreign_objects(kubectl: Kubectl) -> list[str]:
    """All objects of every listable type that would be lost with the namespace, as `Kind name`.

    Raises:
        KubectlError: a type cannot be listed; then the namespace had better stay.
    """
    types = await kubectl.listable_types()
    return [f"{item['kind']} {objects.name(item)}" for item in await kubectl.objects(types) if not is_nobodys(item)]


def is_nobodys(item: Object) -> bool:
    """Whether nobody has put the object there: the cluster has, or it goes with another object."""
    kind, name = str(item.get("kind")), objects.name(item)
    metadata = item.get("metadata") or {}
    marks = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
    return (
        kind in _PASSING
        or name == objects.SKUPPER_LEASE.name
        or bool(metadata.get("ownerReferences"))
        or any(kind == known and pattern.fullmatch(name) for known, pattern in _IN_EVERY_NAMESPACE)
        or (kind == "Secret" and item.get("type") in _TOKENS and any(mark in marks for mark in _TOKEN_OF))
        or any(mark in marks for mark in _COPIED)
    )
