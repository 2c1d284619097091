"""Credential plugins: run once before the calls begin, with the terminal for those that ask; named when they fail."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli import fake_api
from tests.cli.fake_api import FakeApi
from tests.cli.program import User

V1 = "client.authentication.k8s.io/v1"
SITES = ("--client-ctx", "edge", "--cluster-ctx", "core", "--timeout", "40")
GOOD = "T0ken-g00d"


def credential(token: object, version: str = V1, **status: str) -> str:
    document = {"apiVersion": version, "kind": "ExecCredential", "status": {"token": token, **status}}
    return f"echo '{json.dumps(document)}'"


def token_wanted(request: fake_api.Request) -> None:
    """Accepts the good token alone."""
    if request.headers.get("Authorization") == f"Bearer {GOOD}":
        request.well()
    else:
        fake_api.unauthorized(request)


class Logins:
    """Two clusters whose contexts get their credentials from plugins, which note their runs."""

    def __init__(self, user: User, serve: Callable[[FakeApi], FakeApi]) -> None:
        self.user = user
        self.servers = {name: serve(FakeApi(token_wanted, tls=True)).url for name in ("core", "edge")}
        self.runs = user.folder / "runs"
        user.env["PATH"] += f"{os.pathsep}/usr/bin{os.pathsep}/bin"
        (user.folder / "tmp").mkdir()
        user.env["TMPDIR"] = str(user.folder / "tmp")

    def plugin(self, name: str, body: str) -> str:
        """A plugin; its path."""
        path = self.user.folder / name
        path.write_text(f"#!/bin/sh\necho {name} >>'{self.runs}'\n{body}\n")
        path.chmod(0o755)
        return str(path)

    def of(self, *, core: dict[str, Any], edge: dict[str, Any] | None = None) -> None:
        """Writes the kubeconfig: the `exec` of each context's user; without one for edge, both have the same."""
        users = {"core": core, "edge": edge or core}
        config = {
            "clusters": [
                {"name": name, "cluster": {"server": server, "insecure-skip-tls-verify": True}}
                for name, server in self.servers.items()
            ],
            "users": [
                {"name": f"{name}-user", "user": {"exec": {"apiVersion": V1, "interactiveMode": "Never", **how}}}
                for name, how in users.items()
            ],
            "contexts": [
                {"name": name, "context": {"cluster": name, "user": f"{name}-user", "namespace": "hz"}}
                for name in users
            ],
        }
        self.user.kubeconfig.write_text(yaml.safe_dump(config))

    @property
    def ran(self) -> list[str]:
        """The runs so far, by plugin."""
        return self.runs.read_text().split() if self.runs.exists() else []

    def left(self) -> list[Path]:
        """What is left of the credentials."""
        return list((self.user.folder / "tmp").rglob("*"))


@pytest.fixture
def logins(user: User, serve: Callable[[FakeApi], FakeApi]) -> Logins:
    return Logins(user, serve)


def states(document: Any) -> dict[str, str]:
    return {site["name"]: site["state"] for site in document["sites"]}


def test_a_plugin_runs_once_for_all_calls_and_contexts(logins: Logins) -> None:
    logins.of(core={"command": logins.plugin("login", credential(GOOD))})
    ended = logins.user.hzlink("status", *SITES, "-o", "json", "-vv")
    assert states(ended.document) == {"core": "read", "edge": "read"}
    assert logins.ran == ["login"]
    assert GOOD not in ended.out + ended.err
    assert logins.left() == []


def test_its_arguments_and_variables_and_a_path_beside_the_kubeconfig(logins: Logins) -> None:
    logins.plugin("login", f'[ "$1 $WHO" = "a b ann" ] || exit 9\n{credential(GOOD)}')
    logins.of(core={"command": "./login", "args": ["a b"], "env": [{"name": "WHO", "value": "ann"}]})
    ended = logins.user.hzlink("status", *SITES, "-o", "json")
    assert states(ended.document) == {"core": "read", "edge": "read"}


@pytest.mark.waits(11)
def test_a_slow_one_is_slow_and_nothing_else(logins: Logins) -> None:
    """Slower than any limit that a single call of `status` has."""
    logins.of(core={"command": logins.plugin("login", f"sleep 11\n{credential(GOOD)}")})
    ended = logins.user.hzlink("status", *SITES, "-o", "json")
    assert states(ended.document) == {"core": "read", "edge": "read"}


def test_the_users_time_is_its_limit(logins: Logins) -> None:
    logins.of(core={"command": logins.plugin("login", "sleep 30")})
    ended = logins.user.hzlink("up", *SITES[:4], "--timeout", "2")
    assert ended.code == 3
    assert "of context core, edge did not end within 2 s" in ended.err
    assert "unreachable" not in ended.err


def test_one_that_asks_gets_the_terminal_once(logins: Logins) -> None:
    """Neither keeps what it was told, so that each further run would ask again."""
    ask = 'printf "%s code: " "$WHO" >&2\nread code\n'
    answer = credential("'$code'")
    plugin = logins.plugin("login", ask + answer)
    always, possibly = ({"command": plugin, "interactiveMode": mode} for mode in ("Always", "IfAvailable"))
    logins.of(
        core={**always, "env": [{"name": "WHO", "value": "core"}]},
        edge={**possibly, "env": [{"name": "WHO", "value": "edge"}]},
    )
    shown = logins.user.at_terminal("status", *SITES, "-o", "json")
    shown.until("core code: ")
    shown.press(f"{GOOD}\n")
    shown.until("edge code: ")
    shown.press(f"{GOOD}\n")
    code, seen = shown.end()
    assert code == 1
    assert logins.ran == ["login", "login"]
    assert seen.count("code: ") == 2
    assert seen.count('"state": "read"') == 2
    assert logins.left() == []


