"""`skupper site|link|listener|connector status`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.api.kinds import Obj, Objs, Resource
from sandbox.skupper.cli.api import Api, ApiError, crd_hint
from sandbox.skupper.cli.encode import encode
from sandbox.skupper.cli.flags import Parsed
from sandbox.skupper.cli.outcome import Failed, InvalidError
from sandbox.skupper.cli.tables import aligned
from sandbox.skupper.controller import kinds

RESOURCE_NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])*(\.[a-z0-9]([-a-z0-9]*[a-z0-9])*)*$"


def site(api: Api, parsed: Parsed) -> None:
    """One line for each Site; no Site is not an error."""
    if parsed.arguments:
        raise InvalidError("this command does not need any arguments")
    if problem := _output_problem(parsed):
        raise InvalidError(problem)
    try:
        found = api.list(kinds.SITES)
    except ApiError as err:
        raise Failed(crd_hint(err)) from err
    if not found:
        print("There is no existing Skupper site resource")
    elif parsed.values["output"]:
        _encoded(parsed, found)
    else:
        rows = [(o["metadata"]["name"], _state(o), _message(o)) for o in found]
        _table(("NAME", "STATUS", "MESSAGE"), rows)


def link(api: Api, parsed: Parsed) -> None:
    """One line for each Link, or one Link in full."""
    _first_list(api, kinds.LINKS)
    problems = [] if _first_list(api, kinds.SITES) else ["there is no skupper site available"]
    if len(parsed.arguments) > 1:
        problems.append("this command only accepts one argument")
    if problem := _output_problem(parsed):
        problems.append(problem)
    if problems:
        raise InvalidError("\n".join(problems))
    if parsed.arguments and parsed.arguments[0]:
        _one_link(_get(api, kinds.LINKS, parsed.arguments[0]), parsed)
        return
    found = api.list(kinds.LINKS)
    if not found:
        print("There are no link resources in the namespace")
    elif parsed.values["output"]:
        _encoded(parsed, found)
    else:
        rows = [(o["metadata"]["name"], _state(o), str(o["spec"].get("cost", 0)), _message(o)) for o in found]
        _table(("NAME", "STATUS", "COST", "MESSAGE"), rows)


def _one_link(found: Obj, parsed: Parsed) -> None:
    if parsed.values["output"]:
        _encoded(parsed, [found])
        return
    cost = found["spec"].get("cost", 0)
    for name, value in (
        ("Name", found["metadata"]["name"]),
        ("Status", _state(found)),
        ("Cost", cost),
        ("Message", _message(found)),
    ):
        print(f"{name}\t: {value}")


def listener(api: Api, parsed: Parsed) -> None:
    """One line for each Listener, or one in full."""
    found = _bindings(api, kinds.LISTENERS, "listener", parsed)
    if found is None:
        return
    if parsed.arguments:
        one = found[0]
        print(
            aligned(
                f"Name:\t{one['metadata']['name']}\nStatus:\t{_state(one)}\n"
                f"Routing key:\t{one['spec']['routingKey']}\nHost:\t{one['spec']['host']}\n"
                f"Port:\t{one['spec']['port']}\n"
                f"Has Matching Connector:\t{_matched(one, 'hasMatchingConnector')}\n"
                f"Message:\t{_message(one)}\n",
                8,
            )
        )
        return
    heads = ("NAME", "STATUS", "ROUTING-KEY", "HOST", "PORT", "MATCHING-CONNECTOR", "MESSAGE")
    rows = [
        (
            o["metadata"]["name"],
            _state(o),
            o["spec"]["routingKey"],
            o["spec"]["host"],
            str(o["spec"]["port"]),
            _matched(o, "hasMatchingConnector"),
            _message(o),
        )
        for o in found
    ]
    _table(heads, rows, 8)


def connector(api: Api, parsed: Parsed) -> None:
    """One line for each Connector, or one in full."""
    found = _bindings(api, kinds.CONNECTORS, "connector", parsed)
    if found is None:
        return
    if parsed.arguments:
        one = found[0]
        spec = one["spec"]
        print(
            aligned(
                f"Name:\t{one['metadata']['name']}\nStatus:\t{_state(one)}\n"
                f"Routing key:\t{spec['routingKey']}\nSelector:\t{spec.get('selector', '')}\n"
                f"Host:\t{spec.get('host', '')}\nPort:\t{spec['port']}\n"
                f"Has Matching Listener:{_matched(one, 'hasMatchingListener')}\n"
                f"Message:\t{_message(one)}\n",
                8,
            )
        )
        return
    heads = (
        "NAME",
        "STATUS",
        "ROUTING-KEY",
        "SELECTOR",
        "HOST",
        "PORT",
        "HAS MATCHING LISTENER",
        "MESSAGE",
    )
    rows = [
        (
            o["metadata"]["name"],
            _state(o),
            o["spec"]["routingKey"],
            o["spec"].get("selector", ""),
            o["spec"].get("host", ""),
            str(o["spec"]["port"]),
            _matched(o, "hasMatchingListener"),
            _message(o),
        )
        for o in found
    ]
    _table(heads, rows, 8)


def _bindings(api: Api, resource: Resource, what: str, parsed: Parsed) -> Objs | None:
    """Checks the arguments; the objects to show, or None when all has been said."""
    listed = _first_list(api, resource)
    problems: list[str] = []
    names = parsed.arguments
    if len(names) > 1:
        problems.append("only one argument is allowed for this command")
    elif names and not names[0]:
        problems.append(f"{what} name must not be empty")
    elif names and not re.search(RESOURCE_NAME, names[0]):
        expected = f"value does not match this regular expression: {RESOURCE_NAME}"
        problems.append(f"{what} name is not valid: {expected}")
    elif names and names[0] not in {o["metadata"]["name"] for o in listed}:
        problems.append(f"{what} {names[0]} does not exist in namespace {api.namespace}")
    if problem := _output_problem(parsed):
        problems.append(problem)
    if problems:
        raise InvalidError("\n".join(problems))
    found = [o for o in listed if not names or o["metadata"]["name"] == names[0]]
    if not found:
        print(f"No {what}s found")
        return None
    if parsed.values["output"]:
        _encoded(parsed, found)
        return None
    return found


def _first_list(api: Api, resource: Resource) -> Objs:
    """A list whose failure counts as wrong input, as in the real command."""
    try:
        return api.list(resource)
    except ApiError as err:
        raise InvalidError(crd_hint(err)) from err


def _get(api: Api, resource: Resource, name: str) -> Obj:
    try:
        return api.get(resource, name)
    except ApiError as err:
        raise Failed(str(err)) from err


def _output_problem(parsed: Parsed) -> str:
    output = parsed.values["output"]
    if output in ("", "json", "yaml"):
        return ""
    options = "It should be one of this options: [json yaml]"
    return f"output type is not valid: value {output} not allowed. {options}"


def _encoded(parsed: Parsed, found: Objs) -> None:
    """An object that is asked for by name comes without its kind: the real command's client drops it."""
    for obj in found:
        shown = {k: v for k, v in obj.items() if not parsed.arguments or k not in ("apiVersion", "kind")}
        print(encode(parsed.values["output"], shown))


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], minimum: int = 0) -> None:
    print(aligned("\n".join("\t".join(row) for row in (heads, *rows)), minimum))


def _state(obj: Obj) -> str:
    return str(obj.get("status", {}).get("status", ""))


def _message(obj: Obj) -> str:
    return str(obj.get("status", {}).get("message", ""))


def _matched(obj: Obj, field: str) -> str:
    return "true" if obj.get("status", {}).get(field) else "false"
