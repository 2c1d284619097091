"""Help texts of commands and options. Without golden files, because rich's boxes vary by version."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from hzlink import __version__
from hzlink.cli.app import app, leave_out_others
from tests.cli.program import User

COMMAND: Any = typer.main.get_command(app)
COMMANDS: dict[str, Any] = COMMAND.commands
# Options that every command has (see the README).
SHARED = (
    "--client-ctx",
    "--cluster-ctx",
    "--namespace",
    "--client-ns",
    "--cluster-ns",
    "--kubeconfig",
    "--client-kubeconfig",
    "--cluster-kubeconfig",
    "--hub-ctx",
    "--hub-ns",
    "--hub-kubeconfig",
    "--file",
    "--output",
    "--timeout",
    "--verbose",
    "--quiet",
    "--no-color",
)
SHORT = {"-n": "--namespace", "-f": "--file", "-o": "--output", "-v": "--verbose", "-q": "--quiet"}


def _help(*args: str) -> str:
    result = CliRunner().invoke(app, [*args, "--help"], env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"})
    assert result.exit_code == 0
    return result.output


def _options(command: str) -> list[Any]:
    return [parameter for parameter in COMMANDS[command].params if parameter.param_type_name == "option"]


SHOWN = (
    *("up", "link", "status", "check", "verify", "bench", "open", "down", "render", "dump", "version"),
    "member-config",
)


def test_help_lists_the_commands() -> None:
    shown = _help()
    for command in SHOWN:
        assert command in COMMANDS
        assert re.search(rf"\b{command}\b", shown)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_text(command: str) -> None:
    text = COMMANDS[command].help
    assert text
    assert text[0].isupper()
    assert text.rstrip().endswith(".")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_help_text(command: str) -> None:
    for option in _options(command):
        assert option.help, f"{command} {option.opts}"
        assert option.help.rstrip().endswith((".", ")")), f"{command} {option.opts}: {option.help}"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_every_option(command: str) -> None:
    shown = _help(command)
    for option in _options(command):
        for name in option.opts:
            assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", shown), name


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {"version", "member-config"}))
def test_every_command_has_the_common_options(command: str) -> None:
    names = {name for option in _options(command) for name in option.opts}
    assert set(SHARED) <= names
    for option in _options(command):
        for short in set(option.opts) & set(SHORT):
            assert SHORT[short] in option.opts


@pytest.mark.parametrize("command", COMMANDS)
def test_option_names_are_unique(command: str) -> None:
    names = [name for option in _options(command) for name in option.opts]
    assert len(names) == len(set(names))


def test_up_and_down_have_their_main_options() -> None:
    names = {name for option in _options("up") for name in option.opts}
    wanted = {
        "--members",
        "--image",
        "--mode",
        "--expose",
        "--link-from",
        "--link-access",
        "--via",
        "--dry-run",
        "--create-namespace",
    } | {"--skip-check"}
    assert wanted <= names
    assert {"--yes", "--site"} <= {name for option in _options("down") for name in option.opts}


@pytest.mark.parametrize("args", [(), *((name,) for name in SHOWN)])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_real_script_prints_help(args: tuple[str, ...], flag: str, user: User) -> None:
    ended = user.script(*args, flag)
    assert (ended.code, ended.err) == (0, "")
    assert "Usage: " in ended.out
    assert "\x1b" not in ended.out


def test_version_option(user: User) -> None:
    ended = user.script("--version")
    assert (ended.code, ended.out, ended.err) == (0, f"hzlink {__version__}\n", "")


def test_help_needs_no_kubeconfig_and_writes_nothing(user: User) -> None:
    assert user.hzlink("up", "--help").code == 0
    assert not [path for path in user.folder.rglob("*") if path.is_file() and path.name != "kubectl"]


@pytest.mark.parametrize(("typed", "built"), [("status", {"status"}), ("stauts", set(COMMANDS)), ("-h", set(COMMANDS))])
def test_other_commands_are_left_out_if_one_is_named(
    typed: str, built: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "registered_commands", app.registered_commands)
    leave_out_others(typed)
    command: Any = typer.main.get_command(app)
    assert set(command.commands) == built
