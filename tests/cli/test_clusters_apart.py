"""Contexts with the same server address: the UIDs of the clusters' namespaces show whether they are the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from tests.cli import fake_api
from tests.cli.fake_api import FakeApi
from tests.cli.program import User

Serve = Callable[[FakeApi], FakeApi]
SITES = ("--client-ctx", "edge", "--cluster-ctx", "core", "--timeout", "20")
COMMANDS = [("status",), ("link",), ("up",), ("check",), ("down", "--yes"), ("verify",)]


def behind_proxies(user: User, **proxies: str) -> None:
    """Contexts with the same server address in namespace hz, each with its own proxy."""
    clusters = [
        {"name": name, "cluster": {"server": "http://clusters.example", "proxy-url": proxy}}
        for name, proxy in proxies.items()
    ]
    contexts = [{"name": name, "context": {"cluster": name, "user": "ann", "namespace": "hz"}} for name in proxies]
    users = [{"name": "ann", "user": {}}]
    user.kubeconfig.write_text(yaml.safe_dump({"clusters": clusters, "contexts": contexts, "users": users}))


def namespaces_refused(request: fake_api.Request) -> None:
    """Forbids reading Namespaces and allows everything else."""
    if request.path.startswith("/api/v1/namespaces/") and request.path.count("/") == 4:
        request.status(403, "Forbidden", 'namespaces "x" is forbidden: User "ann" cannot get resource "namespaces"')
    else:
        request.well()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_one_cluster_behind_two_proxies_is_refused(command: tuple[str, ...], user: User, serve: Serve) -> None:
    core = serve(FakeApi(namespaces=("hz", "kube-system")))
    behind_proxies(user, core=core.url, edge=f"{core.url}/")
    ended = user.hzlink(*command, *SITES)
    assert ended.code == 2
    assert "two sites are the same namespace: hz of contexts core and edge" in ended.err
    assert "namespace kube-system has the same UID" in ended.err
    assert core.methods == {"GET"}


def test_other_uids_are_compared_when_kube_system_is_unreadable(user: User, serve: Serve) -> None:
    item = {"kind": "ServiceAccount", "metadata": {"name": "default", "uid": "one-in-the-world"}}
    core = serve(FakeApi(namespaces_refused, items=[item]))
    behind_proxies(user, core=core.url, edge=f"{core.url}/")
    ended = user.hzlink("status", *SITES)
    assert ended.code == 2
    assert "they contain objects with the same UIDs" in ended.err


def test_two_clusters_behind_one_address_are_accepted(user: User, serve: Serve) -> None:
    core, edge = (serve(FakeApi(namespaces=("hz", "kube-system"))) for _ in "ab")
    behind_proxies(user, core=core.url, edge=edge.url)
    ended = user.hzlink("status", *SITES, "-o", "json")
    assert ended.code == 1
    assert [site["state"] for site in ended.document["sites"]] == ["read", "read"]


def test_render_calls_no_cluster(user: User) -> None:
    behind_proxies(user, core="http://127.0.0.1:1", edge="http://127.0.0.1:2")
    assert user.hzlink("render", *SITES).code == 0