def test_one_that_must_ask_and_has_no_terminal(logins: Logins) -> None:
    logins.of(core={"command": logins.plugin("login", credential(GOOD)), "interactiveMode": "Always"})
    ended = logins.user.hzlink("up", *SITES, "-o", "json")
    assert ended.code == 3
    first = ended.document["errors"][0]
    assert "needs a terminal" in first["message"]
    assert str(logins.user.kubeconfig) in first["said"]
    assert "at a terminal" in first["next"]
    assert logins.ran == []


@pytest.mark.parametrize(
    ("how", "body", "message", "said", "then"),
    [
        ({"command": "no-such-login", "installHint": "brew install it"}, "", "is not installed", "brew", "install"),
        ({"command": "/no/such/login"}, "", "is not installed", "", "install /no/such/login"),
        ({}, "echo 'run: aws sso login' >&2; exit 255", "failed with exit code 255", "run: aws sso login", "log in"),
        ({}, "echo moo", "printed no ExecCredential", "", "correct `command`"),
        ({}, credential(GOOD, "v2"), "has another version", "version v2", "apiVersion"),
        ({}, credential(""), "gave neither a token", "", "log in again"),
        ({}, credential(7), "gave a value of token that is not text", "", "correct `command`"),
    ],
    ids=["not on the PATH", "no such file", "fails", "nonsense", "another version", "nothing in it", "a number"],
)
@pytest.mark.parametrize("command", ["up", "status"])
def test_one_that_fails_is_named(
    command: str, how: dict[str, Any], body: str, message: str, said: str, then: str, logins: Logins
) -> None:
    plugin = logins.plugin("login", body)
    logins.of(core={"command": plugin, **how}, edge={"command": logins.plugin("well", credential(GOOD))})
    ended = logins.user.hzlink(command, *SITES, "-o", "json")
    assert ended.code == 3
    told = json.dumps(ended.document)
    assert f"the credential plugin {how.get('command', plugin)} of context core {message}" in told
    assert f"{logins.user.kubeconfig}: user core-user runs" in told
    assert said in told
    assert then in told
    assert logins.ran.count("login") <= 1


def test_a_credential_that_is_refused_is_renewed(logins: Logins) -> None:
    """The plugin's first one is outdated, as from a cache of its own."""
    mark = logins.user.folder / "second"
    body = f"if [ -e '{mark}' ]; then {credential(GOOD)}; else : >'{mark}'; {credential('old')}; fi"
    logins.of(core={"command": logins.plugin("login", body)})
    ended = logins.user.hzlink("status", *SITES, "-o", "json")
    assert states(ended.document) == {"core": "read", "edge": "read"}
    assert logins.ran == ["login", "login"]


def test_one_that_is_about_to_expire_is_renewed(logins: Logins) -> None:
    logins.of(core={"command": logins.plugin("login", credential(GOOD, expirationTimestamp="2020-01-01T00:00:00Z"))})
    ended = logins.user.hzlink("status", *SITES, "-o", "json")
    assert states(ended.document) == {"core": "read", "edge": "read"}
    assert len(logins.ran) > 1


@pytest.mark.waits(22)
def test_one_that_wants_to_be_told_of_the_cluster_is_left_to_kubectl(logins: Logins) -> None:
    """Slower than a single call may be otherwise."""
    body = f'sleep 11; case "$KUBERNETES_EXEC_INFO" in *server*) {credential(GOOD)} ;; esac'
    logins.of(core={"command": logins.plugin("login", body), "provideClusterInfo": True})
    ended = logins.user.hzlink("status", *SITES, "-o", "json")
    assert states(ended.document) == {"core": "read", "edge": "read"}


@pytest.mark.parametrize("policy", ["DenyAll", "AllowAll"])
def test_a_users_rule_for_plugins_holds(policy: str, logins: Logins) -> None:
    """All else in the same kuberc does not: this option would make each `get` fail. It takes kubectl 1.35 or later."""
    kubectl = logins.user.folder / "bin" / "kubectl"
    kubectl.unlink()
    kubectl.symlink_to(Path(sys.executable).with_name("kubectl"))
    logins.of(core={"command": logins.plugin("login", credential(GOOD))})
    spoils = [{"command": "get", "options": [{"name": "no-such-option", "default": "x"}]}]
    head = {"apiVersion": "kubectl.config.k8s.io/v1beta1", "kind": "Preference", "defaults": spoils}
    kuberc = logins.user.folder / "home" / ".kube" / "kuberc"
    kuberc.parent.mkdir()
    kuberc.write_text(yaml.safe_dump({**head, "credentialPluginPolicy": policy}))
    ended = logins.user.hzlink("status", *SITES, "-o", "json")
    assert bool(logins.ran) is (policy == "AllowAll")
    expected = "read" if policy == "AllowAll" else "unauthorized"
    assert states(ended.document) == {"core": expected, "edge": expected}
    assert logins.left() == []
