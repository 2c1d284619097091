"""`hzlink up`: sets up the topology. Safe to repeat; continues an interrupted run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from hzlink.apply import lock
from hzlink.apply.runner import run_steps
from hzlink.apply.steps.context import Run
from hzlink.checks import app_namespaces
from hzlink.checks.names import foreign_site
from hzlink.checks.preflight import Preflight
from hzlink.commands.settling import Settler
from hzlink.config import former_hub, last_run
from hzlink.config.resolve import Config
from hzlink.linking import token_file
from hzlink.model.choices import Mode
from hzlink.model.errors import ExitStatus, HzlinkError
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.existing_members import NOT_ASKED, Advertised
from hzlink.model.topology import Site, Topology
from hzlink.observe import known_clusters, openshift, same_cluster
from hzlink.observe.app_namespaces import with_apps
from hzlink.observe.snapshot import ALL_KINDS, OBSERVE_DEADLINE_SECONDS, Snapshot, Snapshots, observe_all
from hzlink.observe.with_members import observe_topology
from hzlink.plan import (
    app_steps,
    hub,
    hub_steps,
    link_host,
    link_host_steps,
    manifests,
    planner,
    scaling,
    sharing,
    upgrade,
)
from hzlink.plan.planner import Action, Step, Wanted
from hzlink.plan.upgrade import Restart
from hzlink.programs import repeating
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import Refusal
from hzlink.render import result
from hzlink.render.result import Result
from hzlink.report import report

Confirm = Callable[[Sequence[str]], bool]


async def up(
    config: Config,
    emit: Emit,
    *,
    create_namespace: bool = False,
    dry_run: bool = False,
    skip_check: bool = False,
    force_unlock: bool = False,
    force_conflicts: bool = False,
    repair: bool = False,
    confirm: Confirm = lambda _: True,
) -> Result:
    """Observes, plans, checks, applies, waits, and reports. With `dry_run`, it ends after the plan.

    `force_unlock`: take the lock from another run. `force_conflicts`: replace values that other managers have set.
    `confirm`: called with the consequences if all members must be stopped; if it returns False, nothing is changed.
    """
    async with Preflight(config, wanted=not (skip_check or dry_run)) as preflight:
        options = _Options(create_namespace, dry_run, force_unlock, force_conflicts, repair, confirm, Settler())
        return await _up(config, emit, preflight, options)


@dataclass(frozen=True)
class _Options:
    """The options of this run."""

    create_namespace: bool
    dry_run: bool
    force_unlock: bool
    force_conflicts: bool
    repair: bool
    confirm: Confirm
    settler: Settler


async def _up(config: Config, emit: Emit, preflight: Preflight, options: _Options) -> Result:
    topology, until = config.topology, time.monotonic() + config.timeout
    repeating.tell(emit)
    emit(Event(Mark.NOTE, _headline(topology)))
    token_file.sweep()
    manifests.sweep()
    rendering = _Rendering(topology)
    observation = await _observe(config, options, rendering)
    topology = observation.topology
    if observation.errors:
        return result.of_errors("up", observation.errors)
    if options.dry_run:
        return Result("up", steps=tuple(observation.steps))
    if observation.steps and (errors := await _check(preflight, observation, emit)):
        return result.of_errors("up", errors)
    if observation.restart and not _agreed(options.confirm, observation.restart, topology):
        return Result("up", ExitStatus.FAILED, notes=("nothing was changed",))
    notes = (*_notes(topology), *observation.notes)
    if not observation.steps:
        await lock.remove_ended_run(topology)
        _record(config, topology, await preflight.clusters(), is_left=_is_left(topology, observation.snapshots))
        emit(Event(Mark.SKIP, "already up: nothing to do, nothing written"))
        # Nothing was changed, so the first observation is current.
        current = {site: observation.snapshots[site] for site in topology.sites}
        return result.verdict("up", report.make(topology, current), notes=(*notes, "nothing written"))
    for note in notes:
        emit(Event(Mark.NOTE, note))
    run = Run(topology, observation.snapshots, emit, until)
    # The Lease needs the cluster site's namespace.
    await run_steps(
        run, [step for step in observation.steps if step.key == planner.key(topology.cluster, Action.NAMESPACE)]
    )
    if run.errors:
        return result.of_errors("up", run.errors)
    async with lock.held(topology, lock.Terms("up", until, options.force_unlock), emit):
        # Observe again: another run may have changed objects before this run got the lock.
        created = topology.cluster in observation.missing
        observation = await _observe(config, options, rendering, created=created)
        topology = observation.topology
        if observation.errors:
            return result.of_errors("up", observation.errors)
        for note in (new := [note for note in observation.notes if note not in notes]):
            emit(Event(Mark.NOTE, note))
        notes += tuple(new)
        run = Run(
            topology, observation.snapshots, emit, until, force_conflicts=options.force_conflicts, repair=options.repair
        )
        await run_steps(run, observation.steps)
    is_left = not run.errors and _is_left(topology, observation.snapshots)
    _record(config, topology, await preflight.clusters(), is_left=is_left)
    snapshots = await with_apps(topology, await observe_topology(topology, evidence=True))
    seen = report.make(topology, snapshots)
    if run.errors:
        return Result("up", run.errors[0].status, seen, tuple(run.errors), notes=notes)
    return result.verdict("up", seen, notes=notes)


def _is_left(topology: Topology, snapshots: Snapshots) -> bool:
    """Whether a run without errors has removed what is at the former hub, so that the next one needs not to know it."""
    former = topology.former_hub
    return former is not None and (snapshots[former].error is None or snapshots[former].refusal is Refusal.NO_NAMESPACE)


def _record(config: Config, topology: Topology, clusters: Mapping[Site, str], *, is_left: bool) -> None:
    """Records the run and its clusters, with the current number of members, with which the next run renders.

    `is_left`: the former hub is left.
    """
    found, expected = topology.settings.members, config.topology.settings.members
    values = known_clusters.record(config, clusters)
    scaled = topology.found is None and found != expected
    values = {key: value for key, value in values.items() if not (is_left and key == former_hub.KEY)}
    last_run.save(values | ({"members": found} if scaled else {}), config.cluster_namespace)


def _agreed(confirm: Confirm, restart: Restart, topology: Topology) -> bool:
    """Whether all members may be stopped. Adds the cluster site to an error of `confirm`."""
    try:
        return confirm(restart.lines)
    except HzlinkError as error:
        error.site, error.subject = topology.cluster.name, f"StatefulSet {topology.workload}"
        raise


@dataclass(frozen=True)
class _Observation:
    """The result of an observation: errors, otherwise steps. `missing`: sites whose namespace will be created.

    `restart`: set if all members must be stopped. `topology` has the settings with values from the cluster, such as the
    number of members; `notes` explain these values.
    """

    topology: Topology
    snapshots: Snapshots
    errors: list[HzlinkError]
    steps: list[Step]
    missing: frozenset[Site] = frozenset()
    restart: Restart | None = None
    notes: tuple[str, ...] = ()
    advertised: Advertised = NOT_ASKED


async def _check(preflight: Preflight, seen: _Observation, emit: Emit) -> list[HzlinkError]:
    return await preflight.errors(seen.topology, seen.snapshots, emit, seen.missing, seen.advertised)


async def _observe(config: Config, options: _Options, rendering: _Rendering, *, created: bool = False) -> _Observation:
    """Observes all sites and makes the plan. Writes nothing.

    `created`: the cluster site's namespace was just created.
    """
    topology = config.topology
    deadline = min(OBSERVE_DEADLINE_SECONDS, config.timeout)
    snapshots = dict(await observe_topology(topology, ALL_KINDS, deadline, managed=True))
    snapshots |= await _former_hub(topology, deadline)
    missing = {site for site in topology.sites if snapshots[site].refusal is Refusal.NO_NAMESPACE}
    if options.create_namespace:
        snapshots |= {site: Snapshot(site) for site in missing}
    else:
        missing = set()
    snapshots = dict(await with_apps(topology, snapshots, deadline, managed=True))
    errors = [error for site in topology.sites if (error := snapshots[site].error) is not None]
    # This is not only a check, which can be skipped: hzlink never changes objects that it did not make.
    if not errors:
        topology = link_host.with_current(topology, snapshots)
        foreign = [foreign_site(topology, snapshots, site) for site in topology.sites]
        errors += [finding.error for finding in foreign if finding.is_fatal]
        errors += [clash for site in topology.sites if (clash := sharing.clash(topology, snapshots[site]))]
        errors += [*hub.unknown_hub_errors(topology, snapshots), *link_host_steps.errors(topology, snapshots)]
    errors += [none] if not errors and (none := scaling.no_members(topology, snapshots)) else []
    if errors:
        rendering.cancel()
        return _Observation(topology, snapshots, errors, [])
    settled = await options.settler.settled(await same_cluster.with_link_access(topology, snapshots), snapshots)
    topology = settled.topology
    taken = [one for site in topology.sites for one in app_namespaces.at_site(topology, snapshots, site)]
    if errors := [*errors, *(one.error for one in taken if one.is_fatal)]:
        rendering.cancel()
        return _Observation(topology, snapshots, errors, [])
    notes = (*settled.notes, *_number_of_members(config.topology, topology), *_former_hub_notes(topology, snapshots))
    if topology.found is None and (users := await _assigned_users(topology.cluster, snapshots, created)):
        topology = replace(topology, settings=replace(topology.settings, assigned_users=True))
        notes += (openshift.describe(topology.cluster, users),)
    wanted = await rendering.wanted(topology, snapshots)
    steps = planner.make(topology, wanted, snapshots, frozenset(missing), repair=options.repair)
    steps = link_host_steps.added(topology, snapshots, app_steps.added(topology, snapshots, steps))
    steps = hub_steps.added(topology, snapshots, steps)
    notes += link_host_steps.notes(topology, snapshots, steps)
    cluster = topology.cluster
    workload = next((item for item in wanted[cluster] if item["kind"] == "StatefulSet"), None)
    stops = any(step.action is Action.STOP for step in steps)
    restart = upgrade.restart_for(topology, workload, snapshots[cluster]) if stops else None
    return _Observation(topology, snapshots, [], steps, frozenset(missing), restart, notes, settled.advertised)


async def _former_hub(topology: Topology, deadline: float) -> Snapshots:
    """The observation of the hub that the topology no longer has. If it cannot be read, the run goes on without it."""
    if topology.former_hub is None:
        return {}
    return await observe_all([topology.former_hub], ALL_KINDS, deadline, managed=True)


def _former_hub_notes(topology: Topology, snapshots: Snapshots) -> tuple[str, ...]:
    """Why hzlink's Site at the former hub remains, if it does."""
    former = topology.former_hub
    if former is None:
        return ()
    snapshot = snapshots[former]
    if snapshot.error is not None and snapshot.refusal is not Refusal.NO_NAMESPACE:
        return (f"{former.name}, the former hub, cannot be read: hzlink's Site there remains until `hzlink up` can",)
    if users := hub_steps.users_of(topology, snapshot):
        text = f"its Site remains, because Links of others lead to it: {', '.join(users)}"
        return (f"{former.name}, the former hub: {text}",)
    return ()


