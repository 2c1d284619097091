"""Parses the command's arguments as Go's cobra does. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sandbox.skupper import durations

Kind = Literal["string", "int", "duration", "help"]


@dataclass(frozen=True)
class Flag:
    """One option. `default` is in the form of an argument."""

    name: str
    kind: Kind
    default: str = ""
    short: str = ""


HELP = Flag("help", "help", short="h")


@dataclass(frozen=True)
class Command:
    """One command with the form of its arguments and its own options."""

    path: tuple[str, ...]
    usage: str
    flags: tuple[Flag, ...] = (HELP,)


@dataclass
class Parsed:
    """Options by name and the other arguments."""

    values: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    help: bool = False


class FlagError(Exception):
    """An option is unknown, has no value or a wrong value."""


PLATFORM = Flag("platform", "string", short="p")
NAMESPACE = Flag("namespace", "string", short="n")
CONTEXT = Flag("context", "string", short="c")
KUBECONFIG = Flag("kubeconfig", "string")
_SUPPORTED = ("kubernetes", "podman", "docker", "linux")


def platform(arguments: list[str], environment: str) -> str:
    """The platform of the command line, else of SKUPPER_PLATFORM; an unknown one counts as kubernetes.

    It is read before the options, because it decides which options exist.
    """
    found = ""
    for index, argument in enumerate(arguments):
        if argument in ("--platform", "-p") and index + 1 < len(arguments):
            found = arguments[index + 1]
            break
        if argument.startswith(("--platform=", "-p=")):
            found = argument.split("=")[1]
            break
    found = found or environment
    return found if found in _SUPPORTED else "kubernetes"


def global_flags(for_platform: str) -> tuple[Flag, ...]:
    """Contexts and kubeconfigs exist on Kubernetes only."""
    if for_platform == "kubernetes":
        return (CONTEXT, KUBECONFIG, NAMESPACE, PLATFORM)
    return (NAMESPACE, PLATFORM)


def words(arguments: list[str]) -> list[str]:
    """The arguments that are neither options nor their values; the first ones are the command's name."""
    found: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            return found + rest
        if argument.startswith("--"):
            if "=" not in argument and argument != "--help":
                rest[:1] = []
        elif argument.startswith("-") and argument != "-":
            if len(argument) == 2 and argument != "-h":
                rest[:1] = []
        else:
            found.append(argument)
    return found


def parse(arguments: list[str], flags: tuple[Flag, ...], skip: tuple[str, ...]) -> Parsed:
    """Reads the options; `skip` are the command's own names, left out of the other arguments. FlagError."""
    parsed = Parsed({flag.name: flag.default for flag in flags})
    names, rest = list(skip), list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            parsed.arguments += rest
            break
        if argument.startswith("--"):
            _long(argument[2:], rest, flags, parsed)
        elif argument.startswith("-") and argument != "-":
            _short(argument[1:], rest, flags, parsed)
        elif names and argument == names[0]:
            names.pop(0)
        else:
            parsed.arguments.append(argument)
    return parsed


def _long(text: str, rest: list[str], flags: tuple[Flag, ...], parsed: Parsed) -> None:
    name, equals, value = text.partition("=")
    flag = next((flag for flag in flags if flag.name == name), None)
    if flag is None:
        raise FlagError(f"unknown flag: --{name}")
    if flag.kind == "help":
        parsed.help = True
        return
    if not equals:
        if not rest:
            raise FlagError(f"flag needs an argument: --{name}")
        value = rest.pop(0)
    _set(flag, value, parsed)


def _short(text: str, rest: list[str], flags: tuple[Flag, ...], parsed: Parsed) -> None:
    letters = text
    while letters:
        letter, letters = letters[0], letters[1:]
        flag = next((flag for flag in flags if flag.short == letter), None)
        if flag is None:
            raise FlagError(f"unknown shorthand flag: '{letter}' in -{text}")
        if flag.kind == "help":
            parsed.help = True
            continue
        if letters:
            value = letters.removeprefix("=")
        elif rest:
            value = rest.pop(0)
        else:
            raise FlagError(f"flag needs an argument: '{letter}' in -{text}")
        _set(flag, value, parsed)
        return


def _set(flag: Flag, value: str, parsed: Parsed) -> None:
    try:
        if flag.kind == "duration":
            durations.parse(value)
        elif flag.kind == "int":
            _integer(value)
    except ValueError as err:
        shown = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
        raise FlagError(f'invalid argument "{value}" for "{shown}" flag: {err}') from err
    parsed.values[flag.name] = value


def _integer(value: str) -> int:
    try:
        return int(value, 0)
    except ValueError as err:
        raise ValueError(f'strconv.ParseInt: parsing "{value}": invalid syntax') from err


def usage(command: Command, flags: tuple[Flag, ...]) -> str:
    """The help, which also follows a wrong option. The real one has a description of each option as well."""
    lines = [f"Usage:\n  {' '.join(('skupper', *command.path, command.usage)).rstrip()} [flags]\n\nFlags:"]
    for flag in sorted(flags, key=lambda flag: flag.name):
        short = f"-{flag.short}, " if flag.short else "    "
        lines.append(f"  {short}--{flag.name}{'' if flag.kind == 'help' else f' {flag.kind}'}")
    return "\n".join(lines)
