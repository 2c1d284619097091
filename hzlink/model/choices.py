"""The choices that users and sites have, by their words. Light: the command line imports it at start."""

from enum import StrEnum


class Role(StrEnum):
    """What a site is for: it runs the members, or their clients."""

    CLUSTER = "cluster"
    CLIENT = "client"


class Mode(StrEnum):
    """How clients connect: to every member by name, or through one connection that Skupper balances."""

    SMART = "smart"
    UNISOCKET = "unisocket"


class Expose(StrEnum):
    """How Management Center's Service is reached from outside its cluster."""

    CLUSTERIP = "clusterip"
    NODEPORT = "nodeport"
    LOADBALANCER = "loadbalancer"


class LinkAccess(StrEnum):
    """How other sites reach the issuing Skupper Site: by its cluster's default, or from inside the cluster only."""

    DEFAULT = "default"
    LOCAL = "local"


class LinkFrom(StrEnum):
    """Which side issues the token, that is, which side the other one connects to."""

    AUTO = "auto"
    CLUSTER = "cluster"
    CLIENT = "client"


class Via(StrEnum):
    """What carries out the token flow: the skupper CLI, or objects applied through kubectl."""

    AUTO = "auto"
    SKUPPER = "skupper"
    KUBECTL = "kubectl"


class Goal(StrEnum):
    """What `status --wait` waits for."""

    HEALTHY = "healthy"
    LINKED = "linked"
    GONE = "gone"


class App(StrEnum):
    """What `hzlink open` leads to."""

    MANCENTER = "mancenter"
    CONSOLE = "console"
