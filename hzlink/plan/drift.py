"""Where a live object differs from what hzlink wants of it. Pure.

Only fields that the manifests set are compared: the API server's defaults and other managers' fields are theirs, and
so are the items that they added to a list of hzlink's (a policy engine's environment variable): an apply would leave
them. So an unchanged object is known without asking the server to try an apply, which would count as a write.

A value that admission control changed while hzlink applied it (another registry, higher requests) is no difference
either: it would be changed again. Admission leaves the API server's record as it is, so the field is hzlink's there,
and the fingerprint is that of what is wanted. One who changes a field later takes it over in that record.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from hzlink.model.objects import Object
from hzlink.plan import ownership
from hzlink.plan.ownership import Owned

# What tells the items of a list apart, by which the API server merges them, too.
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
    """Paths of the fields that differ, such as `spec.replicas`; empty where the live object is as wanted.

    Whose a list's additional items are is known by the live object's `metadata.managedFields`; without them, all are
    taken for hzlink's own of former days.
    """
    if live is None:
        return ["not there"]
    return list(_differences(wanted, live, "", ownership.of(live), ownership.applied_last(wanted, live)))


# Left out of the fingerprint (`manifests.stamped`), which therefore does not show who wants another number.
_NOT_IN_FINGERPRINT = "spec.replicas"


def _differences(wanted: Any, live: Any, path: str, ours: Owned, applied: bool) -> list[str]:
    """The differences below a path. `applied`: hzlink's last apply was of what is wanted now."""
    if applied and ours is not None and not ours and path != _NOT_IN_FINGERPRINT:
        # hzlink has set it, to what is wanted now, and nobody since: what is there is admission's.
        return []
    if isinstance(wanted, Mapping):
        if not isinstance(live, Mapping):
            # An empty mapping may come back as nothing at all; one that is hzlink's was taken away by admission.
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
    if len(live) > len(wanted) and (len(by_key) < len(live) or _former(wanted, by_key, key, ours)):
        return [path]
    if key:
        return _item_differences(wanted, by_key, key, path, ours, applied)
    return [
        found
        for number, (want, have) in enumerate(zip(wanted, live, strict=True))
        for found in _differences(want, have, f"{path}[{number}]", ours, applied)
    ]


def _key_of(items: list[Any]) -> str:
    """The field that tells the items apart; empty for none."""
    return next((key for key in _KEYS if _tells_apart(key, items)), "")


def _by_key(items: list[Any], key: str) -> dict[Any, Any]:
    return {item.get(key): item for item in items if _tells_apart(key, [item])}


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


def _former(wanted: list[Any], live: Mapping[Any, Any], key: str, ours: Owned) -> bool:
    """Whether there are items that hzlink has set once and does not want any more: an apply takes them away."""
    others = live.keys() - {item[key] for item in wanted}
    return any(ownership.item(ours, key, other) is not None for other in others)


def _tells_apart(key: str, items: list[Any]) -> bool:
    """Whether each item has that field, with a value of its own (the ports 53 of TCP and UDP have not)."""
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
    # "sNaN" is a number to Decimal, one that cannot even be compared.
    return number if number.is_finite() else None
