"""Plans the steps that keep the names in application namespaces as wanted. Pure.

The Listener or Connector names the namespaces, and a later run finds them by that. So it is applied before the names
are made in a new namespace, and after they are removed from a former one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hzlink.model import objects
from hzlink.model.app_namespaces import is_app_name
from hzlink.model.objects import Object, Ref
from hzlink.model.topology import Site, Topology
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.plan import app_names, manifests, planner
from hzlink.plan.drift import drift
from hzlink.plan.planner import Action, Step


def added(topology: Topology, snapshots: Snapshots, steps: Sequence[Step]) -> list[Step]:
    """The steps with those for the application namespaces that were observed."""
    planned = {step.key for step in steps}
    result = list(steps)
    for site in topology.sites:
        apply = planner.key(site, Action.APPLY)
        kept = topology.app_namespaces(site)
        former: set[str] = set()
        for app in snapshots[site].apps:
            is_kept = app.site.namespace in kept
            items = wanted(topology, site, app.site.namespace, snapshots) if is_kept else []
            step = _step(topology, app, items, frozenset({apply} & planned if is_kept else ()))
            if step is not None:
                result.append(step)
                former |= set() if is_kept else {step.key}
        result = [replace(one, needs=one.needs | former) if one.key == apply else one for one in result]
    return result


def wanted(topology: Topology, site: Site, namespace: str, snapshots: Snapshots) -> list[Object]:
    """The Services that a namespace has to have, with fingerprints."""
    names = app_names.members(topology, topology.settings.mode, topology.member_names)
    targets = app_names.targets(topology, site, namespace, snapshots[topology.cluster], names)
    return [manifests.stamped(item) for item in app_names.services(topology, namespace, targets)]


def removable(topology: Topology, app: Snapshot) -> tuple[Ref, ...]:
    """All Services of hzlink in an application namespace."""
    return tuple(objects.ref(item) for item in app.items if is_app_name(item, topology.name))


def _step(topology: Topology, app: Snapshot, items: Sequence[Object], needs: frozenset[str]) -> Step | None:
    changed = tuple(item for item in items if drift(item, app.get("Service", objects.name(item))))
    keep = {objects.ref(item) for item in items}
    stale = tuple(ref for ref in removable(topology, app) if ref not in keep)
    if not changed and not stale:
        return None
    texts = [f"Service {objects.name(item)}" for item in changed]
    texts += [f"{ref} is no longer needed" for ref in stale]
    why = f"in namespace {app.site.namespace}: {', '.join(texts)}"
    return Step(Action.APP_NAMES, app.site, why, needs, items=changed, refs=stale)
