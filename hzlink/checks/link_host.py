"""Checks whether a --link-host can be used, and says what has to be in front of the router. Pure."""

from __future__ import annotations

from hzlink.checks.records import Check, Facts, Finding
from hzlink.plan import link_host_steps
from hzlink.plan.link_host import in_front, port

HOST = Check(
    "link-host",
    "the issuing router can be reached at the --link-host",
    "leave out --link-host",
    informs=True,
)


def across(facts: Facts) -> list[Finding]:
    """A finding for each site whose router others reach at the --link-host; none without one.

    Only the other side's router can tell whether the host leads to this router: `up` and `status` report that.
    """
    topology, snapshots = facts.topology, facts.snapshots
    host = topology.settings.link_host
    if host is None or any(snapshots[site].error is not None for site in topology.sites):
        return []
    failed = {
        error.site: HOST.failed(site, error.message, subject=error.subject, said=error.said, then=error.next_step or "")
        for error in link_host_steps.errors(topology, snapshots)
        for site in topology.sites
        if site.name == error.site
    }
    used = link_host_steps.used_at(topology, snapshots)
    good = [site for site in used if site.name not in failed]
    return [*failed.values(), *(HOST.passed(site, in_front(site, host, port(snapshots[site]))) for site in good)]
