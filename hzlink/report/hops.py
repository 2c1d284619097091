"""The hops of each client site's path, and which broken hop to fix first. Pure.

    Management Center > Listener > router > Link > router > Connector > members

A path over other Sites has a router and a Link more for each of them.

A hop lags if its Skupper condition is not ready although the hops that depend on it work: conditions change about 12 s
after the traffic (measured), and a Listener may stay Pending forever (skupper issue 2428).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hzlink.model.conditions import Condition, State
from hzlink.model.topology import Site

# The index of each hop on a path: from its start, then from its end. Between them are the Links and their routers.
CLIENT, LISTENER, CLIENT_ROUTER, LINK = range(4)
CLUSTER_ROUTER, CONNECTOR, MEMBERS = range(-3, 0)
_BETWEEN = "between"
# In this order, the causes of a broken hop come before it. A Connector that lacks only a Listener comes after it.
_CAUSES = (CLUSTER_ROUTER, CLIENT_ROUTER, MEMBERS, _BETWEEN, CONNECTOR, LISTENER, CLIENT)
_CAUSES_OF_WAITING = (CLUSTER_ROUTER, CLIENT_ROUTER, MEMBERS, _BETWEEN, LISTENER, CLIENT, CONNECTOR)


@dataclass(frozen=True)
class Hop:
    """One stage of a path.

    `stage`: its position on the path. `name`: the thing concerned. `subject`: the object with the evidence (`Link x`),
    at site `holder` if that is another site. `age`: seconds since its last change. `parts`: the members. `lag`: see
    above.
    """

    stage: str
    name: str
    site: Site
    condition: Condition
    subject: str = ""
    age: float | None = None
    next_step: str = ""
    lag: bool = False
    parts: tuple[Hop, ...] = ()
    holder: Site | None = None

    @property
    def good(self) -> bool:
        """Whether the hop needs no repair."""
        return self.condition.ok or self.lag

    @property
    def blamed(self) -> str:
        """The sentence that names this hop as the first broken one."""
        return f"first broken hop is the {self.name} of {self.site.name}"

    @property
    def text(self) -> str:
        """The text of its condition, or its state if there is no text."""
        return self.condition.text or (str(self.condition.state) if self.subject else "")

    @property
    def evidence(self) -> str:
        """The object with its site and text."""
        return f"{self.subject} ({(self.holder or self.site).where}): {self.text}" if self.subject else self.text


@dataclass(frozen=True)
class Path:
    """The path from a client site to the members. `broken`: the index of the hop to fix first; None if all are good."""

    client: Site
    hops: tuple[Hop, ...]
    broken: int | None = None

    @property
    def first_broken(self) -> Hop | None:
        """The hop to fix first."""
        return None if self.broken is None else self.hops[self.broken]

    @property
    def picture(self) -> str:
        """The path on one line, with the first broken hop in brackets."""
        return " > ".join(map(self.label, range(len(self.hops))))

    @property
    def between(self) -> range:
        """The indexes of the Links, and of the routers between them."""
        return range(LINK, len(self.hops) + CLUSTER_ROUTER)

    def label(self, place: int) -> str:
        """The name of a hop on the path; in brackets if it is the first broken hop."""
        hop = self.hops[place]
        name = f"{hop.stage} {hop.site.name}" if place in self.between and hop.stage == "router" else hop.stage
        return f"[{name}]" if place == self.broken else name


def first(found: Iterable[Path]) -> Path | None:
    """The path with the hop to fix first: the hop that most others depend on. None if no hop is broken."""
    broken = [path for path in found if path.broken is not None]
    return min(broken, key=_rank, default=None)


def _rank(path: Path) -> int:
    """How many kinds of hops the first broken hop may be a consequence of."""
    place = path.broken or 0
    return _CAUSES.index(_BETWEEN if place in path.between else place if place < LINK else place - len(path.hops))


def first_broken(hops: Sequence[Hop], connector_waits_for_listener: bool) -> int | None:
    """The index of the hop to fix first on a path; None if all hops are good."""
    between = range(LINK, len(hops) + CLUSTER_ROUTER)
    for cause in _CAUSES_OF_WAITING if connector_waits_for_listener else _CAUSES:
        # Routers between the Links come first.
        places = sorted(between, key=lambda place: hops[place].stage == "Link") if isinstance(cause, str) else [cause]
        for place in places:
            if not hops[place].good:
                return place % len(hops)
    return None


# Hops that may stay Pending while traffic flows (skupper issue 2428). A Link that is Pending is down.
_LAGGING = ("Listener", "Connector")


def with_proof(path: Path) -> Path:
    """The path after traffic was verified: Listeners and Connectors that are only Pending count as lagging."""
    flowed = tuple(
        replace(hop, lag=True) if hop.stage in _LAGGING and hop.condition.state is State.WAITING else hop
        for hop in path.hops
    )
    return Path(path.client, flowed, first_broken(flowed, connector_waits_for_listener=False))


def age(now: datetime | None, then: datetime | None) -> float | None:
    """Seconds from `then` to `now`; at least 0, if the cluster's clock is ahead of this machine's."""
    return max(0.0, (now - then).total_seconds()) if now is not None and then is not None else None


def required(condition: Condition) -> Condition:
    """The condition of a required hop: one that is missing counts as broken."""
    return Condition(State.BROKEN, condition.text) if condition.state is State.ABSENT else condition
