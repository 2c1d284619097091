"""Plans the steps of `up` that remove Links which the topology no longer has, and the Site of its former hub. Pure.

They follow the steps that link, so traffic always has a way. A Site that others still link to keeps its link access
until then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hzlink.model import objects
from hzlink.model.objects import RESOURCES, Object, Ref
from hzlink.model.topology import Site, Topology
from hzlink.observe import links
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.plan import consent, hub, sharing, teardown
from hzlink.plan.planner import Action, Step

_AFTER = (Action.NAMES, Action.MANCENTER)


def added(topology: Topology, snapshots: Snapshots, steps: Sequence[Step]) -> list[Step]:
    """The steps with those that unlink. Unchanged if no Link is to be removed and no hub is left."""
    found = hub.removable_links(topology, snapshots)
    linking = frozenset(step.key for step in steps if step.action is Action.LINK)
    closing = {step.site: site for step in steps if (site := _closed(step, snapshots))} if found else {}
    new = [
        _unlink(site, found.get(site, []), closing.get(site), linking)
        for site in topology.sites
        if site in found or site in closing
    ]
    former = topology.former_hub
    if former is not None and (refs := _refs_at(topology, snapshots, former)):
        why = f"the hub is no longer used: {', '.join(map(str, refs))}"
        new.append(Step(Action.LEAVE, former, why, linking | {step.key for step in new}, refs=refs))
    if not new:
        return list(steps)
    kept = [one for step in steps if (one := _without(step, closing.get(step.site)))]
    needs = frozenset(step.key for step in new)
    return [*(replace(one, needs=one.needs | needs) if one.action in _AFTER else one for one in kept), *new]


def _closed(step: Step, snapshots: Snapshots) -> Object | None:
    """The Site that a step would apply without link access, while it has one."""
    live = objects.spec(snapshots[step.site].skupper_site or {}) if step.action is Action.APPLY else {}
    if live.get("linkAccess") in (None, "", "none"):
        return None
    sites = (item for item in step.items if item["kind"] == "Site")
    return next((one for one in sites if objects.spec(one).get("linkAccess") in (None, "", "none")), None)


def _without(step: Step, item: Object | None) -> Step | None:
    """The step without an object to apply; None if nothing is left."""
    if item is None or step.action is not Action.APPLY:
        return step
    items = tuple(one for one in step.items if one is not item)
    why = ", ".join(f"{one['kind']} {objects.name(one)}" for one in items)
    return replace(step, items=items, why=why) if items else None


def _unlink(site: Site, found: Sequence[Object], closed: Object | None, needs: frozenset[str]) -> Step:
    """`refs`: the tokens, Links and Secrets to delete; `items`: the Site, if nothing links to it any more."""
    tokens = sorted({links.token_of(link) for link in found})
    refs = (
        *(Ref(RESOURCES["AccessToken"], name) for name in tokens),
        *map(objects.ref, found),
        *(Ref(RESOURCES["Secret"], name) for name in tokens),
    )
    texts = [f"Link {objects.name(link)} is no longer needed" for link in found]
    texts += [f"Site {objects.name(closed)} gets linkAccess none"] if closed is not None else []
    return Step(Action.UNLINK, site, ", ".join(texts), needs, items=() if closed is None else (closed,), refs=refs)


def with_hub(topology: Topology, former: Site) -> Topology:
    """The topology with its former hub, for the removal of what is there."""
    return replace(topology, hub=former, former_hub=None)


def _refs_at(topology: Topology, snapshots: Snapshots, former: Site) -> tuple[Ref, ...]:
    """What is to be removed at the former hub; nothing if it cannot be read, or if others link to its Site."""
    snapshot = snapshots.get(former)
    if snapshot is None or snapshot.error is not None or users_of(topology, snapshot):
        return ()
    handover = sharing.handovers(with_hub(topology, former), snapshots)[former]
    refs = teardown.make(with_hub(topology, former), snapshot, handover.refs, handover.heir).refs
    return (*refs, *handover.refs)


def users_of(topology: Topology, snapshot: Snapshot) -> list[str]:
    """The Links of others to hzlink's Site at the former hub, as NAME of SITE."""
    own = {links.name_for(topology.name, objects.name(site)) for site in snapshot.of("Site")}
    ours = (site for site in snapshot.of("Site") if objects.is_ours(site, topology.name))
    return [text for site in ours for text in consent.other_links(site, own)]
