"""Finds the fields in which a live object differs from the wanted one. Pure.

Only fields that the manifests set are compared. Defaults of the API server and fields of other managers are ignored,
and so are items that others added to a list (a policy engine's environment variable): an apply would not change them.
So hzlink needs no dry run of an apply, which counts as a write, to see that an object is unchanged.

A value that admission control changed while hzlink applied it (another registry, higher requests) is not a difference:
admission would change it again. It is recognized by managedFields, where the field is still hzlink's, and by the
fingerprint of the wanted object. Whoever changes a field later becomes its manager.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from hzlink.model.objects import Object
from hzlink.plan import ownership
from hzlink.plan.ownership import Owned

# The fields that identify items of a list. The API server merges lists by the same fields.
_KEYS = ("name", "containerPort", "port", "mountPath", "topologyKey", "ip")

_SUFFIXES: dict[str, int | str] = {
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "m": "0.001",
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
}


def drift(wanted: Object, live: Object | None) -> list[str]:
    """Paths of the fields that differ, such as `spec.replicas`; empty if the live object is as wanted.

    The live object's `metadata.managedFields` show who added additional items of a list. Without managedFields, they
    count as items that hzlink applied earlier.
    """
    if live is None:
        return ["not found"]
    return list(_differences(wanted, live, "", ownership.of(live), ownership.applied_last(wanted, live)))


# Not part of the fingerprint (`manifests.stamped`), so the fingerprint does not show a change of this field.
_NOT_IN_FINGERPRINT = "spec.replicas"


def _differences(wanted: Any, live: Any, path: str, ours: Owned, applied: bool) -> list[str]:
    """The differences below a path. `applied`: hzlink's last apply was of what is wanted now."""
    if applied and ours is not None and not ours and path != _NOT_IN_FINGERPRINT:
        # hzlink applied the wanted value and is still the field's manager: admission control changed the value.
        return []
    if isinstance(wanted, Mapping):
        if not isinstance(live, Mapping):
            # The API server may drop an empty mapping. Admission control removed a mapping that hzlink applied.
            return [] if (not wanted and live is None) or (applied and ours is not None) else [path]
        return [
            found
            for key, value in wanted.items()
            for found in _differences(
                value, live.get(key), f"{path}.{key}" if path else str(key), ownership.field(ours, key), applied
            )
        ]
    if isinstance(wanted, list):
        return _list_differences(wanted, live, path, ours, applied)
    return [] if wanted == live or _quantity(wanted) == _quantity(live) is not None else [path]


def _list_differences(wanted: list[Any], live: Any, path: str, ours: Owned, applied: bool) -> list[str]:
    if not wanted and live is None:
        return []
    if applied and isinstance(live, list) and (key := _key_of(wanted)):
        return _item_differences(wanted, _by_key(live, key), key, path, ours, applied)
    if not isinstance(live, list) or len(live) < len(wanted):
        return [path]
    key = _key_of(wanted)
    by_key = _by_key(live, key) if key else {}
    if len(live) > len(wanted) and (len(by_key) < len(live) or _has_former_items(wanted, by_key, key, ours)):
        return [path]
    if key:
        return _item_differences(wanted, by_key, key, path, ours, applied)
    return [
        found
        for number, (want, have) in enumerate(zip(wanted, live, strict=True))
        for found in _differences(want, have, f"{path}[{number}]", ours, applied)
    ]


def _key_of(items: list[Any]) -> str:
    """The field that identifies the items; empty if there is none."""
    return next((key for key in _KEYS if _distinguishes(key, items)), "")


def _by_key(items: list[Any], key: str) -> dict[Any, Any]:
    return {item.get(key): item for item in items if _distinguishes(key, [item])}


def _item_differences(
    wanted: list[Any], live: Mapping[Any, Any], key: str, path: str, ours: Owned, applied: bool
) -> list[str]:
    return [
        found
        for want in wanted
        for found in _differences(
            want, live.get(want[key]), f"{path}[{want[key]}]", ownership.item(ours, key, want[key]), applied
        )
    ]


def _has_former_items(wanted: list[Any], live: Mapping[Any, Any], key: str, ours: Owned) -> bool:
    """Whether there are items that hzlink applied before and no longer wants: an apply would remove them."""
    others = live.keys() - {item[key] for item in wanted}
    return any(ownership.item(ours, key, other) is not None for other in others)


def _distinguishes(key: str, items: list[Any]) -> bool:
    """Whether all items have that field with different values (the ports 53 of TCP and UDP have equal ones)."""
    if not items or not all(isinstance(item, Mapping) and key in item for item in items):
        return False
    values = [item[key] for item in items]
    return all(isinstance(value, (str, int)) for value in values) and len(set(values)) == len(values)


def _quantity(value: Any) -> Decimal | None:
    """A Kubernetes quantity as a number, so that 0.5 and 500m are the same; None for anything else."""
    if not isinstance(value, (int, str)) or isinstance(value, bool):
        return None
    text = str(value)
    suffix = next((end for end in _SUFFIXES if text.endswith(end)), "")
    try:
        number = Decimal(text.removesuffix(suffix)) * Decimal(_SUFFIXES.get(suffix, 1))
    except InvalidOperation:
        return None
    # Decimal accepts "sNaN", which cannot be compared.
    return number if number.is_finite() else None
