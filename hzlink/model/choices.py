"""The values of options, as enumerations. Imports nothing heavy: the command line imports this module at start."""

from enum import StrEnum


class Role(StrEnum):
    """The role of a site: it runs the members, or their clients, or only connects other sites."""

    CLUSTER = "cluster"
    CLIENT = "client"
    HUB = "hub"


class Mode(StrEnum):
    """How clients connect: to each member by name, or to one member that Skupper selects."""

    SMART = "smart"
    UNISOCKET = "unisocket"


class ModeChoice(StrEnum):
    """The values of --mode. `auto`: smart if clients can use the addresses that members tell them."""

    AUTO = "auto"
    SMART = "smart"
    UNISOCKET = "unisocket"


class Expose(StrEnum):
    """How Management Center's Service is reached from outside its cluster."""

    CLUSTERIP = "clusterip"
    NODEPORT = "nodeport"
    LOADBALANCER = "loadbalancer"


class LinkAccess(StrEnum):
    """How other sites reach the router of the issuing Skupper Site, by Skupper's names.

    AUTO: `local` for sites in one cluster, otherwise the controller's default. LOCAL: only inside the cluster.
    """

    AUTO = "auto"
    LOADBALANCER = "loadbalancer"
    ROUTE = "route"
    NODEPORT = "nodeport"
    LOCAL = "local"
    INGRESS = "ingress"
    INGRESS_NGINX = "ingress-nginx"
    CONTOUR_HTTP_PROXY = "contour-http-proxy"
    GATEWAY = "gateway"

    @property
    def in_site(self) -> str:
        """The value of the Site's `spec.linkAccess`."""
        return "default" if self is LinkAccess.AUTO else str(self)


class LinkFrom(StrEnum):
    """The side that issues the token. The other side connects to it."""

    AUTO = "auto"
    CLUSTER = "cluster"
    CLIENT = "client"


class Via(StrEnum):
    """How the link is made: by a token, with the skupper CLI or with kubectl, or without a token (LINK).

    AUTO: by a token, with the CLI if it is installed; without a token if no grant server can be reached.
    """

    AUTO = "auto"
    SKUPPER = "skupper"
    KUBECTL = "kubectl"
    LINK = "link"


class Goal(StrEnum):
    """The condition that `status --wait` waits for."""

    HEALTHY = "healthy"
    LINKED = "linked"
    GONE = "gone"


class App(StrEnum):
    """What `hzlink open` opens."""

    MANCENTER = "mancenter"
    CONSOLE = "console"


class ConfigTarget(StrEnum):
    """What `hzlink member-config` prints: Helm values, Platform Operator objects, or a member's hazelcast.yaml."""

    HELM = "helm"
    OPERATOR = "operator"
    YAML = "yaml"


class Discovery(StrEnum):
    """How members find each other: through the Kubernetes API, or by the DNS name of their headless Service."""

    API = "api"
    DNS = "dns"
