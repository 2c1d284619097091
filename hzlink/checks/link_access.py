"""Checks whether the issuing side can use the access type of --link-access. Pure."""

from __future__ import annotations

from hzlink.checks.records import CONTROLLER, SKUPPER_NAMESPACE, Answers, Check, Facts, Finding, Unknown
from hzlink.model import conditions, objects
from hzlink.model.choices import LinkAccess
from hzlink.model.topology import Site
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import access_types, foreign, planner

TYPE = Check(
    "link-access-type",
    "the access type of --link-access can be used at the issuing side",
    "choose another one: --link-access",
    # If it is not known, `up` waits for the Site, whose status shows it.
    awaited=True,
)


def across(facts: Facts) -> list[Finding]:
    """A finding for each site that issues. None with `--link-access auto`, for which the controller decides."""
    if facts.topology.settings.link_access is LinkAccess.AUTO or facts.topology.settings.link_host is not None:
        return []
    readable = all(snapshot.error is None for snapshot in facts.snapshots.values())
    issuers = planner.issuers(facts.topology, facts.snapshots).values() if readable else [facts.topology.target]
    return [_at_site(facts, site) for site in dict.fromkeys(issuers) if site in facts.answers]


def _at_site(facts: Facts, site: Site) -> Finding:
    snapshot, answers = facts.snapshots[site], facts.answers[site]
    access, present = facts.topology.settings.link_access, snapshot.skupper_site
    live = objects.spec(present or {}).get("linkAccess")
    if foreign.is_foreign(facts.topology, present):
        name = objects.name(present or {})
        maker = foreign.made_by(facts.topology, present)
        text = f"Skupper Site {name}, {maker}, keeps its link access: {live or 'none'}"
        return TYPE.passed(site, text)
    if access is LinkAccess.LOCAL and (apart := _other_cluster(facts, site)):
        return TYPE.failed(
            site,
            f"link access local is reachable only inside its cluster, and {apart.name} is in another cluster",
            then="leave out --link-access, or choose another one",
        )
    if live == access.in_site and conditions.address(present):
        return TYPE.passed(site, f"Site {objects.name(present or {})} has an address by {access}")
    if access is LinkAccess.ROUTE and answers.routes is False:
        return TYPE.failed(site, "the cluster has no OpenShift routes, which --link-access route needs")
    return _by_controller(site, snapshot, answers, access)


def _by_controller(site: Site, snapshot: Snapshot, answers: Answers, access: LinkAccess) -> Finding:
    own = snapshot.get("Deployment", CONTROLLER)
    found = own if own is not None else answers.controller
    namespace = site.namespace if own is not None else SKUPPER_NAMESPACE
    subject = f"Deployment {namespace}/{CONTROLLER}"
    if found is None or isinstance(found, Unknown):
        said = found.said if isinstance(found, Unknown) else f"there is no {subject}"
        then = access_types.remedy(site, access, None)
        return TYPE.unknown(site, f"it is not known whether the Skupper controller has enabled {access}", said, then)
    options = access_types.options_of(found)
    then = access_types.remedy(site, access, options, namespace)
    if options is None:
        text = f"it is not known whether the Skupper controller has enabled {access}"
        return TYPE.unknown(site, text, f"{subject} has its options in other objects", then)
    if lacking := options.lacks(access):
        text = f"the Skupper controller has not enabled link access {access}"
        return TYPE.failed(site, text, subject=subject, said=lacking, then=then)
    return TYPE.passed(site, f"{subject} has enabled {access}")


def _other_cluster(facts: Facts, site: Site) -> Site | None:
    """A site that is known to be in another cluster than this one."""
    mine = facts.answers[site].cluster
    others = {other: answers.cluster for other, answers in facts.answers.items() if answers.cluster}
    return next((other for other, cluster in others.items() if mine and cluster != mine), None)
