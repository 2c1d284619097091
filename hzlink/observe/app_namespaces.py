"""Adds the application namespaces to the observations of their sites: a call for each, and none without the option."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from hzlink.model import app_namespaces
from hzlink.model.topology import Site, Topology
from hzlink.observe.snapshot import OBSERVE_DEADLINE_SECONDS, Snapshot, Snapshots, observe
from hzlink.programs.refusals import Refusal


def place(site: Site, namespace: str) -> Site:
    """An application namespace as a place for kubectl."""
    return replace(site, namespace=namespace)


async def with_apps(
    topology: Topology, snapshots: Snapshots, deadline: float = OBSERVE_DEADLINE_SECONDS, *, managed: bool = False
) -> Snapshots:
    """The snapshots with `apps`: the Services in the namespaces of the settings and of earlier runs.

    A site that could not be read has none. See `observe` for `managed`.
    """
    listed = [(site, one) for site, snapshot in snapshots.items() for one in _namespaces(topology, snapshot)]
    if not listed:
        return snapshots
    found = await asyncio.gather(
        *(observe(place(site, namespace), ("Service",), deadline, managed=managed) for site, namespace in listed)
    )
    apps: dict[Site, tuple[Snapshot, ...]] = {}
    for (site, _), app in zip(listed, found, strict=True):
        apps[site] = (*apps.get(site, ()), app)
    return {site: replace(snapshot, apps=apps.get(site, ())) for site, snapshot in snapshots.items()}


# The application namespaces can be read although the site's objects cannot.
_PARTLY_READABLE = (Refusal.NO_NAMESPACE, Refusal.NO_DEFINITIONS)


def _namespaces(topology: Topology, snapshot: Snapshot) -> tuple[str, ...]:
    if snapshot.error is not None and snapshot.refusal not in _PARTLY_READABLE:
        return ()
    earlier = app_namespaces.recorded(snapshot.items, topology.service, topology.name)
    return tuple(dict.fromkeys((*topology.app_namespaces(snapshot.site), *earlier)))
