"""hzlink is killed at the writes with which a topology changes to a hub and back: those that remove what it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kill import shims
from tests.sandbox.conftest import Hzlink, tokens_left
from tests.sandboxed import Namespaces, Sandbox

CONTEXTS = ("--client-ctx", "client", "--cluster-ctx", "cluster")
SETTINGS = ("--members", "1", "--no-mancenter")
# The deletion of a former Link and its Secret; of the Site of the former hub.
UNLINK, LEAVE = "secrets/hazelcast-", "delete sites.v2alpha1.skupper.io"


@pytest.fixture
def killed(sandbox: Sandbox, namespaces: Namespaces, tmp_path: Path) -> Hzlink:
    """hzlink whose calls go through the shims, with a topology without a hub."""
    hzlink = Hzlink(sandbox, namespaces.make("none"), tmp_path / "state")
    hzlink.up(*SETTINGS).ok()
    return shims.put_before(hzlink, tmp_path)


def test_next_run_goes_on(killed: Hzlink, sandbox: Sandbox, namespaces: Namespaces, tmp_path: Path) -> None:
    hub = Hzlink(sandbox, namespaces.make("none"), tmp_path / "hub")
    places = (*CONTEXTS, "-n", killed.namespace, *SETTINGS)
    with_hub = ("up", *places, "--hub-ctx", "cluster", "--hub-ns", hub.namespace)
    # The record still has the hub.
    without = ("up", *places, "--hub-ctx", "")

    for command, writes in ((with_hub, (UNLINK,)), (without, (UNLINK, LEAVE))):
        for write in writes:
            for when in ("before", "after"):
                at = shims.killed_at(tmp_path, when, 1, write)
                assert killed(*command, env=at).code == -9, f"not killed {when} {write}"
                assert tokens_left(killed) + tokens_left(hub) == []
        killed(*command).ok()
        links = [killed.objects(context, "links.skupper.io") for context in ("client", "cluster")]
        assert [len(found) for found in links] == ([1, 1] if command is with_hub else [1, 0])
        before = killed.writes()
        assert "nothing written" in killed("up").ok().err
        assert killed.writes() == before

    assert hub.objects("cluster", "sites.skupper.io,leases,secrets") == {}
    killed("down", "--yes").ok()
    for context in ("client", "cluster"):
        assert killed.objects(context, "sites.skupper.io,links.skupper.io,leases") == {}
