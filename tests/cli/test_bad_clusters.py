"""Clusters that are unreachable, refuse requests, lack Skupper or are empty: hzlink against fake API servers.

hzlink only reads from them: each server records the methods of all its requests.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.cli import cluster_objects as make
from tests.cli import fake_api, situations
from tests.cli.assertions import document_of, is_clean, refused
from tests.cli.fake_api import FakeApi
from tests.cli.program import EARLY, User
from tests.cli.situations import CORE, EDGE

Serve = Callable[[FakeApi], FakeApi]
SITES = ("--client-ctx", "edge", "--cluster-ctx", "core")
# Seconds within which hzlink has read both sites and started to wait, on a busy machine, too.
ENOUGH = "10"


def healthy(role: str) -> FakeApi:
    """A server with a healthy site."""
    snapshots = situations.healthy().snapshots
    return FakeApi(items=snapshots[CORE if role == "core" else EDGE].items)


@dataclass(frozen=True)
class Trouble:
    """What is wrong with one server: its answers, hzlink's message and next command, the site's state."""

    make: Callable[[], FakeApi]
    says: str
    next_step: str
    state: str


TROUBLES = {
    "unauthorized": Trouble(
        lambda: FakeApi(fake_api.unauthorized),
        "edge: the API server of context edge does not accept your credentials",
        "kubectl --context edge auth whoami",
        "unauthorized",
    ),
    "forbidden": Trouble(
        lambda: FakeApi(fake_api.forbidden),
        'edge: you may not read objects in namespace hz of context edge\n.*User "ann" cannot list resource "sites"',
        "kubectl --context edge -n hz auth can-i --list",
        "forbidden",
    ),
    "no-definitions": Trouble(
        lambda: FakeApi(skupper=False),
        "edge: Skupper is not installed in the cluster of context edge",
        "kubectl --context edge apply -f https://skupper.io/v2/install.yaml",
        "definitions missing",
    ),
    "no-namespace": Trouble(
        lambda: FakeApi(namespaces=()),
        "edge: there is no namespace hz in context edge",
        "kubectl --context edge create namespace hz .*--create-namespace",
        "namespace missing",
    ),
    "no-api-server": Trouble(
        lambda: FakeApi(fake_api.garbage),
        "edge: the API server of context edge cannot be reached",
        "kubectl --context edge cluster-info",
        "unreachable",
    ),
}


@dataclass(frozen=True)
class Clusters:
    """A user with a healthy cluster site and a client site that has a trouble."""

    user: User
    core: FakeApi
    edge: FakeApi

    def assert_only_read(self) -> None:
        """Both servers were only read."""
        assert self.core.methods | self.edge.methods <= {"GET"}
        assert self.core.leases == self.edge.leases == {}, "the lock is released"


@pytest.fixture
def trouble(request: pytest.FixtureRequest) -> Trouble:
    """The trouble of that name."""
    return TROUBLES[request.param]


@pytest.fixture
def clusters(user: User, serve: Serve, trouble: Trouble) -> Clusters:
    """The clusters with that trouble."""
    core, edge = serve(healthy("core")), serve(trouble.make())
    user.has_contexts(core=core.url, edge=edge.url)
    return Clusters(user, core, edge)


@pytest.mark.parametrize("trouble", TROUBLES, indirect=True)
@pytest.mark.parametrize("command", ["up", "link"])
def test_trouble_is_one_error_with_a_next_command(command: str, trouble: Trouble, clusters: Clusters) -> None:
    ended = clusters.user.hzlink(command, *SITES)
    refused(ended, 3, trouble.says, trouble.next_step)
    clusters.assert_only_read()
    assert ended.seconds < EARLY


@pytest.mark.parametrize("trouble", TROUBLES, indirect=True)
def test_trouble_is_in_the_document(trouble: Trouble, clusters: Clusters) -> None:
    says = trouble.says.removeprefix("edge: ")
    document = document_of(clusters.user.hzlink("up", *SITES, "-o", "json"), 3, says)
    assert document["errors"][0]["site"] == "edge"
    clusters.assert_only_read()


@pytest.mark.parametrize("trouble", TROUBLES, indirect=True)
def test_status_shows_a_state_for_each_trouble(trouble: Trouble, clusters: Clusters) -> None:
    ended = clusters.user.hzlink("status", *SITES, "-o", "json")
    is_clean(ended)
    document = ended.document
    assert (ended.code, document["exitCode"], document["healthy"]) == (3, 3, False)
    assert {site["name"]: site["state"] for site in document["sites"]} == {"core": "read", "edge": trouble.state}
    assert document["firstBrokenHop"]["site"] == "edge"
    assert ended.err == ""
    clusters.assert_only_read()


def test_objects_at_an_unreadable_site_are_not_reported_as_missing(user: User, serve: Serve) -> None:
    core, edge = serve(FakeApi(fake_api.unauthorized)), serve(healthy("edge"))
    user.has_contexts(core=core.url, edge=edge.url)
    document = user.hzlink("status", *SITES, "-o", "json").document
    assert document["members"] == []
    assert [link["state"] for link in document["links"]] == ["unknown"]
    shown = user.hzlink("status", *SITES).out
    assert "not linked" not in shown
    assert "no pod" not in shown


def test_two_clusters_in_trouble_are_two_errors(user: User, serve: Serve) -> None:
    core, edge = serve(FakeApi(fake_api.unauthorized)), serve(FakeApi(skupper=False))
    user.has_contexts(core=core.url, edge=edge.url)
    ended = user.hzlink("up", *SITES)
    is_clean(ended)
    errors = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert (ended.code, [line.split(":")[1] for line in errors]) == (3, [" core", " edge"])


def test_commands_with_empty_namespaces(user: User, serve: Serve) -> None:
    core, edge = serve(FakeApi()), serve(FakeApi())
    user.has_contexts(core=core.url, edge=edge.url)
    ended = user.hzlink("status", *SITES)
    is_clean(ended)
    assert (ended.code, ended.err) == (1, "")
    assert "unhealthy" in ended.out
    assert "next: hzlink up" in ended.out
    ended = user.hzlink("down", *SITES)
    is_clean(ended)
    assert (ended.code, ended.out) == (0, "no objects of hzlink were found\n")
    ended = user.hzlink("link", *SITES)
    is_clean(ended)
    assert ended.code == 3
    assert "there is no Skupper Site in namespace hz of context core" in ended.err
    assert core.methods | edge.methods == {"GET"}


def test_status_of_a_healthy_topology(user: User, serve: Serve) -> None:
    core, edge = serve(healthy("core")), serve(healthy("edge"))
    user.has_contexts(core=core.url, edge=edge.url)
    ended = user.hzlink("status", *SITES)
    is_clean(ended)
    assert (ended.code, ended.err) == (0, "")
    assert "healthy. 2 sites, 1 link, 3 members" in ended.out


@pytest.fixture
def closed_port() -> int:
    """A port where nothing listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@pytest.mark.parametrize("command", ["up", "link", "down"])
