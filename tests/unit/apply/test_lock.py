"""One run at a time: taking, keeping, losing and giving back the lock."""

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
    """Where the Lease is kept; all times a hundred times as short."""
    made = LeaseServer()
    monkeypatch.setattr(lock, "Kubectl", made)
    for module, names in ((lock, ("DURATION", "RENEW", "READ_SECONDS", "RETRY_SECONDS")), (lease, ("DURATION",))):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name) / 100)
    return made


class Told(list[Event]):
    """What the user was told."""

    def __call__(self, event: Event) -> None:
        self.append(event)

    def text(self, mark: Mark) -> str:
        return "\n".join(event.text for event in self if event.mark is mark)


def terms(**more: Any) -> Terms:
    return Terms("up", time.monotonic() + 60, **more)


async def hold(told: Told, seconds: float = 0.0, **more: Any) -> None:
    async with lock.held(TOPOLOGY, terms(**more), told):
        await asyncio.sleep(seconds)


def bens(server: LeaseServer, seconds_ago: float = 0.0, holder: Holder = BEN) -> dict[str, Any]:
    return server.write(lease.make("hazelcast", holder, datetime.now(UTC) - timedelta(seconds=seconds_ago)))


def fails(work: Coroutine[Any, Any, Any]) -> HzlinkError:
    with pytest.raises(HzlinkError) as caught:
        asyncio.run(work)
    return caught.value


def test_it_is_held_renewed_and_given_back(server: LeaseServer) -> None:
    async def run() -> tuple[dict[str, Any], dict[str, Any]]:
        async with lock.held(TOPOLOGY, terms(), Told()):
            first = server.only
            await asyncio.sleep(0.25)
            return first, server.only

    first, later = asyncio.run(run())
    assert first["spec"]["holderIdentity"] == process_identity.holder_name()
    assert later["spec"]["renewTime"] > first["spec"]["renewTime"]
    assert later["spec"]["acquireTime"] == first["spec"]["acquireTime"]
    assert server.items == {}


@pytest.mark.parametrize("way_out", [HzlinkError("x"), KeyboardInterrupt(), asyncio.CancelledError(), ValueError("x")])
def test_it_is_given_back_on_every_way_out(server: LeaseServer, way_out: BaseException) -> None:
    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Told()):
            assert server.items
            raise way_out

    with pytest.raises(type(way_out)):
        asyncio.run(run())
    assert server.items == {}


def test_another_run_is_named_and_left_alone(server: LeaseServer) -> None:
    before = bens(server)
    error = fails(hold(Told()))
    assert error.status is ExitStatus.LOCKED
    assert "ben@ci pid 7, since 2" in (error.said or "")
    assert "hzlink up --force-unlock" in (error.next_step or "")
    assert server.only == before


def test_of_many_at_once_one_gets_it(server: LeaseServer) -> None:
    async def run() -> list[BaseException | None]:
        return await asyncio.gather(*(hold(Told(), 0.05) for _ in range(20)), return_exceptions=True)

    outcomes = asyncio.run(run())
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(isinstance(outcome, Locked) for outcome in outcomes if outcome is not None)
    assert server.items == {}


def test_a_dead_run_of_this_machine_is_recognised_at_once(server: LeaseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_identity, "runs", lambda process: False)
    bens(server)
    told = Told()
    began = time.monotonic()
    asyncio.run(hold(told))
    assert time.monotonic() - began < lease.DURATION
    assert "ended without releasing it: ben@ci pid 7" in told.text(Mark.NOTE)
    assert server.items == {}


@pytest.mark.parametrize("seconds_ago", [3600, -3600])
def test_one_that_seems_over_is_watched_for_a_whole_duration_and_then_taken(
    server: LeaseServer, seconds_ago: float
) -> None:
    bens(server, seconds_ago)
    told = Told()
    began = time.monotonic()
    asyncio.run(hold(told))
    assert time.monotonic() - began >= lease.DURATION
    assert "checking for" in told.text(Mark.NOTE)
    assert "ben@ci pid 7" in told.text(Mark.WAIT)
    assert server.items == {}


