"""What `status --wait` waits for, judged from one observation of all sites. Pure."""

from __future__ import annotations

from hzlink.model import objects
from hzlink.model.choices import Goal
from hzlink.model.conditions import Condition, State
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.programs.refusals import Refusal
from hzlink.report.report import Report


def condition(goal: Goal, report: Report, snapshots: Snapshots) -> Condition:
    """Whether the goal is reached, and if not, what is in its way."""
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
    """The objects of hzlink, and those that Skupper made from them. A site that cannot be read may not be empty."""
    name = snapshot.site.name
    if snapshot.refusal is Refusal.NO_NAMESPACE:
        return ""
    if snapshot.error is not None:
        return f"{name}: {snapshot.error.message}"
    ours = [item for item in snapshot.items if objects.is_ours(item, topology_name)]
    made = [item for item in snapshot.items if objects.owner_uids(item, "Site")]
    there = sorted({str(objects.ref(item)) for item in [*ours, *made]})
    more = f" and {len(there) - _MAX_NAMED} more" if len(there) > _MAX_NAMED else ""
    return f"{name}: {', '.join(there[:_MAX_NAMED])}{more}" if there else ""


# So many of the objects that are left are named.
_MAX_NAMED = 5
