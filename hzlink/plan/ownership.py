"""Which fields of an object hzlink has set, by the API server's own record of it. Pure.

`metadata.managedFields` has an entry for each manager, with a tree of the fields that it has set: `f:NAME` for a field,
`k:{"name":"x"}` for the item of a list with that key, an empty tree for all below
(https://kubernetes.io/docs/reference/using-api/server-side-apply/).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hzlink.model.objects import Object
from hzlink.model.topology import MANAGER

FINGERPRINT = "hzlink.io/fingerprint"
"""The annotation with a digest of what hzlink applied."""

Owned = Mapping[str, Any] | None
"""What of a part is hzlink's: a tree, an empty one for all of it; None for nothing."""


def of(item: Object) -> Owned:
    """What of an object hzlink has applied; all of it where the object does not say whose anything is."""
    metadata = item.get("metadata")
    entries = metadata.get("managedFields") if isinstance(metadata, Mapping) else None
    if not isinstance(entries, list):
        return {}
    for entry in entries:
        if isinstance(entry, Mapping) and (entry.get("manager"), entry.get("operation")) == (MANAGER, "Apply"):
            fields = entry.get("fieldsV1")
            return fields if isinstance(fields, Mapping) else {}
    return None


def applied_last(wanted: Object, live: Object) -> bool:
    """Whether hzlink's last apply of the object was of exactly what is wanted now, by its fingerprint.

    False for an object without the record of who has set what.
    """
    metadata = live.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("managedFields"), list):
        return False
    mark = _fingerprint(wanted)
    return mark is not None and mark == _fingerprint(live) and of(live) is not None


def _fingerprint(item: Object) -> Any:
    metadata = item.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    return annotations.get(FINGERPRINT) if isinstance(annotations, Mapping) else None


def field(owned: Owned, name: str) -> Owned:
    """What of a part's field is hzlink's."""
    return _below(owned, f"f:{name}")


def item(owned: Owned, key: str, value: Any) -> Owned:
    """What of a list's item, the one with that value of its key, is hzlink's."""
    for name in owned or ():
        if name.startswith("k:") and _keys(name).get(key) == value:
            return _below(owned, name)
    return owned if not owned else None


def _below(owned: Owned, name: str) -> Owned:
    if not owned:
        return owned
    found = owned.get(name)
    return found if isinstance(found, Mapping) else None


def _keys(name: str) -> Mapping[str, Any]:
    try:
        found = json.loads(name.removeprefix("k:"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}