def test_one_whose_clock_is_wrong_shows_that_it_is_alive(server: LeaseServer) -> None:
    bens(server, 3600)

    async def run() -> None:
        ben = asyncio.create_task(renew_once())
        try:
            await hold(Told())
        finally:
            await ben

    async def renew_once() -> None:
        await asyncio.sleep(0.1)
        bens(server, 3590)

    assert isinstance(fails(run()), Locked)
    assert lease.holder(server.only) == BEN


def test_one_that_is_given_back_while_it_is_watched_is_free(server: LeaseServer) -> None:
    bens(server, 3600)

    def end(verb: str) -> None:
        if verb == "get" and server.calls.count("get") == 2:
            server.items.clear()

    server.before = end
    asyncio.run(hold(Told()))
    assert server.items == {}


def test_there_may_be_no_time_to_watch(server: LeaseServer) -> None:
    bens(server, 3600)

    async def run() -> None:
        async with lock.held(TOPOLOGY, Terms("up", time.monotonic() + 0.05), Told()):
            pytest.fail("it was not watched for long enough")

    error = fails(run())
    assert isinstance(error, WaitTimeout)
    assert "ben@ci pid 7" in (error.said or "")


def test_the_race_for_one_that_is_over_has_one_winner(server: LeaseServer) -> None:
    """Another run takes it between the look and the write."""
    bens(server, 3600)
    cleo = Holder("cleo@ci pid 8", "a-third-run")

    def be_quicker(verb: str) -> None:
        if verb == "replace":
            bens(server, holder=cleo)

    server.before = be_quicker
    assert isinstance(fails(hold(Told())), Locked)
    assert lease.holder(server.only) == cleo


def test_force_takes_it_and_says_from_whom(server: LeaseServer) -> None:
    bens(server)
    told = Told()
    asyncio.run(hold(told, force=True))
    assert "taking the lock from ben@ci pid 7, since 2" in told.text(Mark.WARN)
    assert server.items == {}


def test_force_gets_by_a_renewal_in_between(server: LeaseServer) -> None:
    bens(server)

    def renew(verb: str) -> None:
        if server.calls.count("replace") == 1 and verb == "replace":
            bens(server)

    server.before = renew
    asyncio.run(hold(Told(), force=True))
    assert server.calls.count("replace") == 2


def test_force_with_nobody_there_has_nothing_to_say(server: LeaseServer) -> None:
    told = Told()
    asyncio.run(hold(told, force=True))
    assert told == []


def test_a_run_whose_lock_was_taken_stops_and_says_by_whom(server: LeaseServer) -> None:
    undone = []

    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Told()):
            bens(server)
            try:
                await asyncio.sleep(10)
            finally:
                undone.append(True)

    error = fails(run())
    assert error.status is ExitStatus.LOCKED
    assert "taken by ben@ci pid 7" in error.message
    assert undone == [True]
    assert lease.holder(server.only) == BEN


def test_a_run_whose_lock_was_removed_stops(server: LeaseServer) -> None:
    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Told()):
            server.items.clear()
            await asyncio.sleep(10)

    assert "was removed" in fails(run()).message


def test_a_run_that_cannot_renew_for_a_duration_stops_in_time(server: LeaseServer) -> None:
    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Told()):
            server.fail = "Unable to connect to the server: dial tcp"
            await asyncio.sleep(10)

    began = time.monotonic()
    error = fails(run())
    assert error.status is ExitStatus.LOCKED
    assert "could not be renewed" in error.message
    assert "dial tcp" in (error.said or "")
    # A watcher waits for two: one until it seems over, and one to see.
    assert time.monotonic() - began < 2 * lease.DURATION


