"""The records Site, Settings and Topology. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from hzlink.model.choices import Expose, LinkAccess, LinkFrom, Mode, Role, Via
from hzlink.model.existing_members import DEFAULT_CLUSTER, DEFAULT_PORT, Found, Source
from hzlink.model.link_host import LinkHost

# The name of the Service that clients call, unless the user gives another one; also the name in the bundled manifests.
DEFAULT_SERVICE = "hazelcast"
# The name of the container with the member, in the bundled manifests.
MEMBER_CONTAINER = "hazelcast"


@dataclass(frozen=True)
class Site:
    """A namespace of the topology. Every call for it gets its kubeconfig, context and namespace.

    `name` is the site's name in hzlink, and the name of its Skupper Site unless the namespace already has one.
    `kubeconfig` is None for kubectl's own default ($KUBECONFIG, ~/.kube/config). `short` is the context's short name
    for messages, unique in the topology; empty: the context itself.
    """

    name: str
    role: Role
    context: str
    namespace: str
    kubeconfig: str | None = None
    short: str = field(default="", compare=False)

    @property
    def short_context(self) -> str:
        """The context's short name, for messages."""
        return self.short or self.context

    @property
    def where(self) -> str:
        """Context and namespace as `CONTEXT/NAMESPACE`, for messages. A Site of others has no context."""
        return f"{self.short_context}/{self.namespace}" if self.context else f"namespace {self.namespace}"


@dataclass(frozen=True)
class Settings:
    """The settings of a topology. `image`, `mancenter_image`: of the members and of Management Center; None: as in the
    manifests.

    `members_given`: the user set `members` (flag, variable or file). Otherwise `plan.scaling` takes the current number
    of the StatefulSet (`kubectl scale`, an autoscaler). `address_timeout`: seconds that `--link-from auto` waits for
    the cluster site's address. `link_access`: of the issuing Skupper Site; `observe.same_cluster` decides what AUTO is.
    `assigned_users`: the cluster site's namespace has a range of user IDs (OpenShift), as `observe.openshift` finds.
    `link_host`: a host and port of the user's own in front of that router, instead of link access; `link_host_given`:
    whether the user said so, or that there is none.
    `enable_link_access`: the user allows to set link access on an issuing Skupper Site that hzlink did not make.
    `mancenter`: whether client sites have Management Center (see Topology.has_mancenter). `pull_secrets`: the names of
    the Secrets for pulling images, of all pods that hzlink makes.
    `probe_image`: image of the pod of `verify --in-cluster`, with Python 3.11 or later.
    `service`: see Topology.service. `app_namespaces`: see Topology.app_namespaces; as typed. `cluster_domain`: the
    domain of the DNS names of Services.
    `mode_auto`: the user left the mode to hzlink (`plan.modes`); `mode` is the chosen
    one. `members_from`: where the members are that hzlink does not deploy; None if the user did not say, or with
    `own_members`, if the user said that hzlink deploys them. `found`: those members, as observed.
    `hazelcast_cluster`: the name of the Hazelcast cluster, if the user gave it; see Topology.cluster_name.
    """

    mode: Mode = Mode.SMART
    mode_auto: bool = False
    expose: Expose = Expose.CLUSTERIP
    members: int = 3
    members_given: bool = False
    assigned_users: bool = False
    image: str | None = None
    mancenter_image: str | None = None
    mancenter: bool = True
    pull_secrets: tuple[str, ...] = ()
    link_from: LinkFrom = LinkFrom.AUTO
    via: Via = Via.AUTO
    address_timeout: float = 60.0
    link_access: LinkAccess = LinkAccess.AUTO
    link_host: LinkHost | None = None
    link_host_given: bool = False
    enable_link_access: bool = False
    probe_image: str = "python:3.13-slim"
    service: str = DEFAULT_SERVICE
    app_namespaces: tuple[str, ...] = ()
    cluster_domain: str = "cluster.local"
    members_from: Source | None = None
    members_port: int | None = None
    own_members: bool = False
    hazelcast_cluster: str | None = None
    found: Found | None = None

    @property
    def issuing_side(self) -> LinkFrom:
        """The side that issues, as the user says. By default, a --link-host leads to the cluster site."""
        return LinkFrom.CLUSTER if self.link_host and self.link_from is LinkFrom.AUTO else self.link_from


