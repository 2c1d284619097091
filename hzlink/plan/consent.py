"""Link access of Skupper Sites of others: hzlink sets it only with consent, and `down` sets it back. Pure.

The change is recorded in an annotation of the Site, in the same write. `down` sets link access back only if it is
still as hzlink set it, and no other Site links to the Site.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hzlink.model import objects
from hzlink.model.objects import Object, Ref
from hzlink.model.topology import Topology
from hzlink.observe.snapshot import Snapshot

ANNOTATION = "hzlink.io/enabled-link-access"
"""Annotation with the topology, the former value of spec.linkAccess (null: none was set), and the value set."""


def value(topology: Topology) -> str:
    """The link access that hzlink sets on a Site that has to issue."""
    return topology.settings.link_access.in_site


def patch(topology: Topology, site: Object) -> Object:
    """The merge patch that enables link access and records that."""
    before, new = objects.spec(site).get("linkAccess"), value(topology)
    record = json.dumps({"topology": topology.name, "before": before, "set": new})
    return {"metadata": {"annotations": {ANNOTATION: record}}, "spec": {"linkAccess": new}}


@dataclass(frozen=True)
class Restore:
    """What `down` does with a Site whose link access hzlink enabled, in words.

    `patch` None: nothing, for the reason in `text`.
    """

    ref: Ref
    text: str
    patch: Mapping[str, Any] | None = None


def restore(topology: Topology, snapshot: Snapshot, own: Collection[str]) -> Restore | None:
    """How to set link access back; None if hzlink did not enable it for this topology.

    `own`: the names that hzlink gives to Links.
    """
    for site in snapshot.of("Site"):
        record = _record(site)
        if record.get("topology") == topology.name:
            return _restore(site, record, own)
    return None


def hand_over(topology: Topology, snapshot: Snapshot, heir: str) -> Restore | None:
    """Leaves link access as it is, for a topology whose `down` sets it back; None if hzlink did not enable it."""
    for site in snapshot.of("Site"):
        record = _record(site)
        if record.get("topology") == topology.name:
            text = f"linkAccess stays {record.get('set')}, for topology {heir}"
            marks = {ANNOTATION: json.dumps({**record, "topology": heir})}
            return Restore(objects.ref(site), text, {"metadata": {"annotations": marks}})
    return None


def _restore(site: Object, record: Mapping[str, Any], own: Collection[str]) -> Restore:
    ref, unmark = objects.ref(site), {"metadata": {"annotations": {ANNOTATION: None}}}
    now, before = objects.spec(site).get("linkAccess"), record.get("before")
    if now != record.get("set"):
        text = f"linkAccess stays {now or 'none'}, because it was changed after hzlink had set it; its annotation goes"
        return Restore(ref, text, unmark)
    if others := other_links(site, own):
        text = f"linkAccess stays {now}, because Links of others lead to this Site: {', '.join(others)}"
        return Restore(ref, text)
    return Restore(
        ref, f"linkAccess back to {before or 'none'}, as before hzlink", {**unmark, "spec": {"linkAccess": before}}
    )


def _record(site: Object) -> Mapping[str, Any]:
    annotations = (site.get("metadata") or {}).get("annotations") or {}
    try:
        found = json.loads(annotations.get(ANNOTATION) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def other_links(site: Object, own: Collection[str]) -> list[str]:
    """The Links of other Sites to this one, as NAME of SITE, that are not this topology's."""
    listed = objects.status(site).get("network")
    entries = [entry for entry in (listed if isinstance(listed, list) else []) if isinstance(entry, dict)]
    return sorted(
        f"{link.get('name')} of {entry.get('name')}"
        for entry in entries
        for link in entry.get("links") or []
        # A Site with several routers has Links NAME-1 and NAME-2.
        if link.get("remoteSiteId") == objects.uid(site)
        and not {str(link.get("name")), str(link.get("name")).rpartition("-")[0]} & set(own)
    )
