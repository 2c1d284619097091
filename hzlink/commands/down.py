"""`hzlink down`: removes the objects that hzlink made and no others, waits for the deletion, and checks the result."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from hzlink.apply import lock
from hzlink.config import last_run
from hzlink.config.resolve import Config
from hzlink.linking import token_file
from hzlink.model import objects
from hzlink.model.choices import Role
from hzlink.model.errors import ExitStatus, HzlinkError, UsageError, WaitTimeout
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.objects import Ref
from hzlink.model.topology import Site, Topology, labels
from hzlink.observe import known_clusters
from hzlink.observe.app_namespaces import with_apps
from hzlink.observe.foreign_objects import foreign_objects
from hzlink.observe.known_clusters import Moved
from hzlink.observe.snapshot import ALL_KINDS, OBSERVE_DEADLINE_SECONDS, Snapshot, Snapshots, observe_all
from hzlink.plan import app_steps, foreign, sharing, teardown
from hzlink.plan.consent import Restore
from hzlink.plan.sharing import Handover
from hzlink.plan.teardown import Teardown
from hzlink.programs import hints
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import KubectlError, Refusal
from hzlink.render import result
from hzlink.render.result import Result
from hzlink.verify import verdict_file

Confirm = Callable[[Sequence[str]], bool]


@dataclass(frozen=True)
class _Removal:
    site: Site
    teardown: Teardown
    namespace: bool
    handover: Handover = field(default_factory=Handover)
    namespace_stays: bool = False
    app: bool = False

    @property
    def name(self) -> str:
        """The site's name, for the list; with the namespace if it is an application namespace."""
        return f"{self.site.name} (namespace {self.site.namespace})" if self.app else self.site.name

    @property
    def lines(self) -> list[str]:
        """The list for the user, a line for each object."""
        lines = [f"{self.name}: {target}" for target in self.teardown.refs if target != objects.SKUPPER_LEASE]
        restore = self.teardown.restore
        if restore is not None and restore.patch is not None:
            lines.append(f"{self.site.name}: {restore.ref}: {restore.text}")
        return [*lines, f"{self.site.name}: namespace/{self.site.namespace}"] if self.namespace else lines


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
    topology, until = config.topology, time.monotonic() + config.timeout
    sites = _chosen(topology, only)
    token_file.sweep()
    snapshots, moved = await asyncio.gather(
        _observe(sites, min(OBSERVE_DEADLINE_SECONDS, config.timeout)),
        known_clusters.moved(config, sites, only_new_entries=False),
    )
    if moved and not other_cluster:
        return result.of_errors("down", [_refused(one) for one in moved])
    errors = [snapshot.error for snapshot in snapshots.values() if snapshot.error and not _is_empty(snapshot)]
    if errors:
        return result.of_errors("down", [_with_hint(error, topology, sites) for error in errors])
    if not config.named:
        _refuse_several(topology, snapshots)
    snapshots = await with_apps(topology, snapshots, min(OBSERVE_DEADLINE_SECONDS, config.timeout))
    apps, unread = _app_removals(topology, snapshots)
    if unread:
        return result.of_errors("down", unread)
    handovers = sharing.handovers(topology, snapshots)
    removals = await asyncio.gather(*(_removal(topology, snapshots[site], handovers[site]) for site in sites))
    lines = [line for removal in (*apps, *removals) for line in removal.lines]
    # If the cluster site is left out, or if its namespace does not exist, there is no Lease to take.
    lockless = topology.cluster not in sites or _is_empty(snapshots[topology.cluster])
    if not lines:
        if not lockless and await lock.exists(topology):
            async with lock.held(topology, lock.Terms("down", until, force_unlock), emit):
                pass  # releasing the lock removes the Lease
        if not only:
            _forget(config)
        return Result("down", removed=(), notes=("no objects of hzlink were found",))
    if not confirm(lines):
        return Result("down", ExitStatus.FAILED, removed=(), notes=("nothing was removed",))
    until = time.monotonic() + config.timeout
    async with lock.held(topology, lock.Terms("down", until, force_unlock, optional=lockless), emit):
        removals = await _with_current_handover(topology, removals, snapshots)
        lines = [line for removal in (*apps, *removals) for line in removal.lines]
        # First the names in application namespaces: the objects of their site say where they are.
        failed = await _each(_remove, apps, until, emit)
        unclean = {error.site for error in failed}
        failed += await _each(_remove, [one for one in removals if one.site.name not in unclean], until, emit)
    # After the lock was released, because the Lease was in one of the namespaces.
    emptied = [one for one in removals if one.namespace and one.site.name not in {error.site for error in failed}]
    failed += await _each(_remove_namespace, emptied, until, emit)
    left = await _left(topology, removals)
    if left:
        failed.append(
            HzlinkError(
                f"not removed: {', '.join(left)}",
                next_step=f"{hints.hzlink('down')}   (or see: {hints.hzlink('status')})",
                said=None,
            )
        )
    if failed:
        return result.of_errors("down", failed)
    if not only:
        _forget(config)
    kept = [f"{one.site.name}: {restore.ref}: {restore.text}" for one in removals if (restore := _unrestored(one))]
    shared = [note for removal in removals for note in _handed_over(topology, removal, snapshots[removal.site])]
    left_by = "hzlink" if not shared else f"topology {topology.name}"
    notes = (f"removed: no objects of {left_by} are left", *shared, *kept, *_kept(topology, snapshots))
    return Result("down", removed=tuple(lines), notes=notes)