@dataclass(frozen=True)
class Topology:
    """One cluster site and the client sites linked to it.

    `hub`: a site without members or clients that the cluster site and the client sites link to, because neither side
    reaches the other. None: they are linked directly. `former_hub`: the hub at the last `up`, if it is no longer used.
    """

    name: str
    cluster: Site
    clients: tuple[Site, ...]
    settings: Settings = field(default_factory=Settings)
    hub: Site | None = None
    former_hub: Site | None = None

    @property
    def sites(self) -> tuple[Site, ...]:
        """All sites, the cluster site first and the hub last."""
        return (self.cluster, *self.clients, *((self.hub,) if self.hub else ()))

    @property
    def target(self) -> Site:
        """The site to which the others are linked: the hub, or else the cluster site."""
        return self.hub or self.cluster

    @property
    def linked(self) -> tuple[Site, ...]:
        """The sites with a link to the target."""
        return (self.cluster, *self.clients) if self.hub else self.clients

    def redeemer(self, linked: Site, issuer: Site) -> Site:
        """The site that redeems the token for the link of a linked site."""
        return self.target if issuer == linked else linked

    def app_namespaces(self, site: Site) -> tuple[str, ...]:
        """The other namespaces in the site's cluster in which the names that clients call have to work.

        NAMESPACE in the settings is at every client site, SITE/NAMESPACE at that site.
        """
        split = [entry.rpartition("/") for entry in self.settings.app_namespaces]
        found = [name for at, _, name in split if at == site.name or (not at and site.role is Role.CLIENT)]
        return tuple(dict.fromkeys(found))

    @property
    def service(self) -> str:
        """The name of the Service that clients call; also of Listener and Connector, and their routing key."""
        return self.settings.service

    @property
    def workload(self) -> str:
        """The name of the members' StatefulSet or Deployment; empty for members of a label selector.

        hzlink's own members have a headless Service of the same name.
        """
        return self.service if self.found is None else self.found.source.name

    @property
    def workload_kind(self) -> str:
        """The kind of the members' workload; empty for members of a label selector."""
        return "StatefulSet" if self.found is None else self.found.source.workload

    @property
    def workload_title(self) -> str:
        """The members' workload for messages: `StatefulSet hazelcast`, `pods with app=shop`."""
        return f"{self.workload_kind} {self.workload}" if self.found is None else self.found.source.title

    @property
    def found(self) -> Found | None:
        """The members that hzlink did not deploy; None for its own."""
        return self.settings.found

    @property
    def cluster_name(self) -> str:
        """The name of the Hazelcast cluster."""
        said = "" if self.found is None else self.found.cluster_name
        return self.settings.hazelcast_cluster or said or DEFAULT_CLUSTER

    @property
    def member_port(self) -> int:
        """The members' port for clients, in their pods."""
        return DEFAULT_PORT if self.found is None else self.found.port

    @property
    def member_selector(self) -> str:
        """The label selector of the members' pods."""
        return f"app={self.service}" if self.found is None else str(self.found.selector)

    @property
    def member_names(self) -> tuple[str, ...]:
        """The names of the wanted members' pods."""
        return self.first_members(self.settings.members)

    def first_members(self, count: int) -> tuple[str, ...]:
        """The names of the pods of `count` members, as hzlink's StatefulSet generates them, or of those found."""
        if self.found is not None:
            return self.found.names
        return tuple(f"{self.workload}-{number}" for number in range(count))

    @property
    def mancenter(self) -> str:
        """The name of Management Center's Deployment and Service, and the `app` label of its pods."""
        return f"{self.service}-mancenter"

    @property
    def has_mancenter(self) -> bool:
        """Whether client sites are to have Management Center. It does not support a single connection."""
        return self.settings.mancenter and self.settings.mode is not Mode.UNISOCKET


# Labels on every object that hzlink applies. `down` deletes only objects that have both.
MANAGED_BY = "app.kubernetes.io/managed-by"
PART_OF = "app.kubernetes.io/part-of"
MANAGER = "hzlink"


def labels(topology_name: str) -> dict[str, str]:
    """The labels that mark an object as hzlink's and as part of this topology."""
    return {MANAGED_BY: MANAGER, PART_OF: topology_name}
