"""Checks whether one side of each link can be reached by the other: an address, a load balancer, or routes. Pure."""

from __future__ import annotations

from enum import IntEnum

from hzlink.checks.records import GRANT_SERVER, SKUPPER_NAMESPACE, Answers, Check, Facts, Finding, Severity, Unknown
from hzlink.model import conditions, objects
from hzlink.model.choices import LinkAccess, LinkFrom
from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.observe.snapshot import Snapshot
from hzlink.programs import hints

ACCESS = Check(
    "link-access",
    "one side of each link can get an address",
    "make sure that one side's cluster has a load balancer, or choose the side: --link-from",
    Severity.WARNING,
    awaited=True,
)

# Time in which a working load balancer usually gives a new Service its address. Cloud providers take 1 to 2 min.
BALANCER_SECONDS = 120.0


class Reachability(IntEnum):
    """How likely other sites can reach a site."""

    UNLIKELY = 0
    NOT_KNOWN = 1
    LIKELY = 2


def at_site(snapshot: Snapshot, answers: Answers) -> tuple[Reachability, str]:
    """How likely others can reach the site, and the evidence. An address does not prove that they can."""
    if host := conditions.address(snapshot.skupper_site):
        return Reachability.LIKELY, f"its Site has address {host}"
    grant = None if isinstance(answers.grant_server, Unknown) else answers.grant_server
    balancers = [item for item in snapshot.of("Service") if objects.spec(item).get("type") == "LoadBalancer"]
    if grant is not None and objects.spec(grant).get("type") == "LoadBalancer":
        balancers.append(grant)
    served = [item for item in balancers if conditions.balancer_address(item)]
    if served:
        return Reachability.LIKELY, f"Service {_place(served[0])} got address {conditions.balancer_address(served[0])}"
    if answers.routes is True:
        return Reachability.LIKELY, "the cluster has OpenShift routes"
    if balancers:
        waits = f"Service {_place(balancers[0])} waits for a load balancer's address"
        return (Reachability.NOT_KNOWN if _is_new(balancers[0], snapshot) else Reachability.UNLIKELY), waits
    return Reachability.NOT_KNOWN, "the namespace has no Service with a load balancer yet"


def _is_new(service: Object, snapshot: Snapshot) -> bool:
    """Whether the Service is so new that its load balancer may still get an address."""
    made = objects.created(service)
    return made is not None and snapshot.at is not None and (snapshot.at - made).total_seconds() < BALANCER_SECONDS


def across(facts: Facts) -> list[Finding]:
    """One finding for each client site's link, or a single one if the cluster site can be reached."""
    sites = {site: at_site(facts.snapshots[site], answers) for site, answers in facts.answers.items()}
    findings: list[Finding] = []
    for client in facts.topology.linked:
        finding = _link(facts, client, sites)
        if finding is not None and finding not in findings:
            findings.append(finding)
    return findings


def _link(facts: Facts, client: Site, sites: dict[Site, tuple[Reachability, str]]) -> Finding | None:
    access, host = facts.topology.settings.link_access, facts.topology.settings.link_host
    if host is not None:
        return ACCESS.passed(None, f"the link leads to {host}, as --link-host says")
    if access is LinkAccess.LOCAL:
        return ACCESS.passed(None, "all sites are in one cluster: their link needs no load balancer")
    if access not in (LinkAccess.AUTO, LinkAccess.LOADBALANCER):
        return ACCESS.passed(None, f"link access {access} needs no load balancer")
    asked = facts.topology.settings.link_from
    sides = {LinkFrom.CLUSTER: (facts.topology.cluster,), LinkFrom.CLIENT: (client,)}
    hub = facts.topology.hub
    either = (hub,) if hub else sides.get(asked, (facts.topology.cluster, client))
    known = [site for site in either if site in sites]
    if not known:
        return None
    # The cluster site comes first among equally reachable sites, as `up` chooses it.
    best = max(known, key=lambda site: sites[site][0])
    reachability, why = sites[best]
    if reachability is Reachability.LIKELY:
        return ACCESS.passed(best, why)
    where = " or ".join(site.name for site in known)
    stated = "; ".join(f"{site.name}: {sites[site][1]}" for site in known)
    then = hints.kubectl(best, "get services")
    if reachability is Reachability.UNLIKELY:
        return ACCESS.failed(best, f"no load balancer gives an address at {where}", said=stated, then=then)
    return ACCESS.unknown(best, f"it is not known whether the other side can reach {where}", stated)


def _place(service: Object) -> str:
    name = objects.name(service)
    return f"{SKUPPER_NAMESPACE}/{name}" if name == GRANT_SERVER else name