async def _assigned_users(cluster: Site, snapshots: Snapshots, created: bool) -> str:
    """The range of user IDs for the members' pods; empty for none. The pods of client sites set no user ID."""
    if created:
        return await openshift.wait_for_range(Kubectl(cluster))
    return await openshift.assigned_users(snapshots[cluster])


# For each site: the name of its Skupper Site, and whether other sites link to it.
_Parts = dict[Site, tuple[str, bool]]


def _usual_rendering(topology: Topology) -> _Parts:
    """The parts for a new topology, which usually remain valid."""
    host = topology.settings.link_host
    return {site: (site.name, host is None and site is topology.target) for site in topology.sites}


class _Rendering:
    """The wanted objects of each site. Rendered during the observation, and again if the assumed parts were wrong."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._parts = _usual_rendering(topology)
        self._rendering = asyncio.create_task(_render(topology, self._parts))

    async def wanted(self, topology: Topology, snapshots: Snapshots) -> Wanted:
        """The wanted objects for the observed state, for the topology with its number of members and link access."""
        issuers = set(planner.issuers(topology, snapshots).values()) - {*link_host_steps.used_at(topology, snapshots)}
        parts = {
            site: (
                planner.skupper_name(site, snapshots),
                site in issuers or sharing.needs_link_access(topology, snapshots[site]),
            )
            for site in topology.sites
        }
        wanted = await self._rendering
        if (topology, parts) != (self._topology, self._parts):
            self._topology, self._parts = topology, parts
            self._rendering = asyncio.create_task(_render(topology, parts))
            wanted = await self._rendering
        return wanted

    def cancel(self) -> None:
        """Cancels rendering."""
        self._rendering.cancel()


async def _render(topology: Topology, parts: _Parts) -> Wanted:
    rendered = await asyncio.gather(*(manifests.render(topology, site, *part) for site, part in parts.items()))
    return dict(zip(parts, rendered, strict=True))


def _headline(topology: Topology) -> str:
    def place(site: Site) -> str:
        return f"{site.name} (context {site.context}, namespace {site.namespace})"

    clients = ", ".join(place(client) for client in topology.clients)
    plural = "s" if len(topology.clients) > 1 else ""
    hub = f"; hub {place(topology.hub)}" if topology.hub else ""
    return f"topology {topology.name}: cluster site {place(topology.cluster)}; client site{plural} {clients}{hub}"


def _number_of_members(options: Topology, found: Topology) -> tuple[str, ...]:
    """The note if the StatefulSet's number of members is used instead of the configured one."""
    if found.found is not None or options.settings.members == found.settings.members:
        return ()
    number = found.settings.members
    return (f"members: {number}, as StatefulSet {found.workload} is scaled (--members sets another number)",)


def _notes(topology: Topology) -> tuple[str, ...]:
    if topology.settings.mode is Mode.UNISOCKET:
        why = "because Management Center does not support a single connection"
        return (f"unisocket: {topology.mancenter} is left out, {why}",)
    if not topology.has_mancenter:
        return (f"no-mancenter: {topology.mancenter} is left out (--mancenter adds it)",)
    return ()
