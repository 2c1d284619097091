"""Two topologies in the same namespaces: `status` shows both, and other commands ask which one."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable

import pytest
import yaml

from hzlink.model.topology import labels
from tests.cli import situations
from tests.cli.assertions import is_clean
from tests.cli.fake_api import FakeApi
from tests.cli.program import User
from tests.cli.situations import CORE, EDGE
from tests.unit.builders import item, pod, workload

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


def test_dump_has_a_summary_of_each(both: User) -> None:
    ended = both.hzlink("dump", *SITES, "x.tgz")
    assert "each with its own summary in the bundle: topology sessions" in ended.err
    with tarfile.open(both.cwd / "x.tgz", "r:gz") as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {"summary.txt", "summary-sessions.txt", "status-sessions.json"} <= names
    both.hzlink("dump", *SITES, "--name", "sessions", "y.tgz")
    with tarfile.open(both.cwd / "y.tgz", "r:gz") as tar:
        assert not [name for name in tar.getnames() if "-sessions." in name]


def test_status_counts_the_members_of_the_other_topology_by_its_record(
    user: User, serve: Callable[[FakeApi], FakeApi]
) -> None:
    snapshots = situations.healthy().snapshots
    prod = workload("StatefulSet", "prod", 2)
    prod["spec"] |= {"selector": {"matchLabels": {"app": "prod"}}, "serviceName": "prod"}
    theirs = [prod, *(pod(f"prod-{number}", "prod", owner=prod) for number in range(2))]
    more = {
        CORE: [item("Connector", "sessions", labels=SESSIONS), *theirs],
        EDGE: [item("Listener", "sessions", labels=SESSIONS)],
    }
    core, edge = (serve(FakeApi(items=[*snapshots[site].items, *more[site]])) for site in (CORE, EDGE))
    user.has_contexts(core=core.url, edge=edge.url)

    def members() -> list[str]:
        [*_, sessions] = user.hzlink("status", *SITES, "-o", "json").document["topologies"]
        return [one["name"] for one in sessions["members"]]

    assert "prod-0" not in members()
    sessions = {"name": "sessions", "cluster_ctx": "core", "client_ctx": ["edge"], "members_from": "statefulset/prod"}
    own = {"name": "hazelcast", "cluster_ctx": "core", "client_ctx": ["edge"]}
    file = user.folder / "state" / "hzlink" / "last.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**own, "earlier": [sessions]}))
    assert members() == ["prod-0", "prod-1"]
