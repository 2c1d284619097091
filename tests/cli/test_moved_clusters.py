"""A context that leads to another cluster than at the last `up`: told, and `down` is refused there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli import fake_api
from tests.cli.fake_api import FakeApi
from tests.cli.program import User

SITES = ("--client-ctx", "edge", "--cluster-ctx", "core", "--timeout", "20")


class Moved:
    """Two clusters, and a record of the last `up` with UIDs of kube-system."""

    def __init__(self, user: User, serve: Callable[[FakeApi], FakeApi]) -> None:
        self.user = user
        self.servers = {name: serve(FakeApi(namespaces=("hz", "kube-system"))) for name in ("core", "edge")}
        user.has_contexts(**{name: server.url for name, server in self.servers.items()})

    def uid(self, context: str) -> str:
        """What a cluster's kube-system has."""
        return f"{self.servers[context].url}/kube-system"

    @property
    def file(self) -> Path:
        """The record."""
        return Path(self.user.env["XDG_STATE_HOME"]) / "hzlink" / "last.json"

    def record(self, *clusters: Any, **uids: str) -> None:
        """Writes it."""
        entries = [{"context": name, "kubeconfig": "", "uid": uid, "endpoint": "another"} for name, uid in uids.items()]
        self.file.parent.mkdir(parents=True)
        settings = {"client_ctx": ["edge"], "cluster_ctx": "core"}
        self.file.write_text(json.dumps({**settings, "clusters": [*clusters, *entries]}))


@pytest.fixture
def moved(user: User, serve: Callable[[FakeApi], FakeApi]) -> Moved:
    return Moved(user, serve)


@pytest.mark.parametrize("named", [True, False], ids=["contexts named", "by the record"])
def test_down_is_refused(named: bool, moved: Moved) -> None:
    moved.record(core=moved.uid("core"), edge="before")
    args = SITES if named else ()
    ended = moved.user.hzlink("down", "--yes", *args, "-o", "json")
    assert ended.code == 2
    [error] = ended.document["errors"]
    assert error["site"] == "edge"
    assert error["message"] == "context edge leads to another cluster than at the last `hzlink up`"
    assert error["said"] == f"namespace kube-system has UID {moved.uid('edge')}; at the last `up` it had before"
    assert error["next"].startswith("hzlink down --other-cluster")
    assert moved.file.exists()


def test_down_where_it_is_meant(moved: Moved) -> None:
    moved.record(core=moved.uid("core"), edge="before")
    ended = moved.user.hzlink("down", "--yes", "--other-cluster", *SITES)
    assert ended.code == 0
    assert not moved.file.exists()


@pytest.mark.parametrize("command", ["status", "check", "link", "up"])
def test_other_commands_tell_it(command: str, moved: Moved) -> None:
    moved.record(core=moved.uid("core"), edge="before")
    ended = moved.user.hzlink(command, *SITES)
    assert "context edge leads to another cluster than at the last `hzlink up`" in ended.err
    assert "context core leads" not in ended.err


def test_who_may_not_read_kube_system_is_not_refused(moved: Moved) -> None:
    def answer(request: fake_api.Request) -> None:
        if "kube-system" in request.path:
            request.status(403, "Forbidden", 'namespaces "kube-system" is forbidden: User "ann" cannot get resource')
        else:
            request.well()

    for server in moved.servers.values():
        server.answer_with(answer)
    moved.record(edge="before")
    assert moved.user.hzlink("down", "--yes", *SITES).code == 0


@pytest.mark.parametrize("entry", [None, 7, {}, {"context": "edge"}, {"context": ["edge"], "uid": "x"}])
def test_a_record_that_is_not_what_it_should_be(entry: Any, moved: Moved) -> None:
    moved.record(entry)
    assert moved.user.hzlink("down", "--yes", *SITES).code == 0
