"""Sites and topology: who is linked to whom. Pure records."""

from __future__ import annotations

from dataclasses import dataclass, field

from hzlink.model.choices import Expose, LinkAccess, LinkFrom, Mode, Role, Via


@dataclass(frozen=True)
class Site:
    """A namespace that takes part. kubeconfig, context and namespace travel together into every call.

    `name` is what hzlink calls the site (and its Skupper Site, unless one is there already).
    `kubeconfig` is None where kubectl's own look-up ($KUBECONFIG, ~/.kube/config) holds. `short` is the context's short
    name, for people: no other context of the topology has it. Empty: the context itself.
    """

    name: str
    role: Role
    context: str
    namespace: str
    kubeconfig: str | None = None
    short: str = field(default="", compare=False)

    @property
    def short_context(self) -> str:
        """The context, for people: short where it is long."""
        return self.short or self.context

    @property
    def where(self) -> str:
        """Context and namespace, for people."""
        return f"{self.short_context}/{self.namespace}"


@dataclass(frozen=True)
class Settings:
    """What the user can choose about the topology. `image` None keeps the manifests' own.

    `members_given`: the user asked for that number of members (flag, variable or file). Otherwise the number at which
    the StatefulSet stands counts (`kubectl scale`, an autoscaler), as `plan.scaling` reads it.
    `link_access` is that of the issuing Skupper Site: `local` where all sites are in one cluster.
    `assigned_users`: the cluster site's namespace has a range of user IDs (OpenShift), as `observe.openshift` finds.
    `probe_image` is that of the pod of `verify --in-cluster`: any with Python 3.11 or later.
    """

    mode: Mode = Mode.SMART
    expose: Expose = Expose.CLUSTERIP
    members: int = 3
    members_given: bool = False
    assigned_users: bool = False
    image: str | None = None
    link_from: LinkFrom = LinkFrom.AUTO
    via: Via = Via.AUTO
    address_timeout: float = 60.0
    link_access: LinkAccess = LinkAccess.DEFAULT
    probe_image: str = "python:3.13-slim"


@dataclass(frozen=True)
class Topology:
    """One cluster site and the client sites linked to it."""

    name: str
    cluster: Site
    clients: tuple[Site, ...]
    settings: Settings = field(default_factory=Settings)

    @property
    def sites(self) -> tuple[Site, ...]:
        """All sites, the cluster site first."""
        return (self.cluster, *self.clients)

    @property
    def member_names(self) -> tuple[str, ...]:
        """The pods' names that the StatefulSet gives its members."""
        return tuple(f"{WORKLOAD}-{number}" for number in range(self.settings.members))


# Names in the bundled manifests.
WORKLOAD = "hazelcast"
MANCENTER = "hazelcast-mancenter"
ROUTING_KEY = "hazelcast"

# Labels on everything that hzlink applies: `down` deletes only what carries both.
MANAGED_BY = "app.kubernetes.io/managed-by"
PART_OF = "app.kubernetes.io/part-of"
MANAGER = "hzlink"


def labels(topology_name: str) -> dict[str, str]:
    """The labels that mark an object as hzlink's and as part of this topology."""
    return {MANAGED_BY: MANAGER, PART_OF: topology_name}
