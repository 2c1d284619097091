"""Reads which fields of an object hzlink manages, from its managedFields. Pure.

`metadata.managedFields` has an entry for each manager, with a tree of the fields that it manages: `f:NAME` for a field,
`k:{"name":"x"}` for the item of a list with that key, an empty tree for everything below
(https://kubernetes.io/docs/reference/using-api/server-side-apply/).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hzlink.model.objects import Object
from hzlink.model.topology import MANAGER

FINGERPRINT = "hzlink.io/fingerprint"
"""The annotation with a digest of the object that hzlink applied."""

Owned = Mapping[str, Any] | None
"""The fields that hzlink manages in a part of an object: a tree; an empty tree for all fields, None for none."""


def of(item: Object) -> Owned:
    """The fields that hzlink manages in an object; all fields if the object has no managedFields."""
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
    """Whether hzlink's last apply of the object was of exactly the wanted object, by its fingerprint.

    False for an object without managedFields.
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
    """The fields that hzlink manages in a field of a part."""
    return _below(owned, f"f:{name}")


def item(owned: Owned, key: str, value: Any) -> Owned:
    """The fields that hzlink manages in the item of a list whose `key` has that value."""
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
