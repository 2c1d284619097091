"""The stand-in's `skupper` command: its options and files. No clusters."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

from sandbox.api import kubeconfig
from sandbox.skupper.cli import main
from sandbox.skupper.cli.flags import platform, words
from sandbox.skupper.cli.token_file import load_token, to_yaml, without_empty


def run(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main.main(list(arguments))
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(autouse=True)
def no_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SKUPPER_PLATFORM", raising=False)


def test_version() -> None:
    assert run("-c", "any", "-n", "hz", "version") == (0, "2.2.1\n", "")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("token issue --bogus x", "unknown flag: --bogus"),
        ("token issue x -z", "unknown shorthand flag: 'z' in -z"),
        ("-z token issue x", 'unknown command "issue" for "skupper"'),
        ("token issue --timeout", "flag needs an argument: --timeout"),
        ("-n", "flag needs an argument: 'n' in -n"),
        ("token issue --timeout abc x", 'invalid argument "abc" for "--timeout" flag: time: invalid duration "abc"'),
        (
            "token issue --redemptions-allowed many x",
            'invalid argument "many" for "--redemptions-allowed" flag: '
            'strconv.ParseInt: parsing "many": invalid syntax',
        ),
        ("foo", 'unknown command "foo" for "skupper"'),
        ("-p openshift token redeem x", 'platform "openshift" not supported'),
    ],
)
def test_wrong_options_exit_1_with_the_error_on_both_outputs(arguments: str, problem: str) -> None:
    code, out, err = run(*arguments.split())
    assert (code, out) == (1, f"{problem}\n")
    assert err.startswith(f"Error: {problem}\n")


def test_other_platforms_have_no_context_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKUPPER_PLATFORM", "podman")
    assert run("-c", "client", "token", "redeem", "x")[:2] == (1, "unknown shorthand flag: 'c' in -c\n")
    assert run("token", "redeem", "x")[:2] == (1, "command not supported by the selected platform\n")
    assert run("-p", "podman", "token", "issue", "x")[:2] == (1, "command not supported by the selected platform\n")
    code, out, _ = run("-p", "kubernetes", "-c", "client", "token", "redeem", "x")
    assert (code, out) == (1, 'context "client" does not exist\n')


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ("site status", "", "kubernetes"),
        ("site status", "docker", "docker"),
        ("site status", "vax", "kubernetes"),
        ("-p podman site status", "docker", "podman"),
        ("--platform=linux site status", "", "linux"),
        ("-p kubernetes site status", "podman", "kubernetes"),
    ],
)
def test_platforms(arguments: str, environment: str, expected: str) -> None:
    assert platform(arguments.split(), environment) == expected


@pytest.mark.parametrize(
    "arguments",
    ["-c client -n hz token issue t1", "token --context=client issue -nhz t1", "token issue --context client -- t1"],
)
def test_options_are_allowed_anywhere(arguments: str) -> None:
    assert words(arguments.split())[:2] == ["token", "issue"]
    assert words(arguments.split())[-1] == "t1"


@pytest.mark.parametrize("group", [[], ["token"], ["token", "nonsense"], ["token", "-h"]])
def test_groups_show_their_commands(group: list[str]) -> None:
    code, out, _ = run(*group)
    assert code == 0
    assert "Available Commands:" in out


@pytest.mark.parametrize("command", ["site status", "link status", "listener status", "connector status"])
def test_commands_that_hzlink_does_not_run_say_that_they_are_not_simulated(command: str) -> None:
    name = command.split()[0]
    assert run(*command.split())[:2] == (1, f"skupper {name} is not simulated in the sandbox\n")


def test_help_names_the_real_options() -> None:
    code, out, _ = run("token", "issue", "-h")
    assert code == 0
    for option in (
        "--cost string",
        "--expiration-window duration",
        "--redemptions-allowed int",
        "--timeout duration",
        "-c, --context string",
        "--kubeconfig string",
        "-n, --namespace string",
        "-p, --platform string",
    ):
        assert option in out


def test_missing_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    problem = "invalid configuration: no configuration has been provided, "
    assert run("token", "redeem", "x")[1].startswith(problem)
    missing = tmp_path / "missing"
    assert (
        run("--kubeconfig", str(missing), "token", "redeem", "x")[1] == f"stat {missing}: no such file or directory\n"
    )


def test_kubeconfig_files_are_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(name: str, context: str, port: int, namespace: str) -> str:
        config = {
            "current-context": context,
            "contexts": [{"name": context, "context": {"cluster": context, "user": context, "namespace": namespace}}],
            "clusters": [{"name": context, "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": context, "user": {"token": f"t-{context}"}}],
        }
        path = tmp_path / name
        path.write_text(yaml.safe_dump(config))
        return str(path)

    both = os.pathsep.join([write("a", "one", 1001, "first"), write("b", "two", 1002, "")])
    monkeypatch.setenv("KUBECONFIG", both)
    chosen = kubeconfig.load(kubeconfig.default_paths(""))
    assert (chosen.server, chosen.namespace, chosen.token) == ("http://127.0.0.1:1001", "first", "t-one")
    assert kubeconfig.load(kubeconfig.default_paths(""), "two").namespace == "default"
    with pytest.raises(kubeconfig.ConfigError, match='context "three" does not exist'):
        kubeconfig.load(kubeconfig.default_paths(""), "three")


def test_an_unreachable_api_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c", "namespace": "hz"}}],
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "c", "user": {}}],
    }
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    for arguments, plural, code in (
        (("token", "issue", "x"), "accessgrants", 2),
        (("token", "redeem", "x"), "accesstokens", 2),
    ):
        url = f"http://127.0.0.1:1/apis/skupper.io/v2alpha1/namespaces/hz/{plural}"
        message = f'Get "{url}": dial tcp 127.0.0.1:1: connect: connection refused\n'
        assert run(*arguments)[:2] == (code, message)


# Files


def test_a_token_file_leaves_out_what_is_empty() -> None:
    obj = {"a": 0, "b": "", "c": {"d": None, "e": {}}, "f": [{"g": 0}], "h": False, "i": "<&>"}
    assert without_empty(obj) == {"c": {}, "f": [{"g": 0}], "i": "<&>"}


@given(some.text(some.characters(categories=("L", "N")), min_size=1, max_size=24))
def test_a_token_file_can_be_read_back(code: str) -> None:
    token = {"kind": "AccessToken", "metadata": {"name": "x"}, "spec": {"code": code, "ca": "a\nb\n"}}
    assert load_token(to_yaml(token)) == token


@pytest.mark.parametrize("text", ["garbage", "", "kind: Secret\nmetadata: {name: x}", "- a", "{"])
def test_files_without_a_token(text: str) -> None:
    assert load_token(text) == {}


def test_ambiguous_texts_are_quoted_as_go_quotes_them() -> None:
    assert to_yaml({"port": "55671", "on": "true", "x": "text"}) == '"on": "true"\nport: "55671"\nx: text\n'


def test_the_cli_does_not_import_heavy_modules() -> None:
    script = "import sys, sandbox.api.kubeconfig; from sandbox.skupper.cli import tokens, api; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=_path())
    assert not {"httpx", "asyncio", "rich", "typer"} & set(loaded.stdout.split())


def _path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "scripts")}