def _refuse_several(topology: Topology, snapshots: Snapshots) -> None:
    """Raises if the user gave no name, and may mean another topology than the one of the last `up`."""
    names = [one.name for one in sharing.candidates(topology, snapshots)] if topology.cluster in snapshots else []
    if names and names != [topology.name]:
        raise sharing.ambiguous("down", names, "nothing was removed")


def _unrestored(removal: _Removal) -> Restore | None:
    """The link access of a Site of others that `down` does not set back."""
    restore = removal.teardown.restore
    return restore if restore is not None and restore.patch is None else None


def _kept(topology: Topology, snapshots: Snapshots) -> list[str]:
    """A note for each Skupper Site that remains because hzlink did not make it."""
    found = [(site.name, snapshot.skupper_site) for site, snapshot in snapshots.items()]
    return [
        f"{name}: Skupper Site {objects.name(skupper_site)} and its own Links remain: hzlink did not make them"
        for name, skupper_site in found
        if skupper_site is not None and not sharing.is_made_by_hzlink(skupper_site)
    ]


def _handed_over(topology: Topology, removal: _Removal, snapshot: Snapshot) -> list[str]:
    """A note if the site's Skupper Site remains for another topology."""
    other = removal.handover.heir or foreign.other_topology(topology, snapshot.skupper_site)
    if not other or snapshot.skupper_site is None:
        return []
    return [f"{removal.site.name}: Skupper Site {objects.name(snapshot.skupper_site)} remains for topology {other}"]


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


def _app_removals(topology: Topology, snapshots: Snapshots) -> tuple[list[_Removal], list[HzlinkError]]:
    """What to remove in application namespaces, and the errors of those that exist but cannot be read."""
    # Those in the namespace of a site are removed with the site.
    apps = [app for site, one in snapshots.items() for app in one.apps if app.site.namespace != site.namespace]
    unread = [app.error for app in apps if app.error is not None and not _is_empty(app)]
    found = [(app, app_steps.removable(topology, app)) for app in apps]
    return [_Removal(app.site, Teardown((refs,), (), ()), False, app=True) for app, refs in found if refs], unread


async def _removal(topology: Topology, snapshot: Snapshot, handover: Handover) -> _Removal:
    plan = teardown.make(topology, snapshot, handover.refs, handover.heir)
    if _is_empty(snapshot):
        return _Removal(snapshot.site, plan, False)
    try:
        namespace = await Kubectl(snapshot.site).namespace()
    except KubectlError:
        # `up --create-namespace` needs the right to read namespaces, so hzlink did not create this one.
        namespace = None
    ours = namespace is not None and objects.is_ours(namespace, topology.name)
    stays = ours and bool(handover.heir)
    return _Removal(snapshot.site, plan, ours and not stays, handover, stays)


async def _with_current_handover(topology: Topology, removals: list[_Removal], snapshots: Snapshots) -> list[_Removal]:
    """The same removals, without what another topology needs now: its run may have ended before this one had the lock.

    Raises:
        HzlinkError: a site cannot be read.
    """
    now = await _observe([removal.site for removal in removals], OBSERVE_DEADLINE_SECONDS)
    if error := next((one.error for one in now.values() if one.error and not _is_empty(one)), None):
        raise error
    handovers = sharing.handovers(topology, now)
    if all(handovers[one.site] == one.handover for one in removals):
        return removals
    return await asyncio.gather(*(_removal(topology, snapshots[one.site], handovers[one.site]) for one in removals))


