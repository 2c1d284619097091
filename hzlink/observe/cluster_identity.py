"""Identifies the cluster of a context by the UID of its namespace kube-system, which exists as long as the cluster.

Not every user may read kube-system. Then objects that every namespace has identify the site's namespace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hzlink.config import same_place
from hzlink.model import objects
from hzlink.model.errors import HzlinkError
from hzlink.model.objects import RESOURCES, Object
from hzlink.model.topology import Site
from hzlink.programs import answers, process
from hzlink.programs.kubectl import Kubectl

KUBE_SYSTEM = "kube-system"
# For the call, if the command has no shorter limit.
DEADLINE_SECONDS = 15.0


@dataclass(frozen=True)
class Identity:
    """The identity of a site. `cluster`: the UID of kube-system; empty if it cannot be read.

    `objects`: UIDs in the site's namespace, by kind and name; empty if the namespace does not exist or cannot be read.
    """

    cluster: str = ""
    objects: Mapping[str, str] = field(default_factory=dict)


def cluster_of(items: Iterable[Object]) -> str:
    """The UID of kube-system among these objects; empty if it is not among them."""
    found = (item for item in items if item.get("kind") == "Namespace" and objects.name(item) == KUBE_SYSTEM)
    return next((objects.uid(item) for item in found), "")


def is_same(one: Identity, other: Identity) -> bool | None:
    """Whether two sites with the same namespace name are the same namespace; None if that is not known."""
    if one.cluster and other.cluster:
        return one.cluster == other.cluster
    shared = one.objects.keys() & other.objects.keys()
    return any(one.objects[name] == other.objects[name] for name in shared) if shared else None


async def read(site: Site, seconds: float) -> Identity:
    """One site's identity, in one call. It is empty if nothing can be read; the observation reports that error.

    Raises:
        PrerequisiteError: kubectl is not installed.
    """
    in_namespace = ("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")
    asked = ("Namespace", KUBE_SYSTEM), ("Namespace", site.namespace), *in_namespace
    names = [f"{RESOURCES[kind]}/{name}" for kind, name in asked]
    try:
        # If one of them may not be read, kubectl prints the others and exits with an error.
        done = await Kubectl(site, min(DEADLINE_SECONDS, seconds)).run_raw(
            "get", *names, "--output=json", "--ignore-not-found"
        )
        items = answers.items(site, done.stdout)
    except process.DeadlineExceeded:
        return Identity()
    except HzlinkError as error:
        if error.site is None:
            raise
        return Identity()
    uids = {f"{item['kind']}/{objects.name(item)}": objects.uid(item) for item in items}
    return Identity(cluster_of(items), {name: uid for name, uid in uids.items() if not name.endswith(KUBE_SYSTEM)})


async def refuse_same_namespace(pairs: Sequence[tuple[Site, Site]], seconds: float) -> None:
    """Checks in the clusters that pairs of sites are different namespaces, if kubeconfig entries do not decide it.

    Raises:
        UsageError: two sites are the same namespace.
    """
    sites = list(dict.fromkeys(site for pair in pairs for site in pair))
    found = dict(zip(sites, await asyncio.gather(*(read(site, seconds) for site in sites)), strict=True))
    for one, other in pairs:
        if is_same(found[one], found[other]):
            said = (
                "both contexts lead to the same cluster: namespace kube-system has the same UID"
                if found[one].cluster and found[other].cluster
                else "they contain objects with the same UIDs"
            )
            raise same_place.same_namespace(one.context, other.context, one.namespace, said)
