"""Checks whether a site's API server answers and accepts the user, and the site's namespace and PodSecurity. Pure."""

from __future__ import annotations

from hzlink.checks.records import Answers, Check, Finding, Unknown
from hzlink.model import objects
from hzlink.model.topology import Site
from hzlink.observe.snapshot import Snapshot
from hzlink.programs import hints
from hzlink.programs.refusals import Refusal

API = Check("api", "the API server answers and accepts your credentials", "kubectl cluster-info", deadline=15.0)
NAMESPACE = Check("namespace", "the namespace exists", "kubectl create namespace NAMESPACE", deadline=15.0)
POD_SECURITY = Check(
    "pod-security",
    "PodSecurity admits Skupper's router pods",
    "kubectl label namespace NAMESPACE pod-security.kubernetes.io/enforce=baseline --overwrite",
)

ENFORCE = "pod-security.kubernetes.io/enforce"
_UNREADABLE = (Refusal.UNREACHABLE, Refusal.UNAUTHORIZED)


def is_unreadable(snapshot: Snapshot) -> bool:
    """Whether nothing can be read at the site."""
    return snapshot.refusal in _UNREADABLE


def at_site(site: Site, snapshot: Snapshot, created: bool) -> list[Finding]:
    """The findings on the API server and the namespace. `created`: `up` will create the namespace."""
    error = snapshot.error
    if error is None:
        state = "will be created" if created else "exists"
        return [API.passed(site, "it answers"), NAMESPACE.passed(site, f"namespace {site.namespace} {state}")]
    if is_unreadable(snapshot):
        return [API.failed(site, error.message, said=error.said, then=error.next_step or "")]
    if snapshot.refusal is Refusal.NO_NAMESPACE:
        missing = NAMESPACE.failed(site, error.message, said=error.said, then=error.next_step or "")
        return [API.passed(site, "it answers"), missing]
    if snapshot.refusal in (Refusal.FORBIDDEN, Refusal.NO_DEFINITIONS):
        # Other checks report the error: rights, definitions.
        return [API.passed(site, "it answers")]
    return [API.unknown(site, error.message, error.said, error.next_step or "")]


def pod_security(site: Site, snapshot: Snapshot, answers: Answers, created: bool) -> list[Finding]:
    """The namespace's PodSecurity level. `restricted` rejects router pods, which have no seccompProfile (2.2)."""
    namespace = answers.namespace
    if created or snapshot.refusal is Refusal.NO_NAMESPACE:
        return []
    if isinstance(namespace, Unknown):
        text = f"the PodSecurity level of namespace {site.namespace} is not known"
        then = hints.cluster_wide(site, f"get namespace {site.namespace} --show-labels")
        return [POD_SECURITY.unknown(site, text, namespace.said, f"{then}   (ask an administrator)")]
    level = objects.labels(namespace or {}).get(ENFORCE, "")
    if level != "restricted":
        return [POD_SECURITY.passed(site, f"enforces {level or 'nothing'}")]
    if objects.holds(snapshot.skupper_site or {}, "Running"):
        return [POD_SECURITY.passed(site, "enforces restricted, but the router runs")]
    text = f"namespace {site.namespace} enforces PodSecurity restricted, which rejects Skupper's router pods"
    then = hints.cluster_wide(site, f"label namespace {site.namespace} {ENFORCE}=baseline --overwrite")
    said = "the router pods have no seccompProfile"
    return [POD_SECURITY.failed(site, text, subject=f"Namespace {site.namespace}", said=said, then=then)]
