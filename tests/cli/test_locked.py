"""Another run is at work: what the second one says, and that it leaves everything alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from hzlink.apply import lease
from hzlink.apply.lease import Holder
from tests.cli import situations
from tests.cli.fake_api import FakeApi
from tests.cli.judging import is_clean
from tests.cli.program import User
from tests.cli.situations import CORE, EDGE

SITES = ("--client-ctx", "edge", "--cluster-ctx", "core")
BEN = Holder("ben@ci\x1b[2J pid 7", "another-run")


@pytest.fixture
def core(user: User, serve: Callable[[FakeApi], FakeApi]) -> FakeApi:
    """The cluster site of a topology that is not linked, and another run's lock at it."""
    snapshots = situations.not_linked().snapshots
    core, edge = (serve(FakeApi(items=snapshots[site].items)) for site in (CORE, EDGE))
    user.has_contexts(core=core.url, edge=edge.url)
    made = lease.make("hazelcast", BEN, datetime.now(UTC) - timedelta(seconds=5))
    core.leases["hzlink-hazelcast"] = {**made, "metadata": {**made["metadata"], "uid": "u", "resourceVersion": "1"}}
    return core


@pytest.mark.parametrize("command", ["up", "link", "down --yes"])
def test_a_second_run_says_who_is_at_work_since_when_and_what_to_type(command: str, user: User, core: FakeApi) -> None:
    before = dict(core.leases)
    ended = user.hzlink(*command.split(), *SITES)
    is_clean(ended)
    assert ended.code == 5
    assert "error: core: another run holds the lock of topology hazelcast" in ended.err
    assert "Lease hzlink-hazelcast says: held by ben@ci [2J pid 7, since 2" in ended.err
    words = command.split()[0]
    assert f"next: hzlink {words} --client-ctx edge --cluster-ctx core   (once that run has ended" in ended.err
    assert f"hzlink {words} --force-unlock --client-ctx edge --cluster-ctx core" in ended.err
    assert core.leases == before
    assert core.methods == {"GET"}


def test_a_dry_run_takes_no_lock(user: User, core: FakeApi) -> None:
    assert user.hzlink("up", *SITES, "--dry-run").code == 0
    assert not any("leases" in path for _, path in core.requests)


def test_by_force_the_lock_is_taken_and_that_is_said(user: User, core: FakeApi) -> None:
    # The server takes nothing but the lock, so this fails after that.
    ended = user.hzlink("link", *SITES, "--force-unlock", "--timeout", "3")
    is_clean(ended)
    assert "--force-unlock: taking the lock from ben@ci [2J pid 7, since 2" in ended.err
    assert core.leases == {}
