"""hzlink is killed at the write of the access for --link-host, and at the one that removes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kill import shims
from tests.sandbox.conftest import Hzlink, Ran, tokens_left
from tests.sandbox.test_link_host import SECRET, balancer, leads_to, own
from tests.sandboxed import Namespaces, Sandbox, until

PLACES = ("--client-ctx", "client", "--cluster-ctx", "cluster")


@pytest.fixture
def killed(sandbox: Sandbox, namespaces: Namespaces, tmp_path: Path) -> Hzlink:
    """hzlink whose calls go through the shims."""
    hzlink = Hzlink(sandbox, namespaces.make("none"), tmp_path / "state")
    return shims.put_before(hzlink, tmp_path)


def test_access_is_made_and_removed(killed: Hzlink, tmp_path: Path) -> None:
    host = balancer(killed, "front", 55671)

    def run(command: tuple[str, ...], only: str, when: str, at: int) -> Ran:
        env = shims.killed_at(tmp_path, when, at, only)
        return killed(*command, *PLACES, "-n", killed.namespace, env=env)

    up, down = ("up", "--link-host", host), ("down", "--yes")
    # The objects of both sites are applied first, and only once.
    assert run(up, "apply", "before", 3).code == -9
    assert own(killed) == set()
    assert run(up, "apply", "after", 1).code == -9
    assert {"RouterAccess/hzlink-router", "Certificate/hzlink-router"} <= own(killed)
    # What was made shows the host, which this run does not name.
    run(("up",), "apply", "before", 0).ok()
    assert leads_to(killed) == [(host, "55671")]

    for when in ("before", "after"):
        assert run(down, "delete routeraccesses", when, 1).code == -9, f"not killed {when} the removal"
    run(down, "apply", "before", 0).ok()
    assert own(killed) <= {SECRET}
    # The garbage collector deletes it with the Certificate.
    until(lambda: own(killed) == set(), 30)
    assert tokens_left(killed) == []
