"""The lock of one run: acquiring, renewing, losing and releasing it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hzlink.apply import lease, lock, process_identity
from hzlink.apply.lease import Holder, Process
from hzlink.apply.lock import Terms
from hzlink.model.errors import ExitStatus, HzlinkError, Locked, WaitTimeout
from hzlink.model.events import Event, Mark
from tests.unit.builders import topology
from tests.unit.lease_server import LeaseServer

TOPOLOGY = topology()
BEN = Holder("ben@ci pid 7", "another-run", Process("another-boot", "pid:[1]", 7, 1))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> LeaseServer:
    """The simulated API server; all durations are divided by 100."""
    made = LeaseServer()
    monkeypatch.setattr(lock, "Kubectl", made)
    for module, names in (
        (lock, ("DURATION_SECONDS", "RENEW_SECONDS", "READ_SECONDS", "RETRY_SECONDS")),
        (lease, ("DURATION_SECONDS",)),
    ):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name) / 100)
    return made


class Events(list[Event]):
    """Collects the events that a run emits."""

    def __call__(self, event: Event) -> None:
        self.append(event)

    def text(self, mark: Mark) -> str:
        return "\n".join(event.text for event in self if event.mark is mark)


def terms(**more: Any) -> Terms:
    return Terms("up", time.monotonic() + 60, **more)


async def hold(told: Events, seconds: float = 0.0, **more: Any) -> None:
    async with lock.held(TOPOLOGY, terms(**more), told):
        await asyncio.sleep(seconds)


def write_bens_lease(server: LeaseServer, seconds_ago: float = 0.0, holder: Holder = BEN) -> dict[str, Any]:
    return server.write(lease.make("hazelcast", holder, datetime.now(UTC) - timedelta(seconds=seconds_ago)))


def fails(work: Coroutine[Any, Any, Any]) -> HzlinkError:
    with pytest.raises(HzlinkError) as caught:
        asyncio.run(work)
    return caught.value


def test_lock_is_acquired_renewed_and_released(server: LeaseServer) -> None:
    async def run() -> tuple[dict[str, Any], dict[str, Any]]:
        async with lock.held(TOPOLOGY, terms(), Events()):
            first = server.only
            await asyncio.sleep(0.25)
            return first, server.only

    first, later = asyncio.run(run())
    assert first["spec"]["holderIdentity"] == process_identity.holder_name()
    assert later["spec"]["renewTime"] > first["spec"]["renewTime"]
    assert later["spec"]["acquireTime"] == first["spec"]["acquireTime"]
    assert server.items == {}


@pytest.mark.parametrize("error", [HzlinkError("x"), KeyboardInterrupt(), asyncio.CancelledError(), ValueError("x")])
def test_lock_is_released_after_any_error(server: LeaseServer, error: BaseException) -> None:
    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Events()):
            assert server.items
            raise error

    with pytest.raises(type(error)):
        asyncio.run(run())
    assert server.items == {}


def test_held_lock_is_refused_with_the_holders_name(server: LeaseServer) -> None:
    before = write_bens_lease(server)
    error = fails(hold(Events()))
    assert error.status is ExitStatus.LOCKED
    assert "ben@ci pid 7, since 2" in (error.said or "")
    assert "hzlink up --force-unlock" in (error.next_step or "")
    assert server.only == before


def test_one_of_many_concurrent_runs_acquires_the_lock(server: LeaseServer) -> None:
    async def run() -> list[BaseException | None]:
        return await asyncio.gather(*(hold(Events(), 1.0) for _ in range(20)), return_exceptions=True)

    outcomes = asyncio.run(run())
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(isinstance(outcome, Locked) for outcome in outcomes if outcome is not None)
    assert server.items == {}


def test_lease_of_ended_local_run_is_replaced_at_once(server: LeaseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_identity, "runs", lambda process: False)
    write_bens_lease(server)
    told = Events()
    began = time.monotonic()
    asyncio.run(hold(told))
    assert time.monotonic() - began < lease.DURATION_SECONDS
    assert "ended without releasing it: ben@ci pid 7" in told.text(Mark.NOTE)
    assert server.items == {}


@pytest.mark.parametrize("seconds_ago", [3600, -3600])
def test_expired_lease_is_watched_for_its_duration_and_then_replaced(server: LeaseServer, seconds_ago: float) -> None:
    write_bens_lease(server, seconds_ago)
    told = Events()
    began = time.monotonic()
    asyncio.run(hold(told))
    assert time.monotonic() - began >= lease.DURATION_SECONDS
    assert "checking for" in told.text(Mark.NOTE)
    assert "ben@ci pid 7" in told.text(Mark.WAIT)
    assert server.items == {}


def test_lease_renewed_by_a_host_with_a_wrong_clock_stays_held(server: LeaseServer) -> None:
    write_bens_lease(server, 3600)

    async def run() -> None:
        ben = asyncio.create_task(renew_once())
        try:
            await hold(Events())
        finally:
            await ben

    async def renew_once() -> None:
        await asyncio.sleep(0.1)
        write_bens_lease(server, 3590)

    assert isinstance(fails(run()), Locked)
    assert lease.holder(server.only) == BEN


def test_lease_released_while_watched_is_acquired(server: LeaseServer) -> None:
    write_bens_lease(server, 3600)

    def end(verb: str) -> None:
        if verb == "get" and server.calls.count("get") == 2:
            server.items.clear()

    server.before = end
    asyncio.run(hold(Events()))
    assert server.items == {}


def test_deadline_before_the_end_of_the_watch_is_a_timeout(server: LeaseServer) -> None:
    write_bens_lease(server, 3600)

    async def run() -> None:
        async with lock.held(TOPOLOGY, Terms("up", time.monotonic() + 0.05), Events()):
            pytest.fail("the Lease was not watched for its duration")

    error = fails(run())
    assert isinstance(error, WaitTimeout)
    assert "ben@ci pid 7" in (error.said or "")


def test_expired_lease_replaced_by_another_run_stays_held(server: LeaseServer) -> None:
    """Another run replaces it between the read and the write."""
    write_bens_lease(server, 3600)
    cleo = Holder("cleo@ci pid 8", "a-third-run")

    def replace_first(verb: str) -> None:
        if verb == "replace":
            write_bens_lease(server, holder=cleo)

    server.before = replace_first
    assert isinstance(fails(hold(Events())), Locked)
    assert lease.holder(server.only) == cleo


def test_force_replaces_the_lease_and_names_its_holder(server: LeaseServer) -> None:
    write_bens_lease(server)
    told = Events()
    asyncio.run(hold(told, force=True))
    assert "taking the lock from ben@ci pid 7, since 2" in told.text(Mark.WARN)
    assert server.items == {}


def test_force_retries_after_a_concurrent_renewal(server: LeaseServer) -> None:
    write_bens_lease(server)

    def renew(verb: str) -> None:
        if server.calls.count("replace") == 1 and verb == "replace":
            write_bens_lease(server)

    server.before = renew
    asyncio.run(hold(Events(), force=True))
    assert server.calls.count("replace") == 2


def test_force_without_a_lease_emits_no_event(server: LeaseServer) -> None:
    told = Events()
    asyncio.run(hold(told, force=True))
    assert told == []


def test_run_stops_and_names_the_new_holder_when_its_lock_is_taken(server: LeaseServer) -> None:
    cleaned_up = []

    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Events()):
            write_bens_lease(server)
            try:
                await asyncio.sleep(10)
            finally:
                cleaned_up.append(True)

    error = fails(run())
    assert error.status is ExitStatus.LOCKED
    assert "taken by ben@ci pid 7" in error.message
    assert cleaned_up == [True]
    assert lease.holder(server.only) == BEN


def test_run_stops_when_its_lease_is_deleted(server: LeaseServer) -> None:
    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Events()):
            server.items.clear()
            await asyncio.sleep(10)

    assert "was removed" in fails(run()).message


def test_run_stops_before_its_unrenewed_lease_can_be_taken(server: LeaseServer) -> None:
    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Events()):
            server.fail = "Unable to connect to the server: dial tcp"
            await asyncio.sleep(10)

    began = time.monotonic()
    error = fails(run())
    assert error.status is ExitStatus.LOCKED
    assert "could not be renewed" in error.message
    assert "dial tcp" in (error.said or "")
    # Another run waits for two durations: until the Lease expires, and while it watches it.
    assert time.monotonic() - began < 2 * lease.DURATION_SECONDS


def test_run_continues_after_a_short_outage(server: LeaseServer) -> None:
    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Events()):
            server.fail = "Unable to connect to the server: dial tcp"
            await asyncio.sleep(0.15)
            server.fail = ""
            await asyncio.sleep(0.4)

    asyncio.run(run())
    assert server.items == {}


def test_renewal_with_a_lost_response_keeps_the_lock(server: LeaseServer) -> None:
    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Events()):
            server.write(server.only)
            await asyncio.sleep(0.3)
            server.write(server.only)

    asyncio.run(run())
    assert server.items == {}


def test_lease_of_another_run_is_not_deleted_on_release(server: LeaseServer) -> None:
    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Events()):
            write_bens_lease(server)

    asyncio.run(run())
    assert lease.holder(server.only) == BEN


def test_failed_release_is_a_warning(server: LeaseServer) -> None:
    told = Events()

    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), told):
            server.fail = "Unable to connect to the server: dial tcp"

    asyncio.run(run())
    assert "could not be released" in told.text(Mark.WARN)


def test_interrupt_outranks_a_lost_lock(server: LeaseServer) -> None:
    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Events()):
            await asyncio.sleep(10)

    async def interrupted() -> None:
        task = asyncio.create_task(run())
        await asyncio.sleep(0.05)
        server.items.clear()
        while not task.cancelling():
            await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(interrupted())


def test_missing_right_on_leases_is_named(server: LeaseServer) -> None:
    server.fail = 'leases.coordination.k8s.io is forbidden: User "ann" cannot create resource "leases"'
    error = fails(hold(Events()))
    assert error.status is ExitStatus.PREREQUISITE
    assert "get, create, update and delete on leases.coordination.k8s.io" in error.message


@pytest.mark.parametrize(
    "said", ["Unable to connect to the server: dial tcp", 'namespaces "hz" not found', "x is forbidden: no"]
)
def test_optional_lock_that_fails_is_a_warning(server: LeaseServer, said: str) -> None:
    server.fail = said
    told = Events()
    asyncio.run(hold(told, optional=True))
    assert "continuing without a lock" in told.text(Mark.WARN)


def test_optional_lock_held_by_another_run_is_refused(server: LeaseServer) -> None:
    write_bens_lease(server)
    assert isinstance(fails(hold(Events(), optional=True)), Locked)


def test_only_lease_of_ended_local_run_is_removed(server: LeaseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bens_lease(server, 3600)
    asyncio.run(lock.remove_ended_run(TOPOLOGY))
    assert asyncio.run(lock.exists(TOPOLOGY))
    monkeypatch.setattr(process_identity, "runs", lambda process: False)
    asyncio.run(lock.remove_ended_run(TOPOLOGY))
    assert not asyncio.run(lock.exists(TOPOLOGY))
    server.fail = "x is forbidden: no"
    asyncio.run(lock.remove_ended_run(TOPOLOGY))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(delays=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.booleans()), min_size=2, max_size=6))
def test_no_two_runs_hold_the_lock_in_any_order(server: LeaseServer, delays: list[tuple[int, int, bool]]) -> None:
    """Hypothesis chooses when runs start and how long they last; some write their Lease once more as they end."""
    running: list[int] = []
    overlaps: list[list[int]] = []

    async def one(number: int, begin: int, last: int, writes_late: bool) -> None:
        for _ in range(begin):
            await asyncio.sleep(0)
        try:
            async with lock.held(TOPOLOGY, terms(), Events()):
                running.append(number)
                overlaps.extend([list(running)] if len(running) > 1 else [])
                for _ in range(last):
                    await asyncio.sleep(0)
                running.remove(number)
                if writes_late:
                    # Its last write arrives after it has ended.
                    server.write(server.only)
        except Locked:
            pass

    async def run() -> None:
        await asyncio.gather(*(one(number, *delay) for number, delay in enumerate(delays)))

    server.items.clear()
    asyncio.run(run())
    assert overlaps == []
    assert running == []
