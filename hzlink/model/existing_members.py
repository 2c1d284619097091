"""Members that hzlink did not deploy: where they come from, what was found, and what they tell clients. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from hzlink.model import selectors
from hzlink.model.selectors import Selector

# The members' port for clients, unless a container port or the user names another one.
DEFAULT_PORT = 5701
# The name of the members' container port in the official Helm chart and the Platform Operator.
PORT_NAME = "hazelcast"
# The value of --members-from for members that hzlink deploys.
NONE = "none"
# The name of Hazelcast clusters by default, and of hzlink's own.
DEFAULT_CLUSTER = "dev"

# Annotations on the Connector, so that every command knows how `up` linked these members.
MEMBERS_FROM = "hzlink.io/members-from"
MEMBERS_PORT = "hzlink.io/members-port"
HAZELCAST_CLUSTER = "hzlink.io/hazelcast-cluster"


class SourceKind(StrEnum):
    """What --members-from names."""

    STATEFULSET = "statefulset"
    DEPLOYMENT = "deployment"
    SELECTOR = "selector"


# The forms of a resource type that kubectl accepts.
_KINDS = {
    **dict.fromkeys(("statefulset", "statefulsets", "statefulsets.apps", "sts"), SourceKind.STATEFULSET),
    **dict.fromkeys(("deployment", "deployments", "deployments.apps", "deploy"), SourceKind.DEPLOYMENT),
    "selector": SourceKind.SELECTOR,
}
_WORKLOADS = {SourceKind.STATEFULSET: "StatefulSet", SourceKind.DEPLOYMENT: "Deployment"}
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
FORMS = "statefulset/NAME, deployment/NAME or selector/KEY=VALUE,..."


@dataclass(frozen=True)
class Source:
    """Where the members are: the pods of a workload (`name`), or the pods with these labels (`selector`)."""

    kind: SourceKind
    name: str = ""
    selector: Selector = field(default_factory=Selector)

    def __str__(self) -> str:
        """As --members-from takes it."""
        return f"{self.kind}/{self.selector if self.kind is SourceKind.SELECTOR else self.name}"

    @property
    def workload(self) -> str:
        """The kind of the workload; empty for a selector."""
        return _WORKLOADS.get(self.kind, "")

    @property
    def title(self) -> str:
        """For messages: `StatefulSet prod-hazelcast`, `pods with app=hazelcast`."""
        return f"{self.workload} {self.name}" if self.name else f"pods with {self.selector}"


def parse(text: str) -> Source:
    """The source in a value of --members-from.

    Raises:
        ValueError: it has none of the forms; the message says what is wrong.
    """
    kind, slash, rest = text.partition("/")
    known = _KINDS.get(kind)
    if not slash or known is None:
        raise ValueError(f"it is not {FORMS}")
    if known is SourceKind.SELECTOR:
        return Source(known, selector=selectors.parse(rest))
    if not _NAME.fullmatch(rest):
        raise ValueError(f"{rest!r} is not the name of a {known}")
    return Source(known, rest)


@dataclass(frozen=True)
class Found:
    """The members that were found: the selector and port for the Connector, and the names of the expected members.

    `names`: of a StatefulSet those that its replicas have, also if a pod does not exist; otherwise of the pods.
    `cluster_name`: of the Hazelcast cluster; empty if it is not known.
    """

    source: Source
    selector: Selector
    port: int
    names: tuple[str, ...]
    cluster_name: str = ""


@dataclass(frozen=True)
class Advertised:
    """The addresses (host:port) that members tell clients, as a real member says. `problem`: why they are not known."""

    addresses: tuple[str, ...] = ()
    problem: str = ""

    @property
    def known(self) -> bool:
        """Whether a member answered."""
        return bool(self.addresses)


NOT_ASKED = Advertised()
