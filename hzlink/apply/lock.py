"""Allows one run at a time in a cluster site's namespace: takes the Lease, renews it, and releases it at the end."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hzlink.apply import lease, process_identity
from hzlink.apply.lease import DURATION_SECONDS, RENEW_SECONDS, Holder, Verdict
from hzlink.model.errors import HzlinkError, Locked, PrerequisiteError, WaitTimeout
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.objects import Object
from hzlink.model.topology import Topology
from hzlink.programs import hints
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import KubectlError, Refusal
from hzlink.programs.tasks import shielded

# Time between two reads of a Lease that may have expired, and between two tries to renew.
READ_SECONDS = 3.0
RETRY_SECONDS = 1.0
# How often to try again if other runs change the Lease at the same time.
TRIES = 5


@dataclass(frozen=True)
class Terms:
    """How a command takes the lock. `until`: when to stop waiting, in seconds of time.monotonic.

    `force`: take it from another run. `optional`: continue without it, with a warning, if the cluster site refuses.
    """

    command: str
    until: float
    force: bool = False
    optional: bool = False


@asynccontextmanager
async def held(topology: Topology, terms: Terms, emit: Emit) -> AsyncIterator[None]:
    """Holds the lock of the topology until the block is left. The cluster site's namespace must exist.

    Raises:
        Locked: another run holds the lock, or took it meanwhile; then the block is cancelled first.
        WaitTimeout: there was no time left to find out whether the lock's holder still runs.
        KubectlError: the cluster site refused.
    """
    lock = _Lock(topology, terms, emit)
    if not await lock.taken():
        yield
        return
    body = asyncio.current_task()
    keeping = asyncio.create_task(lock.keep())
    keeping.add_done_callback(lambda ended: body.cancel() if body and not ended.cancelled() else None)
    try:
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            if _loss(keeping) is None:
                await shielded(lock.release(), DURATION_SECONDS)
    except asyncio.CancelledError:
        loss = _loss(keeping)
        # ^C at the same time takes precedence.
        if loss is None or body is None or body.uncancel() > 0:
            raise
        raise loss from None


async def remove_ended_run(topology: Topology) -> None:
    """Removes the Lease of a run on this machine that has ended. For runs that write nothing else."""
    kubectl = Kubectl(topology.cluster, deadline=RENEW_SECONDS)
    # A user who may not read the Lease has not taken it.
    with suppress(KubectlError):
        found = await kubectl.get(lease.ref())
        if found is not None and process_identity.runs_holder(lease.holder(found)) is False:
            await kubectl.delete_as_read(lease.ref(), found)


async def exists(topology: Topology) -> bool:
    """Whether the Lease exists; False if it cannot be read."""
    try:
        return await Kubectl(topology.cluster, deadline=RENEW_SECONDS).get(lease.ref()) is not None
    except KubectlError:
        return False


def _loss(keeping: asyncio.Task[None]) -> BaseException | None:
    return keeping.exception() if keeping.done() and not keeping.cancelled() else None


class _Lock:
    """One run's hold on the Lease."""

    def __init__(self, topology: Topology, terms: Terms, emit: Emit) -> None:
        self._kubectl = Kubectl(topology.cluster, deadline=RENEW_SECONDS)
        self._ref = lease.ref()
        self._topology = topology
        self._terms = terms
        self._emit = emit
        self._me = Holder(process_identity.holder_name(), uuid.uuid4().hex, process_identity.current())
        self._mine: Object = {}

    async def taken(self) -> bool:
        """Takes the Lease. False if that fails and the lock is optional."""
        try:
            self._mine = await self._take()
        except KubectlError as error:
            if self._terms.optional:
                self._emit_text(Mark.WARN, f"continuing without a lock against other runs: {error.message}")
                return False
            raise self._refused(error) from None
        return True

    async def keep(self) -> None:
        """Renews the Lease while this run holds it.

        Raises:
            Locked: this run no longer holds it.
        """
        clock = asyncio.get_running_loop().time
        renewed = clock()
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            began, failures = clock(), list[KubectlError]()
            try:
                async with asyncio.timeout_at(renewed + DURATION_SECONDS):
                    await self._renew(failures)
            except TimeoutError:
                raise self._not_renewed(failures) from None
            renewed = began

    async def release(self) -> None:
        """Removes the Lease if this run still holds it."""
        try:
            for _ in range(TRIES):
                if not await _unless_changed(self._kubectl.delete_as_read(self._ref, self._mine)):
                    # A renewal whose call was cancelled may have changed the Lease.
                    found = await self._kubectl.get(self._ref)
                    if found is not None and lease.is_mine(found, self._me):
                        self._mine = found
                        continue
                return
        except KubectlError as error:
            self._emit_text(
                Mark.WARN, f"the lock could not be released; it expires in {DURATION_SECONDS:g} s: {error.message}"
            )

    async def _take(self) -> Object:
        found: Object | None = None
        taking = Kubectl(self._topology.cluster, deadline=RENEW_SECONDS, until=self._terms.until)
        for _ in range(TRIES):
            made = await _unless_changed(taking.create(self._wanted(None)))
            if made is not None:
                return made
            found = await self._kubectl.get(self._ref)
            if found is None:
                continue
            await self._may_take(found)
            made = await _unless_changed(taking.replace(self._wanted(found)))
            if made is not None:
                return made
        raise self._held(found)

    def _wanted(self, before: Object | None) -> dict[str, Any]:
        return lease.make(self._topology.name, self._me, _now(), before)

    async def _may_take(self, found: Object) -> None:
        """Returns if the Lease may be taken from its holder, otherwise raises; emits the reason."""
        who = lease.describe(found, _now())
        if self._terms.force:
            self._emit_text(
                Mark.WARN,
                f"--force-unlock: taking the lock from {who}; if that run is still working, "
                f"it stops within {RENEW_SECONDS:g} s, and may leave its work unfinished",
            )
            return
        match lease.judge(found, _now(), process_identity.runs_holder(lease.holder(found))):
            case Verdict.HELD:
                raise self._held(found)
            case Verdict.DEAD:
                self._emit_text(Mark.NOTE, f"taking over the lock of a run that ended without releasing it: {who}")
            case Verdict.EXPIRED:
                await self._watch(found, who)

    async def _watch(self, found: Object, who: str) -> None:
        """Watches the Lease for its duration, by this machine's clock. Raises if its holder changes it."""
        began = time.monotonic()
        text = f"whether a run that seems to have ended still runs: {who}"
        self._emit_text(Mark.NOTE, f"checking for {DURATION_SECONDS:g} s (clocks may differ) {text}")
        while (waited := time.monotonic() - began) < DURATION_SECONDS:
            self._emit(Event(Mark.WAIT, text, self._site, "lock", elapsed=waited, limit=DURATION_SECONDS))
            if time.monotonic() >= self._terms.until:
                raise WaitTimeout(
                    "timed out waiting to see whether another run still runs",
                    site=self._site,
                    subject=f"Lease {self._ref.name}",
                    said=who,
                    waited=waited,
                    next_step=hints.hzlink(f"{self._terms.command} --force-unlock"),
                )
            await asyncio.sleep(min(READ_SECONDS, DURATION_SECONDS - waited))
            now = await self._kubectl.get(self._ref)
            if now is None:
                return
            if lease.changed(found, now):
                raise self._held(now)

    async def _renew(self, failures: list[KubectlError]) -> None:
        while True:
            try:
                made = await _unless_changed(self._kubectl.replace(lease.renewed(self._mine, _now())))
                if made is not None:
                    self._mine = made
                    return
                await self._after_conflict(await self._kubectl.get(self._ref))
            except KubectlError as error:
                failures.append(error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _after_conflict(self, found: Object | None) -> None:
        """Handles a Lease that was changed: either the answer to a renewal was lost, or this run lost the Lease."""
        if found is None:
            raise self._lost("its lock was removed", "the Lease was deleted")
        if not lease.is_mine(found, self._me):
            raise self._lost(f"its lock was taken by {lease.describe(found, _now())}", None)
        self._mine = found

    @property
    def _site(self) -> str:
        return self._topology.cluster.name

    def _emit_text(self, mark: Mark, text: str) -> None:
        self._emit(Event(mark, text, self._site))

    def _held(self, found: Object | None) -> Locked:
        command = self._terms.command
        return Locked(
            f"another run holds the lock of namespace {self._topology.cluster.namespace}",
            site=self._site,
            subject=f"Lease {self._ref.name}",
            said=f"held by {lease.describe(found, _now())}" if found else "several runs try to take it at once",
            next_step=f"{hints.hzlink(command)}   (after that run has ended; if it cannot end: "
            f"{hints.hzlink(f'{command} --force-unlock')})",
        )

    def _lost(self, why: str, said: str | None) -> Locked:
        return Locked(
            f"this run stopped: {why}",
            site=self._site,
            subject=f"Lease {self._ref.name}",
            said=said,
            next_step=f"{hints.hzlink(self._terms.command)}   (continues when no other run holds the lock)",
        )

    def _not_renewed(self, failures: list[KubectlError]) -> HzlinkError:
        why = f"its lock could not be renewed for {DURATION_SECONDS:g} s"
        last = failures[-1] if failures else None
        if last is not None and last.refusal in _BY_ADMISSION:
            # No other run is active: an admission rule of the cluster refuses the Lease.
            last.message = f"this run stopped: {why}: {last.message}"
            last.subject = f"Lease {self._ref.name}"
            return last
        said = (last.said or last.message) if last else "this machine was suspended or too busy"
        return self._lost(why, said)

    def _refused(self, error: KubectlError) -> HzlinkError:
        if error.refusal in _BY_ADMISSION:
            error.subject = f"Lease {self._ref.name}"
        if error.refusal is not Refusal.FORBIDDEN:
            return error
        return PrerequisiteError(
            "you may not take the lock that prevents two runs at the same time: "
            "it needs get, create, update and delete on leases.coordination.k8s.io",
            site=self._site,
            said=error.said,
            next_step=hints.kubectl(self._topology.cluster, "auth can-i create leases.coordination.k8s.io"),
        )


_BY_ADMISSION = (Refusal.WEBHOOK, Refusal.POLICY, Refusal.QUOTA)


async def _unless_changed(call: Awaitable[Object]) -> Object | None:
    """The call's result; None if another run was faster: the object already exists, was deleted or was changed."""
    try:
        return await call
    except KubectlError as error:
        if error.refusal in (Refusal.EXISTS, Refusal.CHANGED, Refusal.NOT_FOUND):
            return None
        raise


def _now() -> datetime:
    return datetime.now(UTC)
