"""How long things take: two profiles, `fast` for tests and `measured`, as seen on real clusters.

The measured spans come from runs with the real controllers, routers and command (two one-node clusters).
A span is narrowed to one length by what it is for, so that a run can be repeated with the same lengths.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sandbox.layout import Profile


@dataclass(frozen=True)
class Span:
    """Between `low` and `high` seconds."""

    low: float
    high: float

    def of(self, *names: str) -> float:
        """The length for what these names stand for: always the same for the same names."""
        digest = hashlib.sha256("\0".join(names).encode()).digest()
        return self.low + (self.high - self.low) * int.from_bytes(digest[:4]) / 0xFFFFFFFF


@dataclass(frozen=True)
class Delays:
    """Every lag of the simulation, in seconds."""

    load_balancer: Span
    """A LoadBalancer Service has been made until it has an address."""
    access: Span
    """A Site with link access has been seen until the Service `skupper-router` is there."""
    router_ready: Span
    """A router pod without link access has been started until its readiness probes pass."""
    router_ready_access: Span
    """The same with link access."""
    redeem: Span
    """An AccessToken has been seen until its URL has answered."""
    unreachable: Span
    """The same until a URL that does not answer is given up; meanwhile the controller does nothing else."""
    resync: Span
    """The controller looks again at what failed (real: a tick each 30 s)."""
    link_sleep: Span
    """A Link has been made until it is looked at, if nobody touches it."""
    link_wake: Span
    """A Link has been touched until it is looked at."""
    link_connect: Span
    """A Link has been looked at until the routers are connected."""
    router_settle: Span
    """A router is ready until it carries traffic of others."""
    first_status: Span
    """A router is ready until it reports its own site."""
    status_lag: Span
    """Routers are connected until the sites know of each other: conditions and per-pod Services."""
    record_lag: Span
    """A site's listeners or targets changed until the network knows."""
    link_down: Span
    """A connection broke until its Link says so."""
    forget: Span
    """A site is gone until the others take it for gone."""
    lease: Span
    """How long a leader's lease outlives it: a new router in the same namespace reports only afterwards."""


FAST = Delays(
    load_balancer=Span(0.1, 0.2),
    access=Span(0.05, 0.1),
    router_ready=Span(0.2, 0.3),
    router_ready_access=Span(0.3, 0.4),
    redeem=Span(0.02, 0.02),
    unreachable=Span(0.1, 0.1),
    resync=Span(1.0, 1.0),
    link_sleep=Span(3.0, 3.0),
    link_wake=Span(0.05, 0.05),
    link_connect=Span(0.1, 0.1),
    router_settle=Span(0.1, 0.1),
    first_status=Span(0.1, 0.15),
    status_lag=Span(0.25, 0.3),
    record_lag=Span(0.1, 0.15),
    link_down=Span(0.1, 0.15),
    forget=Span(0.6, 0.8),
    lease=Span(0.2, 0.2),
)

MEASURED = Delays(
    load_balancer=Span(2.0, 2.0),
    access=Span(1.2, 1.8),
    router_ready=Span(3.2, 3.8),
    router_ready_access=Span(5.0, 13.0),
    redeem=Span(0.1, 0.2),
    unreachable=Span(3.0, 3.2),
    resync=Span(15.0, 30.0),
    link_sleep=Span(4.0, 19.0),
    link_wake=Span(0.2, 0.3),
    link_connect=Span(1.5, 2.5),
    # Five runs of `hzlink up` on Skupper 2.2.1 with router 3.5.1: the Link was Ready 9 to 13 s after it was touched,
    # and 12.4 to 16 s after both routers were. By hand it had been 12 to 16 s after it was looked at.
    router_settle=Span(3.0, 3.5),
    first_status=Span(2.0, 4.0),
    status_lag=Span(8.0, 12.5),
    record_lag=Span(1.0, 2.0),
    link_down=Span(1.0, 2.0),
    forget=Span(12.0, 32.0),
    lease=Span(15.0, 15.0),
)

PROFILES: dict[Profile, Delays] = {"fast": FAST, "measured": MEASURED}
