"""Server-side apply for `up`, which replaces values of other field managers only if the user asks for it."""

from __future__ import annotations

from collections.abc import Sequence

from hzlink.apply.steps.context import Run
from hzlink.model import objects
from hzlink.model.events import Mark
from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.programs import conflicts, hints
from hzlink.programs.conflicts import Conflict
from hzlink.programs.refusals import KubectlError, Refusal


async def apply(run: Run, site: Site, items: Sequence[Object]) -> None:
    """Applies the objects. If the user asked for it, values of other managers are replaced, with a warning.

    Raises:
        KubectlError: CONFLICT if another manager has set a field to another value; names the field and the manager.
    """
    kubectl = run.kubectl(site)
    try:
        await kubectl.apply(items)
    except KubectlError as error:
        if error.refusal is not Refusal.CONFLICT:
            raise
        if not error.conflicts or not _are_ours(run, site, items):
            raise
        if not all(_is_asked_for(run, conflict) for conflict in error.conflicts):
            show = error.next_step
            error.next_step = f"{hints.hzlink('up --force-conflicts')}   (sets hzlink's values; see: {show})"
            raise
        await kubectl.apply(items, force=True)
        run.emit_for(Mark.WARN, site, _replaced(error.conflicts, error.subject or ""))


def _are_ours(run: Run, site: Site, items: Sequence[Object]) -> bool:
    """Whether hzlink made all existing ones of the objects. If it took over another object, `down` would delete it."""
    snapshot = run.snapshot(site)
    existing = [live for item in items if (live := snapshot.get(item["kind"], objects.name(item))) is not None]
    return all(objects.is_ours(live, run.topology.name) for live in existing)


def _is_asked_for(run: Run, conflict: Conflict) -> bool:
    """Whether the user asked to set hzlink's value: of all fields, or of the number of members."""
    settings = run.topology.settings
    return run.force_conflicts or (conflict.path == conflicts.REPLICAS and settings.members_given)


def _replaced(found: Sequence[Conflict], subject: str) -> str:
    subject = f"{subject}: " if subject else ""
    parts = [f"{conflict.path}, which was set by {conflict.holder}" for conflict in found]
    again = "; an autoscaler may set it again" if any(conflict.is_autoscaler for conflict in found) else ""
    return f"{subject}replaced {'; '.join(parts)}{again}"
