"""The preflight checks of `up`, which use its observation and collect further facts in parallel with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from hzlink.checks import gather
from hzlink.checks.judge import judge
from hzlink.checks.records import Answers, Facts, Finding, Outcome, Unknown
from hzlink.config import last_run
from hzlink.config.resolve import Config
from hzlink.model.errors import HzlinkError
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.existing_members import NOT_ASKED, Advertised
from hzlink.model.topology import Site, Topology
from hzlink.observe.snapshot import Snapshots
from hzlink.plan import scaling
from hzlink.programs import hints

GatheredFacts = tuple[Mapping[Site, Answers], str | Unknown | None]


async def gather_facts(config: Config) -> GatheredFacts:
    """Collects the facts that the checks need in addition to the sites' objects."""
    return await asyncio.gather(gather.read_all(config.topology, config.timeout), gather.skupper_cli(config.timeout))


def findings(
    topology: Topology,
    snapshots: Snapshots,
    gathered: GatheredFacts,
    missing: frozenset[Site] = frozenset(),
    advertised: Advertised = NOT_ASKED,
) -> tuple[Finding, ...]:
    """The findings of all checks on the observed sites."""
    answers, cli = gathered
    present = scaling.with_current_members(topology, snapshots)
    needed = gather.needed_rights(present)
    mancenter_rights = gather.mancenter_rights()
    return judge(Facts(present, snapshots, answers, cli, needed, missing, mancenter_rights, advertised))


class Preflight:
    """The checks of one `up`.

    Facts are collected in parallel with the observation, so that the checks take no extra time. After a successful `up`
    with the same settings there is usually nothing to do and nothing to check: then facts are collected only if there
    are steps to run.
    """

    def __init__(self, config: Config, wanted: bool = True) -> None:
        self._config = config
        self._wanted = wanted
        known = [one for one in last_run.load() if last_run.CLUSTERS in one]
        begin = wanted and not any(last_run.settings(one) == config.record for one in known)
        self._gathering = asyncio.create_task(gather_facts(config)) if begin else None

    async def errors(
        self,
        topology: Topology,
        snapshots: Snapshots,
        emit: Emit,
        missing: frozenset[Site] = frozenset(),
        advertised: Advertised = NOT_ASKED,
    ) -> list[HzlinkError]:
        """The errors that prevent `up` from writing. Emits warnings. Call it only if there are steps to run."""
        if not self._wanted:
            return []
        if self._gathering is None:
            self._gathering = asyncio.create_task(gather_facts(self._config))
        gathered = await self._gathering
        found = findings(topology, snapshots, gathered, missing, advertised)
        errors: list[HzlinkError] = [finding.error for finding in found if finding.is_fatal]
        if not errors:
            _emit_warnings(found, emit)
        return errors

    async def clusters(self) -> dict[Site, str]:
        """The UIDs of the sites' namespaces kube-system, as far as they were read."""
        if self._gathering is None:
            return {}
        answers, _ = await self._gathering
        return {site: answer.cluster for site, answer in answers.items() if answer.cluster}

    async def __aenter__(self) -> Preflight:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cancels collecting facts, and its programs, while the event loop still runs."""
        if self._gathering is not None:
            self._gathering.cancel()
            await asyncio.gather(self._gathering, return_exceptions=True)


def _emit_warnings(found: tuple[Finding, ...], emit: Emit) -> None:
    """Emits each warning, and one event for all checks with an unknown result that `up` does not wait for."""
    for finding in found:
        if finding.outcome is Outcome.FAILED:
            lane = finding.site.name if finding.site else ""
            said = f" ({finding.said})" if finding.said else ""
            emit(Event(Mark.WARN, f"{finding.text}{said}; {finding.next_step}", lane))
    checks = (finding.check for finding in found if finding.outcome is Outcome.UNKNOWN)
    unknown = dict.fromkeys(check.id for check in checks if not check.awaited)
    if unknown:
        emit(Event(Mark.WARN, f"not known: {', '.join(unknown)}   ({hints.hzlink('check')} says why)"))