def test_closed_port_fails_at_once(command: str, user: User, serve: Serve, closed_port: int) -> None:
    core = serve(healthy("core"))
    user.has_contexts(core=core.url, edge=f"http://127.0.0.1:{closed_port}")
    ended = user.hzlink(command, *SITES)
    refused(
        ended, 3, "edge: the API server of context edge cannot be reached\n.*refused", "--context edge cluster-info"
    )
    assert core.methods == {"GET"}
    assert ended.seconds < EARLY, "the timeout is 180 s"


def test_status_of_a_closed_port(user: User, serve: Serve, closed_port: int) -> None:
    user.has_contexts(core=serve(healthy("core")).url, edge=f"http://127.0.0.1:{closed_port}")
    ended = user.hzlink("status", *SITES)
    is_clean(ended)
    assert (ended.code, ended.err) == (3, "")
    assert "unreachable" in ended.out
    assert "next: kubectl --context edge cluster-info" in ended.out
    assert ended.seconds < EARLY


@pytest.mark.waits
@pytest.mark.parametrize("command", ["up", "link", "status", "down"])
def test_silent_server_is_unreachable_after_the_timeout(command: str, user: User, serve: Serve) -> None:
    core, edge = serve(healthy("core")), serve(FakeApi(fake_api.silent))
    user.has_contexts(core=core.url, edge=edge.url)
    ended = user.hzlink(command, *SITES, "--timeout", "3")
    is_clean(ended)
    assert ended.code in (3, 4)
    said = ended.out if command == "status" else ended.err
    assert "the API server of context edge cannot be reached" in said
    assert "next: kubectl --context edge cluster-info" in said
    assert core.methods | edge.methods == {"GET"}
    assert ended.seconds < EARLY, "the timeout plus the start on a busy machine"