def test_a_short_outage_is_lived_through(server: LeaseServer) -> None:
    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Told()):
            server.fail = "Unable to connect to the server: dial tcp"
            await asyncio.sleep(0.15)
            server.fail = ""
            await asyncio.sleep(0.4)

    asyncio.run(run())
    assert server.items == {}


def test_a_renewal_whose_answer_was_lost_is_no_loss(server: LeaseServer) -> None:
    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Told()):
            server.write(server.only)
            await asyncio.sleep(0.3)
            server.write(server.only)

    asyncio.run(run())
    assert server.items == {}


def test_what_others_have_by_then_is_not_removed_at_the_end(server: LeaseServer) -> None:
    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Told()):
            bens(server)

    asyncio.run(run())
    assert lease.holder(server.only) == BEN


def test_when_it_cannot_be_given_back_that_is_said(server: LeaseServer) -> None:
    told = Told()

    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), told):
            server.fail = "Unable to connect to the server: dial tcp"

    asyncio.run(run())
    assert "could not be released" in told.text(Mark.WARN)


def test_interrupted_while_the_lock_is_lost_is_interrupted(server: LeaseServer) -> None:
    async def run() -> None:
        async with lock.held(TOPOLOGY, terms(), Told()):
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


def test_whoever_may_not_is_told_which_right_is_missing(server: LeaseServer) -> None:
    server.fail = 'leases.coordination.k8s.io is forbidden: User "ann" cannot create resource "leases"'
    error = fails(hold(Told()))
    assert error.status is ExitStatus.PREREQUISITE
    assert "get, create, update and delete on leases.coordination.k8s.io" in error.message


@pytest.mark.parametrize(
    "said", ["Unable to connect to the server: dial tcp", 'namespaces "hz" not found', "x is forbidden: no"]
)
def test_where_it_is_optional_the_run_goes_on_and_says_so(server: LeaseServer, said: str) -> None:
    server.fail = said
    told = Told()
    asyncio.run(hold(told, optional=True))
    assert "continuing without a lock" in told.text(Mark.WARN)


def test_optional_does_not_mean_that_another_run_is_ignored(server: LeaseServer) -> None:
    bens(server)
    assert isinstance(fails(hold(Told(), optional=True)), Locked)


def test_only_a_dead_run_of_this_machine_is_swept_away(server: LeaseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    bens(server, 3600)
    asyncio.run(lock.remove_ended_run(TOPOLOGY))
    assert asyncio.run(lock.is_there(TOPOLOGY))
    monkeypatch.setattr(process_identity, "runs", lambda process: False)
    asyncio.run(lock.remove_ended_run(TOPOLOGY))
    assert not asyncio.run(lock.is_there(TOPOLOGY))
    server.fail = "x is forbidden: no"
    asyncio.run(lock.remove_ended_run(TOPOLOGY))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(delays=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.booleans()), min_size=2, max_size=6))
def test_whatever_the_order_no_two_runs_are_at_work_at_once(
    server: LeaseServer, delays: list[tuple[int, int, bool]]
) -> None:
    """Runs begin and last as hypothesis says; some find that the one before has died."""
    at_work: list[int] = []
    crowded: list[list[int]] = []

    async def one(number: int, begin: int, last: int, leaves_it: bool) -> None:
        for _ in range(begin):
            await asyncio.sleep(0)
        try:
            async with lock.held(TOPOLOGY, terms(), Told()):
                at_work.append(number)
                crowded.extend([list(at_work)] if len(at_work) > 1 else [])
                for _ in range(last):
                    await asyncio.sleep(0)
                at_work.remove(number)
                if leaves_it:
                    # Its last write comes through after it has gone.
                    server.write(server.only)
        except Locked:
            pass

    async def run() -> None:
        await asyncio.gather(*(one(number, *delay) for number, delay in enumerate(delays)))

    server.items.clear()
    asyncio.run(run())
    assert crowded == []
    assert at_work == []
