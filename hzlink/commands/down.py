"""`hzlink down`: removes the objects that hzlink made and no others, waits for the deletion, and checks the result."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from hzlink.apply import lock, removal
from hzlink.apply.removal import Removal
from hzlink.config import last_run
from hzlink.config.resolve import Config
from hzlink.linking import token_file
from hzlink.model import conditions, objects
from hzlink.model.errors import ExitStatus, HzlinkError, UsageError
from hzlink.model.events import Emit
from hzlink.model.topology import Site, Topology
from hzlink.observe import known_clusters
from hzlink.observe.app_namespaces import with_apps
from hzlink.observe.known_clusters import Moved
from hzlink.observe.snapshot import ALL_KINDS, OBSERVE_DEADLINE_SECONDS, Snapshot, Snapshots, observe_all
from hzlink.plan import app_steps, foreign, leftovers, sharing
from hzlink.plan.consent import Restore
from hzlink.plan.teardown import Teardown
from hzlink.programs import hints, repeating
from hzlink.programs.refusals import Refusal
from hzlink.render import result
from hzlink.render.result import Result
from hzlink.verify import verdict_file

Confirm = Callable[[Sequence[str]], bool]


async def down(
    config: Config,
    emit: Emit,
    confirm: Confirm,
    *,
    only: Sequence[str] = (),
    force_unlock: bool = False,
    other_cluster: bool = False,
) -> Result:
    """Lists the objects, asks, removes them, waits, and observes again. FAILED if objects remain, with their names.

    Args:
        config: the configuration.
        emit: gets the progress events.
        confirm: called with the list; if it returns False, nothing is changed.
        only: names of the sites to remove; empty for all. For a topology with a site that no longer exists.
        force_unlock: take the lock from another run.
        other_cluster: continue even if a context leads to another cluster than at the last `up`.
    """
    # An interrupted `up` may not have removed the Site of its former hub.
    config = replace(config, topology=_with_former_hub(config.topology))
    topology = config.topology
    sites = _chosen(topology, only)
    repeating.tell(emit)
    token_file.sweep()
    decided = await _decide(config, sites, other_cluster)
    if isinstance(decided, Result):
        return decided
    # If the cluster site is left out, or if its namespace does not exist, there is no Lease to take.
    lockless = topology.cluster not in sites or _is_empty(decided.snapshots[topology.cluster])
    if not decided.lines:
        if not lockless and await lock.exists(topology):
            async with lock.held(topology, lock.Terms("down", _until(config), force_unlock), emit):
                pass  # releasing the lock removes the Lease
        if not only:
            _forget(config)
        return Result("down", removed=(), notes=("no objects of hzlink were found",))
    if not confirm(decided.lines):
        return Result("down", ExitStatus.FAILED, removed=(), notes=("nothing was removed",))
    until = _until(config)
    async with lock.held(topology, lock.Terms("down", until, force_unlock, optional=lockless), emit):
        decided = await _with_current_handover(topology, decided)
        failed = await _remove_objects(decided, until, emit)
    # After the lock was released, because the Lease was in one of the namespaces.
    failed += await _remove_namespaces(decided, {error.site for error in failed}, until, emit)
    failed += await _left(topology, decided.removals)
    if failed:
        return result.of_errors("down", failed)
    if not only:
        _forget(config)
    return Result("down", removed=tuple(decided.lines), notes=_notes(topology, decided))


def _with_former_hub(topology: Topology) -> Topology:
    former = topology.former_hub
    return topology if former is None or topology.hub is not None else replace(topology, hub=former, former_hub=None)


def _until(config: Config) -> float:
    return time.monotonic() + config.timeout


@dataclass(frozen=True)
class _Decision:
    """What is removed: the names in application namespaces (`apps`), then the objects of the sites (`removals`)."""

    snapshots: Snapshots
    apps: Sequence[Removal]
    removals: Sequence[Removal]

    @property
    def lines(self) -> list[str]:
        """The list for the user, a line for each object."""
        return [line for removal in (*self.apps, *self.removals) for line in removal.lines]


async def _decide(config: Config, sites: Sequence[Site], other_cluster: bool) -> _Decision | Result:
    """What is to be removed at the sites; the command's result if that cannot be said. Writes nothing."""
    topology, deadline = config.topology, min(OBSERVE_DEADLINE_SECONDS, config.timeout)
    snapshots, moved = await asyncio.gather(
        _observe(sites, deadline), known_clusters.moved(config, sites, only_new_entries=False)
    )
    if moved and not other_cluster:
        return result.of_errors("down", [_refused(one) for one in moved])
    errors = [snapshot.error for snapshot in snapshots.values() if snapshot.error and not _is_empty(snapshot)]
    if errors:
        return result.of_errors("down", [_with_hint(error, topology, sites) for error in errors])
    if not config.named:
        _refuse_several(topology, snapshots)
    snapshots = await with_apps(topology, snapshots, deadline)
    apps, unread = _app_removals(topology, snapshots)
    if unread:
        return result.of_errors("down", unread)
    handovers = sharing.handovers(topology, snapshots)
    granted = leftovers.grants(topology, snapshots.values())
    planned = (removal.plan(topology, snapshots[site], handovers[site], granted) for site in sites)
    removals = await asyncio.gather(*planned)
    return _Decision(snapshots, apps, removals)


