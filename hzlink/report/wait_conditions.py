"""Decides from one observation whether the goal of `status --wait` is reached. Pure."""

from __future__ import annotations

from hzlink.model import objects
from hzlink.model.choices import Goal
from hzlink.model.conditions import Condition, State
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.programs.refusals import Refusal
from hzlink.report.report import Report


def condition(goal: Goal, report: Report, snapshots: Snapshots) -> Condition:
    """Whether the goal is reached, and the reason if not."""
    if goal is Goal.GONE:
        return _gone(report, snapshots)
    if goal is Goal.LINKED:
        apart = [f"{link.client.name}: {link.condition.text}" for link in report.links if not link.condition.ok]
        return Condition(State.WAITING if apart else State.OK, "; ".join(apart))
    if report.blame is None:
        return Condition(State.OK)
    blame = report.blame
    return Condition(State.WAITING, f"{blame.blamed}: {blame.condition.text}")


def _gone(report: Report, snapshots: Snapshots) -> Condition:
    left = [text for site in report.topology.sites if (text := _left(report.topology.name, snapshots[site]))]
    return Condition(State.WAITING if left else State.OK, "; ".join(left))


def _left(topology_name: str, snapshot: Snapshot) -> str:
    """The remaining objects of hzlink and those that Skupper made from them; for an unreadable site, its error."""
    name = snapshot.site.name
    if snapshot.refusal is Refusal.NO_NAMESPACE:
        return ""
    if snapshot.error is not None:
        return f"{name}: {snapshot.error.message}"
    ours = [item for item in snapshot.items if objects.is_ours(item, topology_name)]
    # A Skupper Site of another topology, and what Skupper made for it, remain.
    shared = {objects.uid(one) for one in snapshot.of("Site") if not objects.is_ours(one, topology_name)}
    made = [item for item in snapshot.items if (owners := objects.owner_uids(item, "Site")) and not owners & shared]
    left = sorted({str(objects.ref(item)) for item in [*ours, *made]})
    more = f" and {len(left) - _MAX_NAMED} more" if len(left) > _MAX_NAMED else ""
    return f"{name}: {', '.join(left[:_MAX_NAMED])}{more}" if left else ""


# How many remaining objects the text names.
_MAX_NAMED = 5
