"""`hzlink link`: links sites that already run, or repairs their link. Changes nothing else."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from hzlink.apply import lock
from hzlink.apply.runner import run_steps
from hzlink.apply.steps.context import Run
from hzlink.config.resolve import Config
from hzlink.linking import token_file
from hzlink.model.errors import HzlinkError, PrerequisiteError
from hzlink.model.events import Emit, Event, Mark, ignore
from hzlink.model.topology import Topology
from hzlink.observe.app_namespaces import with_apps
from hzlink.observe.snapshot import OBSERVE_DEADLINE_SECONDS, Snapshots, observe_all
from hzlink.plan import hub, link_host, link_steps, scaling
from hzlink.plan.planner import Step
from hzlink.programs import hints, repeating
from hzlink.render import result
from hzlink.render.result import Result
from hzlink.report import report, site_status


async def link(
    config: Config, emit: Emit, *, dry_run: bool = False, force_unlock: bool = False, repair: bool = False
) -> Result:
    """Links every client site that is not linked, and waits until the members' names exist.

    `repair`: also repair what Skupper has lost. `dry_run`: return the steps and change nothing.
    """
    topology, until = config.topology, time.monotonic() + config.timeout
    repeating.tell(emit)
    token_file.sweep()
    observation = await _observe(config, emit, repair)
    topology = observation.topology
    if observation.errors:
        return result.of_errors("link", observation.errors)
    if dry_run:
        return Result("link", steps=tuple(observation.steps))
    if not observation.steps:
        await lock.remove_ended_run(topology)
        seen = report.make(topology, await with_apps(topology, observation.snapshots))
        return result.verdict("link", seen, notes=("nothing written",))
    async with lock.held(topology, lock.Terms("link", until, force_unlock), emit):
        # Observe again: another run may have changed objects before this run got the lock.
        observation = await _observe(config, ignore, repair)
        topology = observation.topology
        if observation.errors:
            return result.of_errors("link", observation.errors)
        run = Run(topology, observation.snapshots, emit, until, repair=repair)
        await run_steps(run, observation.steps)
    snapshots = await observe_all(topology.sites, evidence=True)
    seen = report.make(topology, await with_apps(topology, snapshots))
    if run.errors:
        return Result("link", run.errors[0].status, seen, tuple(run.errors))
    return result.verdict("link", seen)


@dataclass(frozen=True)
class _Observation:
    """The result of an observation, and its steps. `topology` has the current number of members and mode."""

    topology: Topology
    snapshots: Snapshots
    errors: list[HzlinkError]
    steps: list[Step]


async def _observe(config: Config, emit: Emit, repair: bool) -> _Observation:
    deadline = min(OBSERVE_DEADLINE_SECONDS, config.timeout)
    snapshots = await observe_all(config.topology.sites, deadline=deadline, evidence=True)
    errors = _errors(snapshots) or [*hub.switch_errors(config.topology, snapshots)]
    errors += [none] if not errors and (none := scaling.no_members(config.topology, snapshots)) else []
    topology = link_host.with_current(scaling.with_current_members(config.topology, snapshots), snapshots)
    mode = site_status.mode_of(topology, snapshots)
    topology = replace(topology, settings=replace(topology.settings, mode=mode))
    if errors:
        return _Observation(topology, snapshots, errors, [])
    steps = link_steps.make(topology, snapshots, repair=repair)
    for site in link_steps.are_linked(topology, steps):
        emit(Event(Mark.SKIP, f"already linked to {topology.target.name}", site.name))
    return _Observation(topology, snapshots, [], steps)


def _errors(snapshots: Snapshots) -> list[HzlinkError]:
    errors = [snapshot.error for snapshot in snapshots.values() if snapshot.error is not None]
    errors += [
        PrerequisiteError(
            f"there is no Skupper Site in namespace {site.namespace} of context {site.context}",
            site=site.name,
            next_step=f"{hints.hzlink('up')}   (see: {hints.kubectl(site, 'get sites.skupper.io')})",
        )
        for site, snapshot in snapshots.items()
        if snapshot.error is None and snapshot.skupper_site is None
    ]
    return errors
