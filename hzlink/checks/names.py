"""Checks for names that are already in use, and for sites that are the same namespace. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from hzlink.checks.records import Answers, Check, Facts, Finding, Unknown
from hzlink.model import conditions, objects
from hzlink.model.choices import Mode, Role
from hzlink.model.objects import Object
from hzlink.model.topology import Site, Topology
from hzlink.observe import links, ways
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import consent, foreign, planner, sharing
from hzlink.programs import hints
from hzlink.programs.refusals import Refusal

FOREIGN_SITE = Check(
    "foreign-site",
    "hzlink can use the namespace's Skupper Site, if there is one",
    "use another namespace (--client-ns, --cluster-ns)",
)
SERVICES = Check(
    "service-names",
    "no other Service has a name that Skupper needs for a member",
    "rename that Service, or use another namespace (--client-ns)",
)
OWN_NAMES = Check(
    "own-names",
    "no other topology of hzlink uses the same names",
    "give this topology's Service another name (--service)",
)
SAME_PLACE = Check(
    "separate-sites",
    "every site is a different namespace",
    "give each site a different namespace: --client-ns, --cluster-ns",
)


def foreign_site(topology: Topology, snapshots: Mapping[Site, Snapshot], site: Site) -> Finding:
    """Whether hzlink can use the namespace's Skupper Site if hzlink did not make it.

    It cannot if the Site has to issue and has no link access. A Site that hzlink made for another topology is shared.
    """
    found = snapshots[site].skupper_site
    if found is None or not foreign.is_foreign(topology, found):
        return FOREIGN_SITE.passed(site)
    subject = f"Site {objects.name(found)}"
    readable = all(one.error is None for one in snapshots.values())
    if readable and site in planner.unable_issuers(topology, snapshots):
        if topology.settings.enable_link_access:
            new = consent.value(topology)
            maker = foreign.made_by(topology, found)
            return FOREIGN_SITE.passed(site, f"`up` sets linkAccess {new} on {subject}, {maker}")
        error = foreign.no_link_access_error(topology, snapshots[site])
        return FOREIGN_SITE.failed(site, error.message, subject=subject, said=error.said, then=error.next_step or "")
    if other := foreign.other_topology(topology, found):
        return FOREIGN_SITE.passed(site, f"Skupper Site {objects.name(found)} is shared with topology {other}")
    return FOREIGN_SITE.passed(site, _as_found(topology, snapshots, found) if readable else _used(found))


def _used(found: Object) -> str:
    return (
        f"hzlink did not make Skupper Site {objects.name(found)}: it uses it unchanged, and `down` does not remove it"
    )


def _as_found(topology: Topology, snapshots: Mapping[Site, Snapshot], found: Object) -> str:
    """The state of the Site and of its links to the other sites of the topology."""
    site = next(one for one, snapshot in snapshots.items() if snapshot.skupper_site is found)
    chosen = planner.issuers(topology, snapshots)
    pairs = [linked for linked in topology.linked if site in (linked, topology.target)]
    stated = []
    for client in pairs:
        other = topology.target if site is client else client
        name = planner.skupper_name(other, snapshots)
        issuer = chosen[client]
        link = links.between(snapshots, topology.redeemer(client, issuer), issuer)
        if why := planner.why_to_link(topology, snapshots, client, issuer):
            stated.append(f"not linked to {name} yet{why.removeprefix('not linked')}")
        elif link is not None and conditions.skupper(link).ok:
            stated.append(f"linked to {name} by Link {objects.name(link)}")
        else:
            way = ways.find(snapshots, client, topology.target)
            stated.append(f"linked to {name} {way.condition.text if way else ''}".rstrip())
    return f"{_used(found)}; {'; '.join(stated)}"


def services(topology: Topology, snapshot: Snapshot) -> list[Finding]:
    """At a client site: other Services with the Listener's name or a member's name, which Skupper would overwrite."""
    site = snapshot.site
    if site.role is not Role.CLIENT:
        return []
    members = topology.member_names if topology.settings.mode is Mode.SMART else ()
    found = [snapshot.get("Service", name) for name in (topology.service, *members)]
    foreign = [item for item in found if item is not None and not _is_known(item, topology)]
    if not foreign:
        return [SERVICES.passed(site)]
    listed = ", ".join(objects.name(item) for item in foreign)
    return [
        SERVICES.failed(
            site,
            f"namespace {site.namespace} has other Services with names that Skupper needs: {listed}",
            then=hints.kubectl(site, f"get service {' '.join(objects.name(item) for item in foreign)} --show-labels"),
        )
    ]


def own_names(topology: Topology, snapshot: Snapshot) -> Finding:
    """Whether no other topology of hzlink in the namespace uses the same names."""
    error = sharing.clash(topology, snapshot)
    if error is None:
        return OWN_NAMES.passed(snapshot.site)
    return OWN_NAMES.failed(
        snapshot.site, error.message, subject=error.subject or "", said=error.said, then=error.next_step or ""
    )


def _is_known(service: Object, topology: Topology) -> bool:
    # A Service that Skupper made for the Listener of another topology has another name in this label.
    listener = objects.labels(service).get(conditions.OF_LISTENER)
    if listener is not None:
        return listener == topology.service
    return bool(objects.owner_uids(service, "Site")) or objects.is_ours(service, topology.name)


def same_place(facts: Facts) -> list[Finding]:
    """Sites that are the same namespace, although their contexts or addresses differ.

    Namespace kube-system has a different UID in each cluster. If it may not be read, the UIDs of objects, which are
    globally unique, identify a namespace. Every namespace has objects (ConfigMap kube-root-ca.crt, ServiceAccount
    default), so this needs no rights on the namespace itself.
    """
    sites = list(facts.answers)
    seen = {site: _uids(facts.snapshots.get(site), facts.answers.get(site)) for site in sites}
    pairs = [(one, other) for number, one in enumerate(sites) for other in sites[number + 1 :]]
    same = [(one, other) for one, other in pairs if seen[one] & seen[other] or _is_one_name(facts, one, other)]
    if same:
        return [
            SAME_PLACE.failed(
                None,
                f"sites {one.name} and {other.name} are the same namespace: {one.where} and {other.where}",
                said="they contain objects with the same UIDs"
                if seen[one] & seen[other]
                else "both contexts lead to the same cluster",
            )
            for one, other in same
        ]
    existing = [site for site in sites if not _has_no_namespace(facts, site)]
    unidentified = [site.name for site in existing if not seen[site] and not facts.answers[site].cluster]
    if unidentified:
        return [
            SAME_PLACE.unknown(None, f"no object at {', '.join(unidentified)} can be read to identify the namespace")
        ]
    return [SAME_PLACE.passed(None)]


def _is_one_name(facts: Facts, one: Site, other: Site) -> bool:
    """Whether two sites have the same namespace name in the same cluster, even if the namespace does not exist."""
    clusters = {facts.answers[one].cluster, facts.answers[other].cluster}
    return one.namespace == other.namespace and len(clusters) == 1 and "" not in clusters


def _uids(snapshot: Snapshot | None, answers: Answers | None) -> set[str]:
    uids = {objects.uid(item) for item in snapshot.items} if snapshot else set()
    if answers and answers.namespace and not isinstance(answers.namespace, Unknown):
        uids.add(objects.uid(answers.namespace))
    return uids - {""}


def _has_no_namespace(facts: Facts, site: Site) -> bool:
    """Whether the site's namespace does not exist yet."""
    return site in facts.missing or facts.snapshots[site].refusal is Refusal.NO_NAMESPACE
