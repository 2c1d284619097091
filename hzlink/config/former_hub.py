"""The hub that a topology had at its last `up` and no longer has: `up` removes what hzlink made there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The key in the record, until the hub's Site is removed.
KEY = "former_hub"


def values(recorded: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Where the former hub is: hub_ctx, hub_ns and hub_kubeconfig. Empty if there is none.

    `recorded`: the record of this topology; `chosen`: the values of this run.
    """
    current, earlier = _place(chosen), recorded.get(KEY)
    listed = (_place(recorded), _place(earlier) if isinstance(earlier, Mapping) else {})
    return next((place for place in listed if place and place != current), {})


def _place(found: Mapping[str, Any]) -> dict[str, Any]:
    if not found.get("hub_ctx"):
        return {}
    return {
        "hub_ctx": str(found["hub_ctx"]),
        "hub_ns": found.get("hub_ns") or found.get("namespace"),
        "hub_kubeconfig": found.get("hub_kubeconfig") or found.get("kubeconfig"),
    }
