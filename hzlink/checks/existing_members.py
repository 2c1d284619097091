"""Checks of members that hzlink did not deploy: which there are, and what they tell clients. Pure."""

from __future__ import annotations

from hzlink.checks.records import Check, Facts, Finding, Severity
from hzlink.model.choices import Mode
from hzlink.model.topology import Topology
from hzlink.observe import existing_members, membership
from hzlink.plan import modes
from hzlink.programs import hints

MEMBERS = Check(
    "members", "the members of --members-from can be linked", "give --members-from their workload", informs=True
)
ADDRESSES = Check(
    "member-addresses",
    "clients can use the addresses that the members tell them",
    "--mode unisocket: clients keep a single connection",
    Severity.WARNING,
    # `--mode auto` decides by it.
    awaited=True,
    informs=True,
)


def findings(facts: Facts) -> list[Finding]:
    """The findings about the members; none if hzlink deploys them, or if the cluster site cannot be read."""
    topology, snapshot = facts.topology, facts.snapshots[facts.topology.cluster]
    if topology.found is None or snapshot.error is not None:
        return []
    site = topology.cluster
    if error := existing_members.problem(topology, snapshot):
        return [
            MEMBERS.failed(
                site, error.message, subject=error.subject, said=error.said, then=error.next_step or MEMBERS.hint
            )
        ]
    names = [name for name in topology.member_names if name in existing_members.ready_names(topology, snapshot)]
    split = membership.problem(snapshot.member_log, names)
    found = MEMBERS.passed(site, existing_members.described(topology, snapshot))
    if split:
        logs = hints.kubectl(site, f"logs --selector={topology.member_selector} --prefix --tail=-1")
        found = MEMBERS.unknown(site, split, then=logs)
    return [found, _addresses(facts, topology)]


def _addresses(facts: Facts, topology: Topology) -> Finding:
    advertised, site = facts.advertised, topology.cluster
    if not advertised.known:
        text = "what addresses the members tell clients is not known"
        return ADDRESSES.unknown(site, text, advertised.problem or None)
    listed = ", ".join(advertised.addresses)
    reason = modes.unresolvable(topology.found, advertised) if topology.found is not None else ""
    if not reason:
        return ADDRESSES.passed(site, f"{listed}: the pods' names, so that smart clients work")
    if topology.settings.mode is Mode.UNISOCKET:
        return ADDRESSES.passed(site, f"{reason}; so clients keep a single connection (unisocket)")
    then = f"--mode unisocket, or let the members tell their pods' names: {hints.member_config()}"
    return ADDRESSES.failed(site, f"smart clients would fail: {reason}", then=then)
