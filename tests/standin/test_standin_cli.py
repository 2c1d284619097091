"""The stand-in's `skupper` command: options, tables and files, as the real one has them; no clusters."""

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

from sandbox.skupper.cli import kubeconfig, main
from sandbox.skupper.cli.encode import encode, load_token, to_yaml, without_empty
from sandbox.skupper.cli.flags import platform, words
from sandbox.skupper.cli.tables import aligned


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
        ("-p openshift site status", 'platform "openshift" not supported'),
    ],
)
def test_wrong_options_exit_1_and_say_it_twice(arguments: str, problem: str) -> None:
    code, out, err = run(*arguments.split())
    assert (code, out) == (1, f"{problem}\n")
    assert err.startswith(f"Error: {problem}\n")


def test_another_platform_has_no_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKUPPER_PLATFORM", "podman")
    assert run("-c", "client", "site", "status")[:2] == (1, "unknown shorthand flag: 'c' in -c\n")
    assert run("site", "status")[:2] == (1, "command not supported by the selected platform\n")
    assert run("-p", "podman", "token", "issue", "x")[:2] == (1, "command not supported by the selected platform\n")
    code, out, _ = run("-p", "kubernetes", "-c", "client", "site", "status")
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
    ["-c client -n hz link status l1", "link --context=client status -nhz l1", "link status --context client -- l1"],
)
def test_options_may_stand_anywhere(arguments: str) -> None:
    assert words(arguments.split())[:2] == ["link", "status"]
    assert words(arguments.split())[-1] == "l1"


@pytest.mark.parametrize("group", [[], ["token"], ["token", "nonsense"], ["link", "-h"]])
def test_groups_show_their_commands(group: list[str]) -> None:
    code, out, _ = run(*group)
    assert code == 0
    assert "Available Commands:" in out


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
        "(default 15m0s)",
        "(default 1m0s)",
    ):
        assert option in out


def test_missing_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    problem = "invalid configuration: no configuration has been provided, "
    assert run("site", "status")[1].startswith(problem)
    missing = tmp_path / "missing"
    assert run("--kubeconfig", str(missing), "site", "status")[1] == f"stat {missing}: no such file or directory\n"


def test_kubeconfig_files_are_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    chosen = kubeconfig.load("", "")
    assert (chosen.server, chosen.namespace, chosen.token) == ("http://127.0.0.1:1001", "first", "t-one")
    assert kubeconfig.load("", "two").namespace == "default"
    with pytest.raises(kubeconfig.ConfigError, match='context "three" does not exist'):
        kubeconfig.load("", "three")


def test_an_api_server_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c", "namespace": "hz"}}],
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "c", "user": {}}],
    }
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    for arguments, plural, code in (
        (("site", "status"), "sites", 1),
        (("link", "status"), "links", 2),
        (("token", "issue", "x"), "accessgrants", 2),
        (("token", "redeem", "x"), "accesstokens", 2),
    ):
        url = f"http://127.0.0.1:1/apis/skupper.io/v2alpha1/namespaces/hz/{plural}"
        message = f'Get "{url}": dial tcp 127.0.0.1:1: connect: connection refused\n'
        assert run(*arguments)[:2] == (code, message)


# Tables


def test_a_table_as_the_real_command_pads_it() -> None:
    name = "c01-71ad2e37-5781-44ca-89ad-1238a6b69a35"
    text = f"NAME\tSTATUS\tCOST\tMESSAGE\n{name}\tPending\t1\tNot operational"
    assert aligned(text) == f"NAME\t\t\t\t\t\tSTATUS\tCOST\tMESSAGE\n{name}\tPending\t1\tNot operational"
    assert aligned("NAME\tSTATUS\tMESSAGE\nc01\t\t") == "NAME\tSTATUS\tMESSAGE\nc01\t\t"


def test_a_line_without_the_cell_ends_the_column() -> None:
    text = "Host:\tx\nHas Matching Listener:true\nMessage:\tOK\n"
    assert aligned(text, 8) == "Host:\tx\nHas Matching Listener:true\nMessage:\tOK\n"


CELLS = some.text(some.characters(categories=("L", "N")), max_size=20)


@given(some.lists(some.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=6))
def test_columns_stand_below_each_other(rows: list[tuple[str, str, str]]) -> None:
    lines = aligned("\n".join("\t".join(row) for row in rows)).split("\n")
    starts = set()
    for line, row in zip(lines, rows, strict=True):
        expanded = line.expandtabs(8)
        start = len(expanded) - len(row[2])
        assert expanded[start:] == row[2]
        starts.add(start)
    assert len(starts) == 1


# Files


def test_whole_objects_leave_out_what_is_empty() -> None:
    obj = {"a": 0, "b": "", "c": {"d": None, "e": {}}, "f": [{"g": 0}], "h": False, "i": "<&>"}
    assert without_empty(obj) == {"c": {}, "f": [{"g": 0}], "i": "<&>"}
    assert encode("json", {"i": "<&>"}) == '{\n  "i": "\\u003c\\u0026\\u003e"\n}'


@given(some.text(some.characters(categories=("L", "N")), min_size=1, max_size=24))
def test_a_token_file_can_be_read_back(code: str) -> None:
    token = {"kind": "AccessToken", "metadata": {"name": "x"}, "spec": {"code": code, "ca": "a\nb\n"}}
    assert load_token(to_yaml(token)) == token


@pytest.mark.parametrize("text", ["garbage", "", "kind: Secret\nmetadata: {name: x}", "- a", "{"])
def test_what_is_no_token(text: str) -> None:
    assert load_token(text) == {}


def test_ambiguous_texts_are_quoted_as_go_quotes_them() -> None:
    assert to_yaml({"port": "55671", "on": "true", "x": "text"}) == '"on": "true"\nport: "55671"\nx: text\n'


def test_it_starts_without_the_heavy_modules() -> None:
    script = "import sys; from sandbox.skupper.cli import kubeconfig, statuses, tokens, api; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=_path())
    assert not {"httpx", "asyncio", "rich", "typer"} & set(loaded.stdout.split())


def _path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "scripts")}
