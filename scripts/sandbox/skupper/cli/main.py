"""Finds the command, reads its options, runs it and prints its errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from sandbox.skupper import VERSION
from sandbox.skupper.cli.flags import (
    HELP,
    Command,
    Flag,
    FlagError,
    Parsed,
    global_flags,
    parse,
    platform,
    usage,
    words,
)

_TIMEOUT = Flag("timeout", "duration", "60s")
COMMANDS = (
    Command(("version",), ""),
    Command(
        ("token", "issue"),
        "<fileName>",
        (
            HELP,
            _TIMEOUT,
            Flag("redemptions-allowed", "int", "1"),
            Flag("expiration-window", "duration", "15m"),
            Flag("cost", "string", "1"),
        ),
    ),
    Command(("token", "redeem"), "<filename>", (HELP, _TIMEOUT)),
)
# Commands of the real CLI that hzlink does not run.
_NOT_SIMULATED = {"completion", "connector", "debug", "link", "listener", "manifest", "site", "system"}


def main(arguments: list[str]) -> int:
    """Runs the command; its exit code: 2 for what validation refuses, 1 for other errors."""
    here = platform(arguments, os.environ.get("SKUPPER_PLATFORM", ""))
    general = global_flags(here)
    named = tuple(words(arguments)[:2])
    command = next((c for c in COMMANDS if named[: len(c.path)] == c.path), None)
    if command is None:
        return _no_command(arguments, named, general)
    own = command.flags
    try:
        parsed = parse(arguments, own + general, command.path)
    except FlagError as err:
        return _wrong_flags(str(err), usage(command, own + general))
    if parsed.help:
        print(usage(command, own + general))
        return 0
    if command.path == ("version",):
        print(VERSION)
        return 0
    chosen = parsed.values["platform"] or here
    if chosen not in ("kubernetes", "podman", "docker", "linux"):
        return _wrong_flags(f'platform "{chosen}" not supported', usage(command, own + general))
    if chosen != "kubernetes":
        print("command not supported by the selected platform")
        return 1
    return _run(command, parsed)


def _run(command: Command, parsed: Parsed) -> int:
    # Imported here: help, version and wrong options need none of it.
    from sandbox.api import kubeconfig
    from sandbox.skupper.cli import tokens
    from sandbox.skupper.cli.api import Api, ApiError, Failed

    action: Callable[[Api, Parsed], None] = tokens.issue if command.path == ("token", "issue") else tokens.redeem
    try:
        access = kubeconfig.load(kubeconfig.default_paths(parsed.values["kubeconfig"]), parsed.values["context"])
        action(Api(access, parsed.values["namespace"]), parsed)
    except Failed as failure:
        print(failure)
        return failure.code
    except (kubeconfig.ConfigError, ApiError) as err:
        print(err)
        return 1
    return 0


def _no_command(arguments: list[str], named: tuple[str, ...], general: tuple[Flag, ...]) -> int:
    """A group lists its commands; anything else does not exist."""
    if named and named[0] in _NOT_SIMULATED:
        print(f"skupper {named[0]} is not simulated in the sandbox")
        return 1
    if named and named[0] != "token":
        problem = f'unknown command "{named[0]}" for "skupper"'
        return _wrong_flags(problem, "Run 'skupper --help' for usage.")
    commands = (command for command in COMMANDS if command.path[:1] == named[:1] or not named)
    shown = "\n".join(("Available Commands:", *(f"  skupper {' '.join(command.path)}" for command in commands)))
    try:
        parse(arguments, (HELP, *general), named[:1])
    except FlagError as err:
        return _wrong_flags(str(err), shown)
    print(shown)
    return 0


def _wrong_flags(problem: str, shown: str) -> int:
    print(f"Error: {problem}\n{shown}", file=sys.stderr)
    print(problem)
    return 1
