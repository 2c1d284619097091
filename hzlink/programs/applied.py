"""Names the objects that a failed apply did not apply: kubectl's error does not always name them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from hzlink.model import objects as names
from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.programs import conflicts, hints
from hzlink.programs.refusals import KubectlError, Refusal

# If more objects were not applied, the error names none of them.
MAX_NAMED = 3


def naming(error: KubectlError, site: Site, applied: Sequence[Object], printed: str) -> KubectlError:
    """The error with the objects that were not applied.

    kubectl prints a line for each applied object: `statefulset.apps/hazelcast serverside-applied`.
    """
    done = {line.split(" ")[0] for line in printed.splitlines()}
    left = [item for item in applied if _output_name(item) not in done]
    if error.refusal is not Refusal.UNREACHABLE and 0 < len(left) <= MAX_NAMED:
        error.subject = ", ".join(f"{item.get('kind')} {names.name(item)}" for item in left)
    if error.refusal is Refusal.CONFLICT and left:
        error.message = conflicts.describe(error.conflicts, error.subject or "") or error.message
        command = hints.kubectl(site, f"get {names.ref(left[0])} -o yaml --show-managed-fields")
        error.next_step = f"{command}   (shows which manager sets each field)"
    return error


def _output_name(item: Object) -> str:
    """The object's name in kubectl's output of an apply."""
    group = str(item.get("apiVersion", "")).rpartition("/")[0]
    kind = str(item.get("kind", "")).lower()
    return f"{kind}.{group}/{names.name(item)}" if group else f"{kind}/{names.name(item)}"
