"""hzlink is killed at the writes with which `down` leaves the Sites and the Link to another topology."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kill import shims
from tests.sandbox.conftest import Hzlink, tokens_left
from tests.sandboxed import Namespaces, Sandbox

# The site to remove, and the write. Both sites at once would have no fixed order.
WRITES = (
    ("client", "patch sites.v2alpha1.skupper.io"),
    ("client", "patch links.v2alpha1.skupper.io"),
    ("cluster", "patch sites.v2alpha1.skupper.io"),
)


@pytest.fixture
def killed(sandbox: Sandbox, namespaces: Namespaces, tmp_path: Path) -> Hzlink:
    """hzlink whose calls go through the shims, with topologies orders and sessions."""
    hzlink = Hzlink(sandbox, namespaces.make("none"), tmp_path / "state")
    for service in ("orders", "sessions"):
        hzlink.up("--service", service, "--members", "1").ok()
    return shims.put_before(hzlink, tmp_path)


def test_sites_and_link_stay_for_the_other_topology(killed: Hzlink, tmp_path: Path) -> None:
    down = ("down", "--name", "orders", "--yes")
    for site, write in WRITES:
        for when in ("before", "after"):
            at = shims.killed_at(tmp_path, when, 1, write)
            assert killed(*down, "--site", site, env=at).code == -9, f"not killed {when} {write} at {site}"
            assert killed("status", "--name", "sessions").code == 0
    killed(*down).ok()

    assert killed("status").ok().out.count("WHERE") == 1
    before = killed.writes()
    assert "nothing written" in killed.up("--service", "sessions", "--members", "1").ok().err
    assert killed.writes() == before
    killed("down", "--yes").ok()
    for context in ("client", "cluster"):
        assert killed.objects(context, "sites.skupper.io,links.skupper.io,leases") == {}
    assert tokens_left(killed) == []
