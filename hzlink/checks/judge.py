"""Runs all checks on the facts of a topology. Pure."""

from __future__ import annotations

from dataclasses import replace

from hzlink.checks import (
    access,
    app_namespaces,
    controller,
    existing_members,
    hazelcast_versions,
    link_access,
    link_host,
    names,
    needed_rights,
    pull_secrets,
    reach,
    rights,
    tools,
)
from hzlink.checks.needed_rights import Right
from hzlink.checks.records import Facts, Finding
from hzlink.model.choices import Role, Via
from hzlink.model.topology import Site


def judge(facts: Facts) -> tuple[Finding, ...]:
    """All findings: about the tools, then for each site, then across the sites.

    A site that cannot be reached has only one finding.
    """
    unreadable = {site for site in facts.topology.sites if reach.is_unreadable(facts.snapshots[site])}
    seen = replace(facts, answers={site: found for site, found in facts.answers.items() if site not in unreadable})
    findings = [*tools.across(seen)]
    for site in facts.topology.sites:
        findings += reach.at_site(site, facts.snapshots[site], site in facts.missing)
        if site in seen.answers:
            findings += _at_site(seen, site)
    findings += existing_members.findings(facts)
    findings += [*names.same_place(seen), *access.across(seen), *link_access.across(seen), *link_host.across(seen)]
    return tuple(findings)


def _at_site(facts: Facts, site: Site) -> list[Finding]:
    snapshot, answers = facts.snapshots[site], facts.answers[site]
    created, settings = site in facts.missing, facts.topology.settings
    folders = (needed_rights.role_folder(site.role, settings), *needed_rights.ways(facts.topology, site.role))
    cli = None if facts.topology.settings.via in (Via.KUBECTL, Via.LINK) else facts.skupper_cli
    findings = [
        *tools.at_site(site, snapshot, answers, cli),
        *controller.at_site(site, snapshot, answers),
        *rights.at_site(site, answers, _needed(facts, site), created, folders),
        *rights.optional_at_site(site, answers, facts.needed, created),
        *reach.pod_security(site, snapshot, answers, created),
        *pull_secrets.at_site(facts.topology, site, answers),
        *app_namespaces.rights_at(facts.topology, site, answers, facts.needed.get(app_namespaces.ROLE, ())),
        *app_namespaces.at_site(facts.topology, facts.snapshots, site),
    ]
    findings += hazelcast_versions.at_site(facts.topology, facts.snapshots, site)
    if snapshot.error is None:
        findings += [
            names.foreign_site(facts.topology, facts.snapshots, site),
            names.own_names(facts.topology, snapshot),
            *names.services(facts.topology, snapshot),
        ]
    return findings


def _needed(facts: Facts, site: Site) -> tuple[Right, ...]:
    """The rights that `up` needs at a site. Those for Management Center are not needed where there is none."""
    needed = facts.needed.get(site.role, ())
    deployed = facts.snapshots[site].get("Deployment", facts.topology.mancenter)
    if site.role is not Role.CLIENT or facts.topology.has_mancenter or deployed is not None:
        return needed
    return tuple(right for right in needed if right not in facts.mancenter_rights)
