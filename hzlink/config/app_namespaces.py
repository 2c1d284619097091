"""Checks the values of --app-namespace against the sites. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from hzlink.config import naming, same_place
from hzlink.config.kubeconfig import Context
from hzlink.model.choices import Role
from hzlink.model.errors import UsageError
from hzlink.model.topology import Site, Topology

_FORM = "--app-namespace NAMESPACE (at every client site) or --app-namespace SITE/NAMESPACE"


def validate(topology: Topology, contexts: Mapping[Site, Context]) -> None:
    """Refuses values that name no namespace, or in which the names would collide.

    Raises:
        UsageError: an unknown site, a bad name, a site's own namespace, or one namespace for two sites.
    """
    entries = topology.settings.app_namespaces
    known = {site.name: site for site in topology.sites}
    for entry in entries:
        at, slash, namespace = entry.rpartition("/")
        if not naming.is_label(namespace):
            raise UsageError(f"--app-namespace {entry!r} is not a namespace's name", next_step=_FORM)
        if slash and at not in known:
            raise UsageError(f"--app-namespace {entry!r}: there is no site {at!r}", said=f"sites: {', '.join(known)}")
    places = [(site, namespace) for site in topology.sites for namespace in topology.app_namespaces(site)]
    for site, namespace in places:
        _refuse_sites_namespace(site, namespace, contexts)
    _refuse_shared(places, contexts)


def _refuse_sites_namespace(site: Site, namespace: str, contexts: Mapping[Site, Context]) -> None:
    """Refuses the namespace of a site. Beside the members, it is what the user asks for."""
    if namespace == site.namespace:
        if site.role is Role.CLUSTER:
            return
        raise UsageError(
            f"--app-namespace {namespace}: it is the namespace of site {site.name}",
            said="the names work there without this option",
        )
    for other in contexts:
        if other.namespace == namespace and same_place.is_same(contexts[site], contexts[other]):
            raise UsageError(
                f"--app-namespace {namespace}: it is the namespace of site {other.name}, in the cluster of {site.name}",
                said="the same names have another meaning there",
            )


def _refuse_shared(places: Sequence[tuple[Site, str]], contexts: Mapping[Site, Context]) -> None:
    for (one, namespace), (other, same) in combinations(places, 2):
        if namespace == same and same_place.is_same(contexts[one], contexts[other]):
            raise UsageError(
                f"--app-namespace {namespace}: it cannot have the names of sites {one.name} and {other.name}",
                said="both sites are in one cluster",
                next_step=f"name one of them: --app-namespace {one.name}/{namespace}",
            )
