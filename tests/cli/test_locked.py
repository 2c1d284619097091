"""Another run holds the lock: the error of the second run, which writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from hzlink.apply import lease
from hzlink.apply.lease import Holder
from tests.cli import situations
from tests.cli.assertions import is_clean
from tests.cli.fake_api import FakeApi
from tests.cli.program import User
from tests.cli.situations import CORE, EDGE

SITES = ("--client-ctx", "edge", "--cluster-ctx", "core")
BEN = Holder("ben@ci\x1b[2J pid 7", "another-run")


@pytest.fixture
def core(user: User, serve: Callable[[FakeApi], FakeApi]) -> FakeApi:
    """The cluster site of a topology that is not linked, where another run holds the lock."""
    snapshots = situations.not_linked().snapshots
    core, edge = (serve(FakeApi(items=snapshots[site].items)) for site in (CORE, EDGE))
    user.has_contexts(core=core.url, edge=edge.url)
    made = lease.make("hazelcast", BEN, datetime.now(UTC) - timedelta(seconds=5))
    core.leases["hzlink"] = {**made, "metadata": {**made["metadata"], "uid": "u", "resourceVersion": "1"}}
    return core


@pytest.mark.parametrize("command", ["up", "link", "down --yes"])
def test_second_run_names_the_holder_and_the_next_command(command: str, user: User, core: FakeApi) -> None:
    before = dict(core.leases)
    ended = user.hzlink(*command.split(), *SITES)
    is_clean(ended)
    assert ended.code == 5
    assert "error: core: another run holds the lock of namespace " in ended.err
    assert "Lease hzlink says: held by ben@ci [2J pid 7, since 2" in ended.err
    words = command.split()[0]
    assert f"next: hzlink {words} --client-ctx edge --cluster-ctx core   (after that run has ended" in ended.err
    assert f"hzlink {words} --force-unlock --client-ctx edge --cluster-ctx core" in ended.err
    assert core.leases == before
    assert core.methods == {"GET"}


def test_dry_run_takes_no_lock(user: User, core: FakeApi) -> None:
    assert user.hzlink("up", *SITES, "--dry-run").code == 0
    assert not any("leases" in path for _, path in core.requests)


def test_force_unlock_takes_the_lock_with_a_warning(user: User, core: FakeApi) -> None:
    # The server accepts only writes of the lock, so the run fails after it has the lock.
    ended = user.hzlink("link", *SITES, "--force-unlock", "--timeout", "3")
    is_clean(ended)
    assert "--force-unlock: taking the lock from ben@ci [2J pid 7, since 2" in ended.err
    assert core.leases == {}
