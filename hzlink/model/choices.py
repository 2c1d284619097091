"""The values of options, as enumerations. Imports nothing heavy: the command line imports this module at start."""

from enum import StrEnum


class Role(StrEnum):
    """The role of a site: it runs the members, or their clients."""

    CLUSTER = "cluster"
    CLIENT = "client"


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
    """How other sites reach the issuing Skupper Site: as its cluster's default says, or only inside the cluster."""

    DEFAULT = "default"
    LOCAL = "local"


class LinkFrom(StrEnum):
    """The side that issues the token. The other side connects to it."""

    AUTO = "auto"
    CLUSTER = "cluster"
    CLIENT = "client"


class Via(StrEnum):
    """The program that runs the token flow: the skupper CLI, or kubectl, which applies Skupper's objects."""

    AUTO = "auto"
    SKUPPER = "skupper"
    KUBECTL = "kubectl"


class Goal(StrEnum):
    """The condition that `status --wait` waits for."""

    HEALTHY = "healthy"
    LINKED = "linked"
    GONE = "gone"


class App(StrEnum):
    """What `hzlink open` opens."""

    MANCENTER = "mancenter"
    CONSOLE = "console"
