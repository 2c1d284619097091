"""Checks whether the names can be made in the application namespaces. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from hzlink.checks import rights
from hzlink.checks.needed_rights import Right
from hzlink.checks.records import Answers, Check, Finding, Unknown
from hzlink.model.choices import Role
from hzlink.model.topology import Site, Topology
from hzlink.observe.app_namespaces import place
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.plan import app_names
from hzlink.programs import hints
from hzlink.programs.refusals import Refusal

APP_NAMESPACES = Check(
    "app-namespaces",
    "the application namespaces exist, and no other Service there has a name that clients call",
    "name another namespace with --app-namespace",
    deadline=15.0,
)
# The folder of the bundled Role, and its key among the needed rights.
ROLE = "app-namespace"


def at_site(topology: Topology, snapshots: Snapshots, site: Site) -> list[Finding]:
    """A finding for each application namespace of a site. `topology` has the current number of members."""
    return [_finding(topology, snapshots, site, app) for app in snapshots[site].apps]


def _finding(topology: Topology, snapshots: Snapshots, site: Site, app: Snapshot) -> Finding:
    namespace, error = app.site.namespace, app.error
    if namespace not in topology.app_namespaces(site):
        if error is None or app.refusal is Refusal.NO_NAMESPACE:
            return APP_NAMESPACES.passed(site, f"`up` removes the names from namespace {namespace}")
        text = f"the names cannot be removed from namespace {namespace}: {error.message}"
        return APP_NAMESPACES.failed(site, text, said=error.said, then=error.next_step or "")
    if app.refusal is Refusal.NO_NAMESPACE:
        then = hints.cluster_wide(site, f"create namespace {namespace}")
        return APP_NAMESPACES.failed(site, f"application namespace {namespace} does not exist", then=then)
    if error is not None:
        return APP_NAMESPACES.failed(site, error.message, said=error.said, then=error.next_step or "")
    if site.role is Role.CLUSTER and not app_names.has_pod_names(topology):
        text = f"the members have no names of their own in the cluster of {site.name}, which needs a StatefulSet"
        then = f"leave out --app-namespace {site.name}/{namespace}"
        return APP_NAMESPACES.failed(site, text, subject=topology.workload_title, then=then)
    names = app_names.members(topology, topology.settings.mode, topology.member_names)
    targets = app_names.targets(topology, site, namespace, snapshots[topology.cluster], names)
    if taken := app_names.foreign(topology, app, tuple(targets)):
        show = hints.kubectl(app.site, f"get service {' '.join(taken)} --show-labels")
        return APP_NAMESPACES.failed(
            site,
            f"application namespace {namespace} has Services of these names already: {', '.join(taken)}",
            said="hzlink did not make them there and does not change them",
            then=f"{show}   (rename them, or use other names: --service)",
        )
    return APP_NAMESPACES.passed(site, f"namespace {namespace} exists; its names are free")


def rights_at(topology: Topology, site: Site, answers: Answers, needed: Iterable[Right]) -> list[Finding]:
    """The findings on rights in each application namespace of a site."""
    listed = tuple(needed)
    unread = Unknown("not asked")
    return [
        rights.of_review(place(site, one), answers.app_reviews.get(one, unread), listed, (ROLE,))
        for one in topology.app_namespaces(site)
    ]
