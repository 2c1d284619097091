"""`hzlink up`: from two contexts to a working topology. Safe to repeat; continues an interrupted run."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from hzlink.apply import lock
from hzlink.apply.runner import run_steps
from hzlink.apply.steps.context import Run
from hzlink.checks.names import foreign_site
from hzlink.checks.preflight import Preflight
from hzlink.config import last_run
from hzlink.config.resolve import Config
from hzlink.linking import token_file
from hzlink.model.choices import Mode
from hzlink.model.errors import HzlinkError
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.topology import MANCENTER, Site, Topology
from hzlink.observe import known_clusters
from hzlink.observe.snapshot import ALL_KINDS, OBSERVE_DEADLINE, Snapshot, Snapshots, observe_all
from hzlink.plan import manifests, planner
from hzlink.plan.planner import Action, Step, Wanted
from hzlink.programs.refusals import Refusal
from hzlink.render import result
from hzlink.render.result import Result
from hzlink.report import report


async def up(
    config: Config,
    emit: Emit,
    *,
    create_namespace: bool = False,
    dry_run: bool = False,
    skip_check: bool = False,
    force_unlock: bool = False,
) -> Result:
    """Looks, plans, checks, applies, waits, and reports. With `dry_run`, it ends after the plan."""
    async with Preflight(config, wanted=not (skip_check or dry_run)) as preflight:
        return await _up(config, emit, preflight, create_namespace, dry_run, force_unlock)


async def _up(
    config: Config, emit: Emit, preflight: Preflight, create_namespace: bool, dry_run: bool, force_unlock: bool
) -> Result:
    topology, until = config.topology, time.monotonic() + config.timeout
    emit(Event(Mark.NOTE, _headline(topology)))
    token_file.sweep()
    manifests.sweep()
    rendering = _Rendering(topology)
    looked = await _look(config, create_namespace, rendering)
    if looked.errors:
        return result.of_errors("up", looked.errors)
    if dry_run:
        return Result("up", steps=tuple(looked.steps))
    if looked.steps and (errors := await preflight.errors(looked.snapshots, emit, looked.missing)):
        return result.of_errors("up", errors)
    notes = _notes(topology)
    if not looked.steps:
        await lock.drop_dead(topology)
        last_run.save(known_clusters.record(config, await preflight.clusters()))
        emit(Event(Mark.SKIP, "already up: nothing to do, nothing written"))
        # What was just seen is what is there: no second look is needed.
        return result.verdict("up", report.make(topology, looked.snapshots), notes=(*notes, "nothing written"))
    for note in notes:
        emit(Event(Mark.NOTE, note))
    run = Run(topology, looked.snapshots, emit, until)
    # The Lease needs a namespace to be in.
    await run_steps(run, [step for step in looked.steps if step.key == planner.key(topology.cluster, Action.NAMESPACE)])
    if run.errors:
        return result.of_errors("up", run.errors)
    async with lock.held(topology, lock.Terms("up", until, force_unlock), emit):
        # Observe again: another run may have changed something before this one had the lock.
        looked = await _look(config, create_namespace, rendering)
        if looked.errors:
            return result.of_errors("up", looked.errors)
        run = Run(topology, looked.snapshots, emit, until)
        await run_steps(run, looked.steps)
    last_run.save(known_clusters.record(config, await preflight.clusters()))
    seen = report.make(topology, await observe_all(topology.sites, with_log=True))
    if run.errors:
        return Result("up", run.errors[0].status, seen, tuple(run.errors), notes=notes)
    return result.verdict("up", seen, notes=notes)


@dataclass(frozen=True)
class _Observation:
    """What an observation found: errors, otherwise steps. `missing`: sites that get a namespace."""

    snapshots: Snapshots
    errors: list[HzlinkError]
    steps: list[Step]
    missing: frozenset[Site] = frozenset()


async def _look(config: Config, create_namespace: bool, rendering: _Rendering) -> _Observation:
    """Observes all sites and makes the plan. Nothing is written before this."""
    topology = config.topology
    deadline = min(OBSERVE_DEADLINE, config.timeout)
    snapshots = dict(await observe_all(topology.sites, ALL_KINDS, deadline, with_log=True, managed=True))
    missing = {site for site in topology.sites if snapshots[site].refusal is Refusal.NO_NAMESPACE}
    if create_namespace:
        snapshots |= {site: Snapshot(site) for site in missing}
    else:
        missing = set()
    errors = [snapshot.error for snapshot in snapshots.values() if snapshot.error is not None]
    # Not only a check that can be skipped: what is not hzlink's is not touched.
    foreign = [foreign_site(topology, snapshots[site]) for site in topology.sites]
    errors += [finding.error for finding in foreign if finding.is_fatal]
    if errors:
        rendering.cancel()
        return _Observation(snapshots, errors, [])
    wanted = await rendering.wanted(snapshots)
    steps = planner.make(topology, wanted, snapshots, frozenset(missing))
    return _Observation(snapshots, [], steps, frozenset(missing))


# For each site: the name of its Skupper Site, and whether the others link to it.
_Parts = dict[Site, tuple[str, bool]]


def _first_guess(topology: Topology) -> _Parts:
    """What holds where nothing is there yet, and mostly later, too."""
    return {site: (site.name, site is topology.cluster) for site in topology.sites}


class _Rendering:
    """The desired objects of each site. Rendered during the observation, and again if the first guess was wrong."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._parts = _first_guess(topology)
        self._rendering = asyncio.create_task(_render(topology, self._parts))

    async def wanted(self, snapshots: Snapshots) -> Wanted:
        """What fits what was seen."""
        issuers = set(planner.issuers(self._topology, snapshots).values())
        parts = {site: (planner.skupper_name(site, snapshots), site in issuers) for site in self._topology.sites}
        wanted = await self._rendering
        if parts != self._parts:
            self._parts = parts
            self._rendering = asyncio.create_task(_render(self._topology, parts))
            wanted = await self._rendering
        return wanted

    def cancel(self) -> None:
        """It is not needed."""
        self._rendering.cancel()


async def _render(topology: Topology, parts: _Parts) -> Wanted:
    rendered = await asyncio.gather(*(manifests.render(topology, site, *part) for site, part in parts.items()))
    return dict(zip(parts, rendered, strict=True))


def _headline(topology: Topology) -> str:
    def place(site: Site) -> str:
        return f"{site.name} (context {site.context}, namespace {site.namespace})"

    clients = ", ".join(place(client) for client in topology.clients)
    plural = "s" if len(topology.clients) > 1 else ""
    return f"topology {topology.name}: cluster site {place(topology.cluster)}; client site{plural} {clients}"


def _notes(topology: Topology) -> tuple[str, ...]:
    if topology.settings.mode is Mode.UNISOCKET:
        return (f"unisocket: {MANCENTER} is left out, as Management Center refuses to work over a single connection",)
    return ()
