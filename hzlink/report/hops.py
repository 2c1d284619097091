"""The way of each client site's connections, hop by hop, and the first broken one by cause. Pure.

    Management Center > Listener > router > Link > router > Connector > members

A hop that only Skupper's word is against, while what depends on it is there, lags: conditions come some 12 s after what
flows (measured), and a Listener may stay Pending for good (skupper issue 2428).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hzlink.model.conditions import Condition, State
from hzlink.model.topology import Site

# Where each hop lies on the way.
CLIENT, LISTENER, NEAR, LINK, FAR, CONNECTOR, MEMBERS = range(7)
# The causes of a hop come before it. A Connector that lacks only a Listener waits for it.
_CAUSES = (FAR, NEAR, MEMBERS, LINK, CONNECTOR, LISTENER, CLIENT)
_CAUSES_OF_WAITING = (FAR, NEAR, MEMBERS, LINK, LISTENER, CLIENT, CONNECTOR)


@dataclass(frozen=True)
class Hop:
    """One stage that a connection passes.

    `stage` is its place on the way, `name` what the evidence is about, `subject` the object that says so (`Link x`), at
    `holder` where that is another site, and `age` the seconds since that changed last. `parts` are the single members.
    `lag`: see above.
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
        """Whether nothing is to be done about it."""
        return self.condition.ok or self.lag

    @property
    def blamed(self) -> str:
        """The sentence that names it as the hop to fix first."""
        return f"first broken hop is the {self.name} of {self.site.name}"

    @property
    def text(self) -> str:
        """What is said of it; of a thing that has nothing to say, its state."""
        return self.condition.text or (str(self.condition.state) if self.subject else "")

    @property
    def evidence(self) -> str:
        """Who, where, says what of it."""
        return f"{self.subject} ({(self.holder or self.site).where}): {self.text}" if self.subject else self.text


@dataclass(frozen=True)
class Path:
    """The way from one client site to the members. `broken` is the place of its first broken hop, None for none."""

    client: Site
    hops: tuple[Hop, ...]
    broken: int | None = None

    @property
    def first_broken(self) -> Hop | None:
        """The hop to fix first."""
        return None if self.broken is None else self.hops[self.broken]

    @property
    def picture(self) -> str:
        """The way on one line, with the first broken hop in brackets."""
        marked = [f"[{hop.stage}]" if at == self.broken else hop.stage for at, hop in enumerate(self.hops)]
        return " > ".join(marked)


def first(found: Iterable[Path]) -> Path | None:
    """The path with the hop to fix first: of several, the one whose hop most others depend on."""
    broken = [path for path in found if path.broken is not None]
    return min(broken, key=lambda path: _CAUSES.index(path.broken or 0), default=None)


def first_broken(hops: Sequence[Hop], connector_waits: bool) -> int | None:
    """The index of the hop to fix first on one path. `connector_waits`: the Connector lacks only a Listener."""
    order = _CAUSES_OF_WAITING if connector_waits else _CAUSES
    return next((place for place in order if not hops[place].good), None)


# Whose conditions wait while traffic flows (skupper issue 2428). A Link that waits has really been cut.
_LAGGING = ("Listener", "Connector")


def proved(path: Path) -> Path:
    """The path once traffic has been seen to flow: what only waits for Skupper's word lags."""
    flowed = tuple(
        replace(hop, lag=True) if hop.stage in _LAGGING and hop.condition.state is State.WAITING else hop
        for hop in path.hops
    )
    return Path(path.client, flowed, first_broken(flowed, connector_waits=False))
