"""Which cluster a context really leads to: the UID of its namespace kube-system, which lives as long as the cluster.

Not everybody may read kube-system. Then objects that are in every namespace tell two namespaces apart.
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
# Seconds for the one call, if the command has more time than that.
DEADLINE = 15.0


@dataclass(frozen=True)
class Identity:
    """What a site's cluster says of itself. `cluster` is kube-system's UID, empty where it could not be read.

    `objects` are UIDs of the site's namespace, by kind and name; empty where that is not there or not to be read.
    """

    cluster: str = ""
    objects: Mapping[str, str] = field(default_factory=dict)


def cluster_of(items: Iterable[Object]) -> str:
    """The UID of kube-system, where it is among these objects; else empty."""
    found = (item for item in items if item.get("kind") == "Namespace" and objects.name(item) == KUBE_SYSTEM)
    return next((objects.uid(item) for item in found), "")


def is_same(one: Identity, other: Identity) -> bool | None:
    """Whether two sites with namespaces of one name are one namespace; None where that cannot be known."""
    if one.cluster and other.cluster:
        return one.cluster == other.cluster
    shared = one.objects.keys() & other.objects.keys()
    return any(one.objects[name] == other.objects[name] for name in shared) if shared else None


async def ask(site: Site, seconds: float) -> Identity:
    """One site's identity, in one call; an empty one where nothing could be read: that is for others to report.

    Raises:
        PrerequisiteError: there is no kubectl.
    """
    in_namespace = ("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")
    asked = ("Namespace", KUBE_SYSTEM), ("Namespace", site.namespace), *in_namespace
    names = [f"{RESOURCES[kind]}/{name}" for kind, name in asked]
    try:
        # Where one of them may not be read, kubectl prints the others, and ends with an error.
        done = await Kubectl(site, min(DEADLINE, seconds)).run_raw("get", *names, "--output=json", "--ignore-not-found")
        items = answers.items(site, done.stdout)
    except process.DeadlineExceeded:
        return Identity()
    except HzlinkError as error:
        if error.site is None:
            raise
        return Identity()
    uids = {f"{item['kind']}/{objects.name(item)}": objects.uid(item) for item in items}
    return Identity(cluster_of(items), {name: uid for name, uid in uids.items() if not name.endswith(KUBE_SYSTEM)})


async def settle(pairs: Sequence[tuple[Site, Site]], seconds: float) -> None:
    """Asks the clusters of sites that kubeconfig entries do not tell apart.

    Raises:
        UsageError: two of them are one namespace.
    """
    sites = list(dict.fromkeys(site for pair in pairs for site in pair))
    found = dict(zip(sites, await asyncio.gather(*(ask(site, seconds) for site in sites)), strict=True))
    for one, other in pairs:
        if is_same(found[one], found[other]):
            said = (
                "both lead to one cluster: its namespace kube-system has one UID"
                if found[one].cluster and found[other].cluster
                else "they hold objects of the same UIDs"
            )
            raise same_place.same_namespace(one.context, other.context, one.namespace, said)
