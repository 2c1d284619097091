"""What a run that was cut off may have left of its linking: tokens and grants of hzlink's own. Pure.

What hzlink makes itself carries its labels. The skupper CLI names and labels its AccessGrant as it likes, but takes any
window for it: hzlink's is a minute and a fraction of a second that is worked out from topology and sites, and so tells
the grant from everybody else's.
"""

from __future__ import annotations

import hashlib

from hzlink import objects
from hzlink.objects import Object, Ref
from hzlink.observe import Snapshot
from hzlink.topology import Site, Topology


def grant_window(topology_name: str, issuer: Site, redeemer: Site) -> str:
    """How long a token of this link can be redeemed, as Go writes a duration: 1m0.123456781s.

    The last digit is never 0, as Go would leave it out.
    """
    digest = hashlib.sha256(f"{topology_name}/{issuer.name}/{redeemer.name}".encode()).hexdigest()
    return f"1m0.{int(digest, 16) % 10**8:08d}1s"


def refs(topology: Topology, snapshot: Snapshot) -> tuple[Ref, ...]:
    """The tokens and grants of hzlink's that are at a site. While no run is at work, there should be none."""
    windows = {grant_window(topology.name, snapshot.site, other) for other in topology.sites}
    return tuple(
        objects.ref(item)
        for item in (*snapshot.of("AccessToken"), *snapshot.of("AccessGrant"))
        if objects.is_ours(item, topology.name) or has_window(item, windows)
    )


def has_window(item: Object, windows: set[str]) -> bool:
    """Whether an object is a grant that was issued with one of these windows, for a single use."""
    wanted = objects.spec(item)
    return (
        item.get("kind") == "AccessGrant"
        and wanted.get("redemptionsAllowed") == 1
        and wanted.get("expirationWindow") in windows
    )