async def _remove_objects(decided: _Decision, until: float, emit: Emit) -> list[HzlinkError]:
    # First the names in application namespaces: the objects of their site say where they are.
    failed = await removal.each(removal.remove, decided.apps, until, emit)
    unclean = {error.site for error in failed}
    rest = [one for one in decided.removals if one.site.name not in unclean]
    return failed + await removal.each(removal.remove, rest, until, emit)


async def _remove_namespaces(
    decided: _Decision, failed: Collection[str | None], until: float, emit: Emit
) -> list[HzlinkError]:
    emptied = [one for one in decided.removals if one.namespace and one.site.name not in failed]
    return await removal.each(removal.remove_namespace, emptied, until, emit)


def _notes(topology: Topology, decided: _Decision) -> tuple[str, ...]:
    found = [(one, restore) for one in decided.removals if (restore := _unrestored(one))]
    kept = [f"{one.site.name}: {restore.ref}: {restore.text}" for one, restore in found]
    shared = [note for one in decided.removals for note in _handed_over(topology, one, decided.snapshots[one.site])]
    left_by = "hzlink" if not shared else f"topology {topology.name}"
    kept += [note for one in decided.removals if (note := _still_reachable(one, decided.snapshots[one.site]))]
    return (f"removed: no objects of {left_by} are left", *shared, *kept, *_kept(topology, decided.snapshots))


def _refuse_several(topology: Topology, snapshots: Snapshots) -> None:
    """Raises if the user gave no name, and may mean another topology than the one of the last `up`."""
    names = [one.name for one in sharing.candidates(topology, snapshots)] if topology.cluster in snapshots else []
    if names and names != [topology.name]:
        raise sharing.ambiguous("down", names, "nothing was removed")


def _unrestored(removed: Removal) -> Restore | None:
    """The link access of a Site of others that `down` does not set back."""
    restore = removed.teardown.restore
    return restore if restore is not None and restore.patch is None else None


def _still_reachable(removed: Removal, snapshot: Snapshot) -> str:
    """A note if a Site of others is without link access again, but keeps its address: Skupper removes none (tried)."""
    restore = removed.teardown.restore
    spec = (restore.patch or {}).get("spec") if restore is not None else None
    access = snapshot.get("RouterAccess", conditions.ROUTER)
    if spec is None or spec.get("linkAccess") not in (None, "", "none") or access is None:
        return ""
    command = hints.kubectl(removed.site, f"delete {objects.ref(access)}")
    return f"{removed.site.name}: Skupper keeps the address that link access gave the Site; to remove it: {command}"


def _kept(topology: Topology, snapshots: Snapshots) -> list[str]:
    """A note for each Skupper Site that remains because hzlink did not make it."""
    found = [(site.name, snapshot.skupper_site) for site, snapshot in snapshots.items()]
    return [
        f"{name}: Skupper Site {objects.name(skupper_site)} and its own Links remain: hzlink did not make them"
        for name, skupper_site in found
        if skupper_site is not None and not sharing.is_made_by_hzlink(skupper_site)
    ]


def _handed_over(topology: Topology, removed: Removal, snapshot: Snapshot) -> list[str]:
    """A note if the site's Skupper Site remains for another topology."""
    other = removed.handover.heir or foreign.other_topology(topology, snapshot.skupper_site)
    if not other or snapshot.skupper_site is None:
        return []
    return [f"{removed.site.name}: Skupper Site {objects.name(snapshot.skupper_site)} remains for topology {other}"]


