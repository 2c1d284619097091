"""Two topologies in the same namespaces: `status` shows both, and other commands ask which one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from hzlink.model.topology import labels
from tests.cli import situations
from tests.cli.assertions import is_clean
from tests.cli.fake_api import FakeApi
from tests.cli.program import User
from tests.cli.situations import CORE, EDGE
from tests.unit.builders import item

SITES = ("--client-ctx", "edge", "--cluster-ctx", "core")
SESSIONS = labels("sessions")


@pytest.fixture
def both(user: User, serve: Callable[[FakeApi], FakeApi]) -> User:
    """A healthy topology, and objects of topology sessions, which has no member yet."""
    snapshots = situations.healthy().snapshots
    more = {CORE: item("Connector", "sessions", labels=SESSIONS), EDGE: item("Listener", "sessions", labels=SESSIONS)}
    core, edge = (serve(FakeApi(items=[*snapshots[site].items, more[site]])) for site in (CORE, EDGE))
    user.has_contexts(core=core.url, edge=edge.url)
    return user


def test_status_shows_both(both: User) -> None:
    ended = both.hzlink("status", *SITES)
    is_clean(ended)
    assert ended.code == 1
    first, second = ended.out.split("topology sessions\n")
    assert first.startswith("topology hazelcast\n")
    assert "healthy" in first
    assert "not healthy" not in first
    assert "sessions" in second


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_document_has_both(both: User, output: str) -> None:
    ended = both.hzlink("status", *SITES, "-o", output)
    document = yaml.safe_load(ended.out)
    assert (document["kind"], document["exitCode"], document["healthy"]) == ("Status", 1, False)
    shown = [(one["topology"], one["exitCode"], one["healthy"]) for one in document["topologies"]]
    assert shown == [("hazelcast", 0, True), ("sessions", 1, False)]
    assert all(one["sites"] for one in document["topologies"])


@pytest.mark.parametrize(("name", "code"), [("hazelcast", 0), ("sessions", 1)])
def test_status_of_one(both: User, name: str, code: int) -> None:
    ended = both.hzlink("status", *SITES, "--name", name, "-o", "json")
    assert ended.code == code
    assert ended.document["topology"] == name
    assert "topologies" not in ended.document


@pytest.mark.parametrize(
    "command", ["status -o svg", "status -o mermaid", "status --wait", "status --watch --timeout 3", "down --yes"]
)
def test_command_for_one_topology_asks_which(both: User, command: str) -> None:
    ended = both.hzlink(*command.split(), *SITES)
    is_clean(ended)
    assert ended.code == 2
    assert "error: which topology?" in ended.err
    words = command.split()[0]
    assert f"hzlink {words} --name hazelcast" in ended.err
    assert f"hzlink {words} --name sessions" in ended.err


def test_tree_shows_both(both: User) -> None:
    ended = both.hzlink("status", *SITES, "-o", "tree")
    assert ended.out.index("topology hazelcast") < ended.out.index("topology sessions")
