"""Finds Links whose routers do not accept each other's certificates. Pure.

A Link's Secret has a certificate and the issuing Site's CA, as they were at its creation. Skupper never renews them.
The link stops working when that Site gets another CA, or when a certificate expires. A router loads a changed
certificate only if Skupper's controller saw the change: after a change during the controller's absence the router keeps
the outdated one until its pod restarts (Skupper 2.2.1, read). Nothing of this is in Skupper's status: it is only in the
log of the router that connects, see `router_evidence.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hzlink.model import conditions, link_host
from hzlink.model.objects import Object
from hzlink.model.topology import Site, Topology
from hzlink.observe import links
from hzlink.observe.snapshot import Snapshots

# Messages of OpenSSL 1.1.1 and 3: this router refuses the other's certificate, or the other refuses this one's.
_REFUSED = re.compile(
    r"certificate verify failed|certificate has expired"
    r"|alert (?:bad certificate|unsupported certificate|unknown ca|certificate (?:revoked|expired|unknown|required))"
)


@dataclass(frozen=True)
class RefusedCertificate:
    """A link between routers that do not accept each other's certificates. `said`: the Link's status and the log."""

    holder: Site
    issuer: Site
    link: str
    said: str

    @property
    def text(self) -> str:
        """The two sites and the Link."""
        ends = f"{self.holder.name} and {self.issuer.name}"
        return f"the routers of {ends} do not accept each other's certificates (Link {self.link})"


def is_refusal(said: str) -> bool:
    """Whether a router's message says that a certificate was not accepted."""
    return bool(_REFUSED.search(said))


def why_down(found: Sequence[Object]) -> str:
    """Why a link is down, by its Links, of which none is up."""
    said = conditions.skupper(found[0]).text
    why = "a certificate is not accepted; another one interrupts nobody" if is_refusal(said) else ""
    return f"its link is not ready: {said}{f' ({why})' if why else ''}"


def refused(topology: Topology, snapshots: Snapshots) -> tuple[RefusedCertificate, ...]:
    """All links that are down for this reason. The snapshots must have the evidence of the routers' logs."""
    found = []
    for site in topology.linked:
        for holder, issuer in ((site, topology.target), (topology.target, site)):
            present = links.all_between(snapshots, holder, issuer)
            said = [conditions.skupper(link) for link in present]
            # The path's Link says what to do where --link-host leads to it.
            if present and not any(condition.ok for condition in said) and not any(map(link_host.of, present)):
                reasons = [condition.text for condition in said if is_refusal(condition.text)]
                if reasons:
                    found.append(RefusedCertificate(holder, issuer, links.token_of(present[0]), reasons[0]))
    return tuple(found)
