"""`hzlink up`: from two contexts to a working topology. Safe to repeat; resumes whatever was cut off."""

from __future__ import annotations

import asyncio
import time

from hzlink import manifests, plan, report, result, state
from hzlink.apply import run_steps
from hzlink.checks.names import foreign_site
from hzlink.checks.preflight import Preflight
from hzlink.choices import Mode
from hzlink.config import Config
from hzlink.errors import HzlinkError
from hzlink.events import Emit, Event, Mark
from hzlink.observe import ALL_KINDS, LOOK_DEADLINE, Snapshot, Snapshots, observe_all
from hzlink.plan import Wanted
from hzlink.refusals import Refusal
from hzlink.result import Result
from hzlink.steps.context import Run
from hzlink.topology import MANCENTER, Site, Topology


async def up(
    config: Config, emit: Emit, *, create_namespace: bool = False, dry_run: bool = False, skip_check: bool = False
) -> Result:
    """Looks, plans, checks, applies, waits, and reports. With `dry_run`, it ends after the plan."""
    async with Preflight(config, wanted=not (skip_check or dry_run)) as preflight:
        return await _up(config, emit, preflight, create_namespace, dry_run)


async def _up(config: Config, emit: Emit, preflight: Preflight, create_namespace: bool, dry_run: bool) -> Result:
    topology, until = config.topology, time.monotonic() + config.timeout
    emit(Event(Mark.NOTE, _headline(topology)))
    guessing = asyncio.create_task(_render(topology, _first_guess(topology)))
    snapshots, missing, errors = await _look(topology, create_namespace, min(LOOK_DEADLINE, config.timeout))
    if errors:
        guessing.cancel()
        return result.of_errors("up", errors)
    steps = plan.make(topology, await _wanted(topology, snapshots, guessing), snapshots, missing)
    if dry_run:
        return Result("up", steps=tuple(steps))
    if steps and (errors := await preflight.errors(snapshots, emit, missing)):
        return result.of_errors("up", errors)
    notes = _notes(topology)
    if not steps:
        state.save(config.record)
        emit(Event(Mark.SKIP, "already up: nothing to do, nothing written"))
        # What was just seen is what is there: no second look is needed.
        return result.verdict("up", report.make(topology, snapshots), notes=(*notes, "nothing written"))
    for note in notes:
        emit(Event(Mark.NOTE, note))
    run = Run(topology, snapshots, emit, until)
    await run_steps(run, steps)
    state.save(config.record)
    seen = report.make(topology, await observe_all(topology.sites))
    if run.errors:
        return Result("up", run.errors[0].status, seen, tuple(run.errors), notes=notes)
    return result.verdict("up", seen, notes=notes)


async def _look(
    topology: Topology, create_namespace: bool, deadline: float
) -> tuple[Snapshots, frozenset[Site], list[HzlinkError]]:
    """Snapshots, the sites whose namespace is to be made, and what forbids to go on. Nothing is written before this."""
    snapshots = dict(await observe_all(topology.sites, ALL_KINDS, deadline))
    missing = {site for site in topology.sites if snapshots[site].refusal is Refusal.NO_NAMESPACE}
    if create_namespace:
        snapshots |= {site: Snapshot(site) for site in missing}
    else:
        missing = set()
    errors = [snapshot.error for snapshot in snapshots.values() if snapshot.error is not None]
    # Not only a check that can be skipped: what is not hzlink's is not touched.
    foreign = [foreign_site(topology, snapshots[site]) for site in topology.sites]
    errors += [finding.error for finding in foreign if finding.is_fatal]
    return snapshots, frozenset(missing), errors


# For each site: the name of its Skupper Site, and whether the others link to it.
_Parts = dict[Site, tuple[str, bool]]


def _first_guess(topology: Topology) -> _Parts:
    """What holds where nothing is there yet, and mostly later, too."""
    return {site: (site.name, site is topology.cluster) for site in topology.sites}


async def _wanted(topology: Topology, snapshots: Snapshots, guessing: asyncio.Task[Wanted]) -> Wanted:
    """What each site gets. It was rendered while the sites were looked at; again only where the guess was wrong."""
    issuers = set(plan.issuers(topology, snapshots).values())
    parts = {site: (plan.skupper_name(site, snapshots), site in issuers) for site in topology.sites}
    wanted = await guessing
    return wanted if parts == _first_guess(topology) else await _render(topology, parts)


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
