"""Reads fields of Kubernetes objects as kubectl prints them (dictionaries). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hzlink.model.topology import MANAGED_BY, MANAGER, PART_OF

Object = Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Ref:
    """Names one object in a site's namespace: resource type and name."""

    resource: str
    name: str

    @property
    def argument(self) -> str:
        """The reference as an argument of kubectl, with the type's version (see `versioned`)."""
        return f"{versioned(self.resource)}/{self.name}"

    def __str__(self) -> str:
        return f"{self.resource}/{self.name}"


# Kind: the resource type for kubectl. The group excludes another project's `sites` or `links`.
RESOURCES = {
    "Site": "sites.skupper.io",
    "Listener": "listeners.skupper.io",
    "Connector": "connectors.skupper.io",
    "Link": "links.skupper.io",
    "AccessGrant": "accessgrants.skupper.io",
    "AccessToken": "accesstokens.skupper.io",
    "StatefulSet": "statefulsets.apps",
    "Deployment": "deployments.apps",
    "Pod": "pods",
    "Service": "services",
    "ConfigMap": "configmaps",
    "Secret": "secrets",
    "Lease": "leases.coordination.k8s.io",
    "PodDisruptionBudget": "poddisruptionbudgets.policy",
    "Namespace": "namespaces",
    "ServiceAccount": "serviceaccounts",
    "Role": "roles.rbac.authorization.k8s.io",
    "RoleBinding": "rolebindings.rbac.authorization.k8s.io",
    "RouterAccess": "routeraccesses.skupper.io",
    "SecuredAccess": "securedaccesses.skupper.io",
    "Certificate": "certificates.skupper.io",
}

# The Lease that Skupper's controller makes beside a Site and does not remove with it.
SKUPPER_LEASE = Ref(RESOURCES["Lease"], "skupper-site-leader")

_VERSIONS = {
    "skupper.io": "v2alpha1",
    "apps": "v1",
    "policy": "v1",
    "rbac.authorization.k8s.io": "v1",
    "coordination.k8s.io": "v1",
}


def versioned(resource: str) -> str:
    """The resource type with the version that hzlink uses, as `sites.v2alpha1.skupper.io`.

    Without it, kubectl takes the first part of the group for the version (`skupper` of group `io`), does not find it in
    its cache, and reads the types of the whole API again, which takes half of the time of a short call (measured).
    """
    plural, _, group = resource.partition(".")
    return f"{plural}.{_VERSIONS[group]}.{group}" if group in _VERSIONS else resource


def kind_of(resource: str) -> str:
    """The kind of a resource type, for messages; the type itself if it is not one of `RESOURCES`."""
    return next((kind for kind, known in RESOURCES.items() if known == resource), resource)


def ref(item: Object) -> Ref:
    """The object's reference."""
    kind = str(item.get("kind", ""))
    if kind in RESOURCES:
        return Ref(RESOURCES[kind], name(item))
    # A kind from the user's own overlay: kubectl accepts kind.version.group.
    group, _, version = str(item.get("apiVersion", "")).rpartition("/")
    return Ref(f"{kind}.{version}.{group}" if group else kind, name(item))


def name(item: Object) -> str:
    """`metadata.name`."""
    return str(_metadata(item).get("name", ""))


def uid(item: Object) -> str:
    """`metadata.uid`."""
    return str(_metadata(item).get("uid", ""))


def labels(item: Object) -> Mapping[str, str]:
    """`metadata.labels`."""
    return _metadata(item).get("labels") or {}


def is_ours(item: Object, topology_name: str) -> bool:
    """Whether hzlink applied this object, for this topology."""
    marks = labels(item)
    return marks.get(MANAGED_BY) == MANAGER and marks.get(PART_OF) == topology_name


def is_owned_by(item: Object, owner_uid: str) -> bool:
    """Whether the garbage collector deletes the object after the owner with this UID."""
    owners = _metadata(item).get("ownerReferences") or []
    return bool(owner_uid) and any(owner.get("uid") == owner_uid for owner in owners)


def owner_uids(item: Object, kind: str) -> set[str]:
    """The UIDs of the object's owners of a kind."""
    owners = _metadata(item).get("ownerReferences") or []
    return {str(owner.get("uid", "")) for owner in owners if owner.get("kind") == kind}


def is_being_deleted(item: Object) -> bool:
    """Whether the object is being deleted."""
    return "deletionTimestamp" in _metadata(item)


def created(item: Object) -> datetime | None:
    """`metadata.creationTimestamp` (UTC); None if it is missing."""
    return moment(_metadata(item).get("creationTimestamp"))


def moment(text: Any) -> datetime | None:
    """An API timestamp (RFC 3339) as a datetime; None for any other text."""
    try:
        found = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def spec(item: Object) -> Mapping[str, Any]:
    """`spec`, empty where there is none."""
    return item.get("spec") or {}


def status(item: Object) -> Mapping[str, Any]:
    """`status`, empty where there is none."""
    return item.get("status") or {}


def condition(item: Object, kind: str) -> Mapping[str, Any]:
    """The condition of that type, empty where there is none."""
    for entry in status(item).get("conditions") or []:
        if entry.get("type") == kind:
            found: Mapping[str, Any] = entry
            return found
    return {}


def holds(item: Object, kind: str) -> bool:
    """Whether the condition of that type is True."""
    return condition(item, kind).get("status") == "True"


def _metadata(item: Object) -> Mapping[str, Any]:
    found: Mapping[str, Any] = item.get("metadata") or {}
    return found