def _pending() -> FakeApi:
    items = [make.skupper_site("edge", message="Pending"), make.offer("Listener", "No matching connectors")]
    return FakeApi(items=items)


@pytest.fixture
def waiting(user: User, serve: Serve) -> Iterator[Clusters]:
    """Clusters where `hzlink link` waits until its timeout: the client's Site does not get Ready."""
    core, edge = serve(healthy("core")), serve(_pending())
    user.has_contexts(core=core.url, edge=edge.url)
    made = Clusters(user, core, edge)
    yield made
    made.assert_only_read()


@pytest.mark.waits(10)
def test_timeout_still_prints_the_status(waiting: Clusters) -> None:
    ended = waiting.user.hzlink("link", *SITES, "--timeout", ENOUGH)
    is_clean(ended)
    assert ended.code == 4
    assert re.search(
        "error: edge: timed out waiting for: Site ready\n  Site edge says: Pending; waited [0-9]", ended.err
    )
    assert "first broken hop is the Site of edge" in ended.out
    assert ended.seconds < EARLY


@pytest.mark.waits(10)
def test_timeout_is_in_the_document(waiting: Clusters) -> None:
    ended = waiting.user.hzlink("link", *SITES, "--timeout", ENOUGH, "-o", "json")
    document = document_of(ended, 4, "timed out waiting for: Site ready\n  Pending")
    assert 0 < document["errors"][0]["waitedSeconds"] <= float(ENOUGH) + 1
    assert document["firstBrokenHop"]["hop"] == "Site"


@pytest.fixture
def up(user: User, serve: Serve) -> Iterator[Clusters]:
    """Clusters with a healthy topology, which must not be changed."""
    core, edge = serve(healthy("core")), serve(healthy("edge"))
    user.has_contexts(core=core.url, edge=edge.url)
    made = Clusters(user, core, edge)
    yield made
    made.assert_only_read()


def test_down_without_a_terminal_lists_objects_and_refuses(up: Clusters) -> None:
    ended = up.user.hzlink("down", *SITES)
    refused(ended, 2, "there is no terminal to confirm it", "hzlink down --yes")
    listed = [line.strip() for line in ended.err.splitlines() if line.startswith(("  core: ", "  edge: "))]
    assert "core: statefulsets.apps/hazelcast" in listed
    assert "edge: links.skupper.io/hazelcast-core" in listed
    assert not [line for line in listed if "hazelcast-0" in line], "Skupper removes its own objects with the Site"


def test_refusal_of_down_without_a_terminal_is_a_document(up: Clusters) -> None:
    document_of(up.user.hzlink("down", *SITES, "-o", "json"), 2, "there is no terminal to confirm it")


def test_down_of_an_unknown_site_is_refused(up: Clusters) -> None:
    ended = up.user.hzlink("down", *SITES, "--site", "west", "--yes")
    refused(ended, 2, "there is no site 'west' in this topology\n  sites: core, edge")


def test_dry_run_writes_nothing(up: Clusters) -> None:
    ended = up.user.hzlink("up", *SITES, "--dry-run")
    is_clean(ended)
    assert ended.code == 0
    assert "apply" in ended.out


def test_failed_run_writes_no_record(user: User, serve: Serve) -> None:
    core, edge = serve(healthy("core")), serve(FakeApi(fake_api.unauthorized))
    user.has_contexts(core=core.url, edge=edge.url)
    assert user.hzlink("up", *SITES).code == 3
    assert not list((user.folder / "state").rglob("*"))
    assert not [path for path in (user.folder / "home").rglob("*") if ".kube" not in path.parts]
