"""The delays of the simulation in two profiles: `fast` for tests, and `measured` on real clusters.

The measured spans come from runs with the real controllers, routers and command (two one-node clusters). A hash of
the names that a span is used for selects one length in it, so that every run has the same lengths.
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
        """The length for these names; the same names always give the same length."""
        digest = hashlib.sha256("\0".join(names).encode()).digest()
        return self.low + (self.high - self.low) * int.from_bytes(digest[:4]) / 0xFFFFFFFF


@dataclass(frozen=True)
class Delays:
    """Every delay of the simulation, in seconds: from an event until its consequence."""

    load_balancer: Span
    """From a new LoadBalancer Service until it has an address."""
    access: Span
    """From a new Site with link access until the Service `skupper-router` exists."""
    router_ready: Span
    """From the start of a router pod without link access until it is ready."""
    router_ready_access: Span
    """The same with link access."""
    redeem: Span
    """From a new AccessToken until its URL has answered."""
    unreachable: Span
    """The same until a URL that does not response times out; the controller handles nothing else until then."""
    resync: Span
    """From a failure until the controller retries at its resync (real: each 30 s)."""
    absent_name: Span
    """How long a cluster remembers that a host name does not exist."""
    link_sleep: Span
    """From a new Link until it is configured, if it does not change."""
    link_wake: Span
    """From a change of a Link until it is configured."""
    link_connect: Span
    """From the configuration of a Link until the routers are connected."""
    router_settle: Span
    """From a ready router until it forwards traffic."""
    first_status: Span
    """From a ready router until it reports its own Site."""
    status_lag: Span
    """From connected routers until each Site's network status has the other: conditions, per-pod Services."""
    record_lag: Span
    """From a change of a Site's listeners or targets until the other Sites know it."""
    link_down: Span
    """From a broken connection until its Link reports it."""
    forget: Span
    """From the end of a Site until the others remove it from their network status."""
    lease: Span
    """From the end of a leader until its Lease expires and a new router in the namespace can report."""


FAST = Delays(
    load_balancer=Span(0.1, 0.2),
    access=Span(0.05, 0.1),
    router_ready=Span(0.2, 0.3),
    router_ready_access=Span(0.3, 0.4),
    redeem=Span(0.02, 0.02),
    unreachable=Span(0.1, 0.1),
    resync=Span(1.0, 1.0),
    absent_name=Span(0.8, 0.8),
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
    absent_name=Span(30.0, 30.0),
    link_sleep=Span(4.0, 19.0),
    link_wake=Span(0.2, 0.3),
    link_connect=Span(1.5, 2.5),
    # Five runs of `hzlink up` on Skupper 2.2.1 with router 3.5.1: the Link was Ready 9 to 13 s after it was changed,
    # and 12.4 to 16 s after both routers were. By hand it was 12 to 16 s after it was configured.
    router_settle=Span(3.0, 3.5),
    first_status=Span(2.0, 4.0),
    status_lag=Span(8.0, 12.5),
    record_lag=Span(1.0, 2.0),
    link_down=Span(1.0, 2.0),
    forget=Span(12.0, 32.0),
    lease=Span(15.0, 15.0),
)

PROFILES: dict[Profile, Delays] = {"fast": FAST, "measured": MEASURED}