def _refused(moved: Moved) -> HzlinkError:
    """The error for a cluster that is not the one of the last `up`: its objects may belong to another topology."""
    return UsageError(
        moved.text,
        site=moved.site.name,
        said=moved.evidence,
        next_step=f"{hints.hzlink('down --other-cluster')}   (if you mean this cluster; otherwise use another context)",
    )


def _forget(config: Config) -> None:
    last_run.forget(config.record, config.cluster_namespace)
    verdict_file.forget(config.topology)


async def _observe(sites: Sequence[Site], deadline: float) -> Snapshots:
    """Observes the sites; without Skupper's kinds if Skupper is already uninstalled."""
    snapshots = dict(await observe_all(sites, ALL_KINDS, deadline))
    bare = [site for site in sites if snapshots[site].refusal is Refusal.NO_DEFINITIONS]
    core = [kind for kind in ALL_KINDS if not objects.RESOURCES[kind].endswith(".skupper.io")]
    return snapshots | dict(await observe_all(bare, core, deadline))


def _chosen(topology: Topology, only: Sequence[str]) -> list[Site]:
    known = {site.name: site for site in topology.sites}
    for name in only:
        if name not in known:
            raise UsageError(f"there is no site {name!r} in this topology", said=f"sites: {', '.join(known)}")
    return [site for name, site in known.items() if not only or name in only]


def _is_empty(snapshot: Snapshot) -> bool:
    return snapshot.refusal is Refusal.NO_NAMESPACE


def _with_hint(error: HzlinkError, topology: Topology, sites: Sequence[Site]) -> HzlinkError:
    others = [site.name for site in topology.sites if site.name != error.site]
    if len(sites) > 1 and others:
        error.next_step = (
            f"{error.next_step}   (if that site no longer exists: {hints.hzlink(f'down --site {others[0]}')})"
        )
    return error


def _app_removals(topology: Topology, snapshots: Snapshots) -> tuple[list[Removal], list[HzlinkError]]:
    """What to remove in application namespaces, and the errors of those that exist but cannot be read."""
    # Those in the namespace of a site are removed with the site.
    apps = [app for site, one in snapshots.items() for app in one.apps if app.site.namespace != site.namespace]
    unread = [app.error for app in apps if app.error is not None and not _is_empty(app)]
    found = [(app, app_steps.removable(topology, app)) for app in apps]
    return [Removal(app.site, Teardown((refs,), (), ()), False, app=True) for app, refs in found if refs], unread


async def _with_current_handover(topology: Topology, decided: _Decision) -> _Decision:
    """The same, without what another topology needs now: its run may have ended before this one had the lock.

    Raises:
        HzlinkError: a site cannot be read.
    """
    removals = decided.removals
    now = await _observe([one.site for one in removals], OBSERVE_DEADLINE_SECONDS)
    if error := next((one.error for one in now.values() if one.error and not _is_empty(one)), None):
        raise error
    handovers = sharing.handovers(topology, now)
    if all(handovers[one.site] == one.handover for one in removals):
        return decided
    granted = leftovers.grants(topology, decided.snapshots.values())
    planned = (removal.plan(topology, decided.snapshots[one.site], handovers[one.site], granted) for one in removals)
    return replace(decided, removals=await asyncio.gather(*planned))


async def _left(topology: Topology, removals: Sequence[Removal]) -> list[HzlinkError]:
    """The error that names the remaining objects of hzlink, and those that Skupper made from them; none if none is."""
    snapshots = await _observe([one.site for one in removals], OBSERVE_DEADLINE_SECONDS)
    left = []
    for one in removals:
        snapshot = snapshots[one.site]
        present = {objects.ref(item) for item in snapshot.items}
        ours = {objects.ref(item) for item in snapshot.items if objects.is_ours(item, topology.name)}
        remaining = ours | present & {*one.teardown.refs, *one.teardown.dependents, *one.teardown.derived}
        left += [f"{one.site.name}: {target}" for target in sorted(remaining)]
    next_step = f"{hints.hzlink('down')}   (or see: {hints.hzlink('status')})"
    return [HzlinkError(f"not removed: {', '.join(left)}", next_step=next_step, said=None)] if left else []