async def _each(
    removing: Callable[[_Removal, float, Emit], Awaitable[None]], removals: Sequence[_Removal], until: float, emit: Emit
) -> list[HzlinkError]:
    """Runs `removing` for each site in parallel, and returns the errors."""

    async def one(removal: _Removal) -> HzlinkError | None:
        try:
            await removing(removal, until, emit)
        except HzlinkError as error:
            error.site = error.site or removal.site.name
            emit(Event(Mark.FAIL, error.message, removal.site.name))
            return error
        return None

    return [error for error in await asyncio.gather(*(one(removal) for removal in removals)) if error]


async def _remove(removal: _Removal, until: float, emit: Emit) -> None:
    """Removes the objects of a site, stage by stage."""
    site, plan = removal.site, removal.teardown
    kubectl, began = Kubectl(site), time.monotonic()

    def tell(text: str) -> None:
        emit(Event(Mark.OK, text, site.name, elapsed=time.monotonic() - began))

    # First, so that an interrupted run leaves no Site that belongs to a topology without objects.
    await _hand_over(kubectl, removal, emit)
    for stage in plan.stages:
        await kubectl.delete(stage)
        if any(target.resource == objects.RESOURCES["Site"] for target in stage):
            await _gone(kubectl, (*stage, *plan.dependents), until, "the objects that Skupper made for the Site")
            tell("unlinked; the Skupper Site and its objects are removed")
    if plan.restore is not None and plan.restore.patch is not None:
        await kubectl.patch(plan.restore.ref, plan.restore.patch)
        tell(f"Site {plan.restore.ref.name}: {plan.restore.text}")
    if plan.pods:
        text = "1 pod is terminating" if len(plan.pods) == 1 else f"{len(plan.pods)} pods are terminating"
        text += "; each member first moves its data to the others" if site.role is Role.CLUSTER else ""
        emit(Event(Mark.NOTE, text, site.name))
    await _gone(kubectl, (*plan.refs, *plan.derived, *plan.pods), until, "the workload")
    if plan.refs:
        tell(f"{len(removal.lines)} objects removed")


async def _hand_over(kubectl: Kubectl, removal: _Removal, emit: Emit) -> None:
    """Gives what stays the label of a topology that uses it."""
    site, marks = removal.site, {"metadata": {"labels": labels(removal.handover.heir)}}
    for target in removal.handover.refs:
        await kubectl.patch(target, marks)
    if removal.namespace_stays:
        try:
            await kubectl.patch(Ref(objects.RESOURCES["Namespace"], site.namespace), marks)
        except KubectlError as error:
            if error.refusal is not Refusal.FORBIDDEN:
                raise
            text = f"you may not label namespace {site.namespace}, so the last `down` will not remove it"
            emit(Event(Mark.WARN, text, site.name))


async def _gone(kubectl: Kubectl, targets: Sequence[Ref], until: float, what: str) -> None:
    began = time.monotonic()
    if not await kubectl.wait_gone(targets, max(1.0, until - began)):
        raise WaitTimeout(
            f"timed out waiting for the deletion of {what}",
            site=kubectl.site.name,
            waited=time.monotonic() - began,
            next_step=hints.kubectl(kubectl.site, "get all,sites.skupper.io"),
        )


async def _remove_namespace(removal: _Removal, until: float, emit: Emit) -> None:
    """Removes the namespace, unless it contains objects of other users."""
    site = removal.site
    kubectl = Kubectl(site)
    foreign = await foreign_objects(kubectl)
    if foreign:
        text = f"namespace {site.namespace} is not removed: it has objects of others: {', '.join(foreign[:8])}"
        emit(Event(Mark.WARN, text, site.name))
        return
    target = Ref(objects.RESOURCES["Namespace"], site.namespace)
    await kubectl.delete([target])
    await _gone(kubectl, [target], until, f"namespace {site.namespace}")
    emit(Event(Mark.OK, f"namespace {site.namespace} removed", site.name))


async def _left(topology: Topology, removals: Sequence[_Removal]) -> list[str]:
    """The remaining objects of hzlink, and those that Skupper made from them."""
    snapshots = await _observe([removal.site for removal in removals], OBSERVE_DEADLINE_SECONDS)
    left = []
    for removal in removals:
        snapshot = snapshots[removal.site]
        present = {objects.ref(item) for item in snapshot.items}
        ours = {objects.ref(item) for item in snapshot.items if objects.is_ours(item, topology.name)}
        remaining = ours | present & {*removal.teardown.refs, *removal.teardown.dependents, *removal.teardown.derived}
        left += [f"{removal.site.name}: {target}" for target in sorted(remaining)]
    return left
