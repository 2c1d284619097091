"""`hzlink verify`: verifies by traffic that each client site's Services lead to every member by name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from hzlink.config.resolve import Config
from hzlink.model import conditions, objects
from hzlink.model.choices import Mode
from hzlink.model.errors import ExitStatus, HzlinkError, WaitTimeout
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.topology import Site, Topology
from hzlink.observe.snapshot import OBSERVE_DEADLINE_SECONDS, STATUS_KINDS, Snapshots
from hzlink.observe.with_members import observe_topology
from hzlink.programs import hints
from hzlink.programs.tasks import together
from hzlink.render import result
from hzlink.render.result import Result
from hzlink.report import report
from hzlink.report.report import Report
from hzlink.verify import cluster_names, member_client, saved_verdict, verdict_file
from hzlink.verify.endpoints import forwarded
from hzlink.verify.proof import Outcome, SiteProof
from hzlink.verify.site_proof import Plan, verify_site

# How much earlier than the command's limit a wait for a pod ends, so that its error says what it waited for.
GIVE_UP_SECONDS_BEFORE_END = 0.5

Prove = Callable[[Plan], Awaitable[SiteProof]]


async def verify(config: Config, emit: Emit, *, cluster_name: str | None = None, in_cluster: bool = False) -> Result:
    """DONE if every name leads to its member and the member stores data, otherwise FAILED, PREREQUISITE or TIMEOUT.

    Writes a new map to the members and removes it. `in_cluster`: a Job at each client site calls the members, instead
    of hzlink through forwarded ports; the Job and its ConfigMap are removed, too.
    """
    member_client.require()
    until = time.monotonic() + config.timeout
    deadline = min(OBSERVE_DEADLINE_SECONDS, config.timeout)
    snapshots = await observe_topology(config.topology, (*STATUS_KINDS, "ConfigMap"), deadline)
    prove = partial(_from_a_pod, config.topology, until, emit) if in_cluster else partial(_from_this_machine, emit)
    return await _prove(config.topology, snapshots, until, prove, cluster_name)


async def verify_after(running_up: Coroutine[Any, Any, Result], config: Config, emit: Emit) -> Result:
    """Runs `up` and verifies if it succeeded. Checks that the Hazelcast client is installed before it runs `up`."""
    try:
        member_client.require()
    except HzlinkError:
        running_up.close()
        raise
    until = time.monotonic() + config.timeout
    done = await running_up
    if done.status is not ExitStatus.DONE:
        return done
    # The limit is that of the whole command.
    proven = await verify(replace(config, timeout=max(1.0, until - time.monotonic())), emit)
    return replace(done, status=proven.status, verification=proven.verification, errors=proven.errors)


async def _prove(
    topology: Topology, snapshots: Snapshots, until: float, prove: Prove, cluster_name: str | None
) -> Result:
    # Only client sites must be readable. The cluster site provides the expected members, if it can be read.
    errors = [error for client in topology.clients if (error := snapshots[client].error)]
    if errors:
        return result.of_errors("verify", errors)
    seen = report.make(topology, snapshots)
    began = time.monotonic()
    try:
        async with asyncio.timeout(max(0.0, until - began)):
            outcomes = await together(
                _site(plan_for(seen, snapshots, client, cluster_name), prove) for client in topology.clients
            )
    except TimeoutError:
        waited = time.monotonic() - began
        raise WaitTimeout(
            "timed out verifying", waited=waited, next_step=f"{hints.hzlink('verify')} --timeout SECONDS"
        ) from None
    failed = [outcome for outcome in outcomes if isinstance(outcome, HzlinkError)]
    if failed:
        return result.of_errors("verify", failed)
    proofs = tuple(outcome for outcome in outcomes if isinstance(outcome, SiteProof))
    record = saved_verdict.record(proofs, time.time())
    verdict_file.save(topology, record)
    errors = cluster_names.errors(seen.topology, snapshots, cluster_name or seen.topology.cluster_name)
    errors += [error for one in proofs for error in errors_of(one, topology.cluster)]
    status = ExitStatus.DONE if record.proven and not errors else ExitStatus.FAILED
    return Result("verify", status, errors=tuple(errors), verification=proofs)


async def _site(plan: Plan, prove: Prove) -> SiteProof | HzlinkError:
    """A site's proof, or its error, so that the other sites are verified nevertheless."""
    try:
        return await prove(plan)
    except HzlinkError as error:
        return error


async def _from_this_machine(emit: Emit, plan: Plan) -> SiteProof:
    emit(Event(Mark.NOTE, f"calling through the site's Services: {_how(plan)}", plan.site.name))
    return await verify_site(plan, forwarded(plan.site), emit)


async def _from_a_pod(topology: Topology, until: float, emit: Emit, plan: Plan) -> SiteProof:
    # Imported here, because most runs do not need it.
    from hzlink.verify import in_cluster_job

    where = f"from a pod at the site ({topology.settings.probe_image})"
    emit(Event(Mark.NOTE, f"calling through the site's Services, {where}: {_how(plan)}", plan.site.name))
    return await in_cluster_job.verify_site(topology, plan, until - GIVE_UP_SECONDS_BEFORE_END, emit)


def _how(plan: Plan) -> str:
    return f"members {', '.join(plan.names)}" if plan.smart else "one connection"


def plan_for(seen: Report, snapshots: Snapshots, client: Site, cluster_name: str | None) -> Plan:
    """The plan for a client site, from the observed sites. `cluster_name`: None for the one that the topology has."""
    services = [item for item in snapshots[client].of("Service") if not objects.is_being_deleted(item)]
    topology = seen.topology
    names = tuple(member.name for member in seen.members) or topology.member_names
    if not names:
        # The cluster site, which alone knows other members than hzlink's own, cannot be read.
        made = conditions.member_services(services, topology.service)
        names = tuple(sorted(objects.name(item) for item in made))
    return Plan(
        site=client,
        smart=seen.mode is Mode.SMART,
        names=names,
        services=frozenset(objects.name(item) for item in services),
        wanted=len(names),
        cluster_name=cluster_name or topology.cluster_name,
        member_port=topology.member_port,
        service=topology.service,
    )


def errors_of(found: SiteProof, cluster: Site) -> Iterable[HzlinkError]:
    """An error for each failed name, with its hop and the next command."""
    bad = [one for one in found.names if not one.ok]
    dead = [one for one in bad if one.outcome in (Outcome.UNREACHABLE, Outcome.NO_SERVICE)]
    if len(dead) == len(found.names):
        names = ", ".join(one.name for one in dead)
        if all(one.outcome is Outcome.NO_SERVICE for one in dead):
            text, said = f"none of the members' Services exists ({names})", None
        else:
            text = f"no member answers through any Service ({names}): the link or a router carries no traffic"
            said = next(one.text for one in dead if one.outcome is Outcome.UNREACHABLE)
        yield HzlinkError(text, site=found.site.name, said=said, next_step=hints.hzlink("status"))
        return
    commands = {
        Outcome.NO_SERVICE: lambda name: hints.kubectl(found.site, "describe listeners.skupper.io"),
        Outcome.UNREACHABLE: lambda name: hints.kubectl(cluster, f"describe pod {name}"),
        Outcome.WRONG_MEMBER: lambda name: hints.kubectl(found.site, f"describe service {name}"),
        Outcome.NO_DATA: lambda name: hints.kubectl(cluster, f"logs {name}"),
    }
    for one in bad:
        yield HzlinkError(one.text, site=found.site.name, next_step=commands[one.outcome](one.name))
    for text in found.wrong:
        yield HzlinkError(text, site=found.site.name, next_step=hints.hzlink("status"))
