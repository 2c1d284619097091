"""hzlink is killed at the writes in an application namespace: those that make the names, and those that remove them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kill import shims
from tests.sandbox.conftest import Hzlink
from tests.sandboxed import Namespaces, Sandbox

SETTINGS = ("--members", "1", "--no-mancenter")
REMOVE = "delete services/hazelcast"
NAMES = ["hazelcast", "hazelcast-0"]


@pytest.fixture
def killed(sandbox: Sandbox, namespaces: Namespaces, tmp_path: Path) -> Hzlink:
    """hzlink whose calls go through the shims, with a topology without application namespaces."""
    hzlink = Hzlink(sandbox, namespaces.make("none"), tmp_path / "state")
    hzlink.up(*SETTINGS).ok()
    return shims.put_before(hzlink, tmp_path)


def test_names_are_made_and_removed_by_the_next_run(killed: Hzlink, namespaces: Namespaces, tmp_path: Path) -> None:
    shop = namespaces.make("none")
    # The runs after a kill have no record of the namespace: only the Listener names it.
    up, down = ("up", *SETTINGS, "--app-namespace", shop), ("down", "--yes")

    def names() -> list[str]:
        found = killed.sandbox.kubectl("client", "-n", shop, "get", "services", "-o", "name").split()
        return [name.removeprefix("service/") for name in found]

    def killed_at(command: tuple[str, ...], only: str, first: int = 1) -> None:
        for when, number in (("before", first), ("after", 1)):
            at = shims.killed_at(tmp_path, when, number, only)
            assert killed(*command, env=at).code == -9, f"not killed {when} {only} of {command[0]}"

    # The first run applies the Listener before.
    killed_at(up, "apply", 2)
    killed(*up).ok()
    assert names() == NAMES
    written = len(killed.sandbox.writes("client", shop))
    assert "nothing written" in killed("up").ok().err
    assert len(killed.sandbox.writes("client", shop)) == written

    killed_at(("up", "--app-namespace", ""), REMOVE)
    killed("up", "--app-namespace", "").ok()
    assert names() == []

    killed(*up).ok()
    killed_at(down, REMOVE)
    killed(*down).ok()
    assert names() == []
    for context in ("client", "cluster"):
        assert killed.objects(context, "sites.skupper.io,links.skupper.io,leases") == {}
