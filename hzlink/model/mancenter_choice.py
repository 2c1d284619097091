"""Whether a client site is without Management Center by choice. Pure.

`up --no-mancenter` annotates the Listener (`manifests/components/no-mancenter`), so that `status` does not miss
Management Center on a machine that has no record of that `up`.
"""

from __future__ import annotations

from hzlink.model.objects import Object
from hzlink.model.topology import Topology

ANNOTATION, NONE = "hzlink.io/management-center", "none"


def is_left_out(topology: Topology, listener: Object | None) -> bool:
    """Whether there is to be no Management Center: by the site's Listener, or by the settings if there is none."""
    if listener is None:
        return not topology.settings.mancenter
    annotations = (listener.get("metadata") or {}).get("annotations") or {}
    return bool(annotations.get(ANNOTATION) == NONE)
