"""Finds the command, reads its options, runs it; the one place where its errors are printed."""

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

_TIMEOUT = Flag("timeout", "duration", "give up after this long", "60s")
_OUTPUT = Flag("output", "string", "print whole objects: json or yaml", short="o")
_STATUS = (HELP, _OUTPUT)

COMMANDS = (
    Command(("version",), "", "Print the command's version."),
    Command(("site", "status"), "", "Show the state of the namespace's Sites.", _STATUS),
    Command(
        ("token", "issue"),
        "<fileName>",
        "Write a token file with which another Site can link to this one.",
        (
            HELP,
            _TIMEOUT,
            Flag("redemptions-allowed", "int", "how often the token can be redeemed", "1"),
            Flag("expiration-window", "duration", "how long it can be redeemed", "15m"),
            Flag("cost", "string", "cost of the Link", "1"),
        ),
    ),
    Command(("token", "redeem"), "<filename>", "Link to the Site that issued a token.", (HELP, _TIMEOUT)),
    Command(("link", "status"), "", "Show the state of the namespace's Links.", _STATUS),
    Command(("listener", "status"), "<name>", "Show the state of Listeners.", _STATUS),
    Command(("connector", "status"), "<name>", "Show the state of Connectors.", _STATUS),
)
_GROUPS = {command.path[0] for command in COMMANDS if len(command.path) > 1}
_REAL_ONLY = {"completion", "debug", "manifest", "system"}


def main(arguments: list[str]) -> int:
    """Runs the command; its exit code: 2 for what validation refuses, 1 for other errors."""
    here = platform(arguments, os.environ.get("SKUPPER_PLATFORM", ""))
    general = global_flags(here)
    named = tuple(words(arguments)[:2])
    command = next((c for c in COMMANDS if named[: len(c.path)] == c.path), None)
    if command is None:
        return _no_command(arguments, named, general)
    own = command.flags or (HELP,)
    try:
        parsed = parse(arguments, own + general, command.path)
    except FlagError as err:
        return _wrong_flags(str(err), usage(command, own, general))
    if parsed.help:
        print(f"{command.text}\n\n{usage(command, own, general)}", end="")
        return 0
    if command.path == ("version",):
        print(VERSION)
        return 0
    chosen = parsed.values["platform"] or here
    if chosen not in ("kubernetes", "podman", "docker", "linux"):
        return _wrong_flags(f'platform "{chosen}" not supported', usage(command, own, general))
    if chosen != "kubernetes":
        print("command not supported by the selected platform")
        return 1
    return _run(command, parsed)


def _run(command: Command, parsed: Parsed) -> int:
    # Only now: help, version and wrong options need none of it.
    from sandbox.skupper.cli import kubeconfig, statuses, tokens
    from sandbox.skupper.cli.api import Api, ApiError
    from sandbox.skupper.cli.outcome import Outcome

    actions: dict[tuple[str, ...], Callable[[Api, Parsed], None]] = {
        ("site", "status"): statuses.site,
        ("link", "status"): statuses.link,
        ("listener", "status"): statuses.listener,
        ("connector", "status"): statuses.connector,
        ("token", "issue"): tokens.issue,
        ("token", "redeem"): tokens.redeem,
    }
    try:
        access = kubeconfig.load(parsed.values["kubeconfig"], parsed.values["context"])
        actions[command.path](Api(access, parsed.values["namespace"]), parsed)
    except Outcome as outcome:
        print(outcome)
        return outcome.code
    except (kubeconfig.ConfigError, ApiError) as err:
        print(err)
        return 1
    return 0


def _no_command(arguments: list[str], named: tuple[str, ...], general: tuple[Flag, ...]) -> int:
    """A group shows what it has; anything else does not exist."""
    if named and named[0] in _REAL_ONLY:
        print(f"skupper {named[0]} is not simulated in the sandbox")
        return 1
    if named and named[0] not in _GROUPS:
        problem = f'unknown command "{named[0]}" for "skupper"'
        return _wrong_flags(problem, "Run 'skupper --help' for usage.")
    group = named[:1]
    shown = "".join(
        f"  skupper {' '.join(command.path):<18} {command.text}\n"
        for command in COMMANDS
        if command.path[:1] == group or not group
    )
    try:
        parse(arguments, (HELP, *general), group)
    except FlagError as err:
        return _wrong_flags(str(err), f"Available Commands:\n{shown}")
    print(f"Available Commands:\n{shown}", end="")
    return 0


def _wrong_flags(problem: str, shown: str) -> int:
    print(f"Error: {problem}\n{shown}", file=sys.stderr)
    print(problem)
    return 1
