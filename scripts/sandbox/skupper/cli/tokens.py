"""`skupper token issue` and `skupper token redeem`."""

from __future__ import annotations

import os
import re
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from sandbox.api.kinds import Obj, Objs, Resource
from sandbox.skupper import durations
from sandbox.skupper.cli.api import Api, ApiError, Failed, InvalidError, crd_hint
from sandbox.skupper.cli.flags import Parsed
from sandbox.skupper.cli.token_file import load_token, to_yaml, without_empty
from sandbox.skupper.controller import kinds, status

FILE_NAME = r"^[A-Za-z0-9./~-]+$"
_POLL = 1.0
_LEAST_TIMEOUT = 10.0
_LEAST_WINDOW = 60.0


def issue(api: Api, parsed: Parsed) -> None:
    """Creates an AccessGrant and writes its token file. A grant that is not ready in time is not deleted."""
    _installed(api, kinds.GRANTS)
    problems = _issue_file_problems(parsed.arguments)
    sites = _installed(api, kinds.SITES)
    name = ""
    if not sites:
        problems.append(f"A site must exist in namespace {api.namespace} before a token can be created")
    elif not any(status.is_true(site, status.READY) for site in sites):
        problems.append("there is no active skupper site in this namespace")
    else:
        able = [s["metadata"]["name"] for s in sites if s.get("status", {}).get("endpoints")]
        if able:
            name = f"{able[0]}-{uuid.uuid4()}"
        else:
            problems.append("You must enable link access for this site before you can create a token.")
    problems += _issue_flag_problems(parsed)
    if problems:
        raise InvalidError("\n".join(problems))
    _issue(api, parsed, name)


def _issue(api: Api, parsed: Parsed, name: str) -> None:
    allowed = int(parsed.values["redemptions-allowed"], 0)
    window = durations.show(durations.parse(parsed.values["expiration-window"]))
    spec = {"redemptionsAllowed": allowed, "expirationWindow": window}
    try:
        api.create(kinds.GRANTS, _object("AccessGrant", api, name, spec))
    except ApiError as err:
        raise Failed(str(err)) from err
    path = Path(parsed.arguments[0])
    cost = int(parsed.values["cost"])

    def written() -> bool:
        grant = api.get(kinds.GRANTS, name)
        if not status.is_true(grant, status.READY):
            return False
        _write(path, grant, cost)
        return True

    if not _within(parsed, written):
        raise Failed(f'grant "{name}" not ready yet, check the status for more information')
    print(
        f'\nGrant "{name}" is ready\nToken file {parsed.arguments[0]} created\n\n'
        "Transfer this file to a remote site. At the remote site,\n"
        'create a link to this site using the "skupper token redeem" command:\n\n'
        "\tskupper token redeem <file>\n\n"
        f"The token expires after {allowed} use(s) or after {window}."
    )


def _write(path: Path, grant: Obj, cost: int) -> None:
    """Overwrites an existing file; a new file gets mode 0644, less the umask."""
    state = grant["status"]
    spec = {"url": state["url"], "code": state["code"], "ca": state["ca"], "linkCost": cost}
    token = {
        "apiVersion": kinds.API_VERSION,
        "kind": "AccessToken",
        "metadata": {"name": grant["metadata"]["name"]},
        "spec": spec,
    }
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), "w") as file:
        file.write(to_yaml(without_empty(token)))


def redeem(api: Api, parsed: Parsed) -> None:
    """Creates the AccessToken of a file and waits until the controller has redeemed it."""
    _installed(api, kinds.TOKENS)
    problems = _file_problems(parsed.arguments, "token file name must be configured")
    valid = not problems
    sites = _installed(api, kinds.SITES)
    if not sites:
        problems.append(f"A site must exist in namespace {api.namespace} before a token can be redeemed")
    elif not any(status.is_true(site, status.READY) for site in sites):
        problems.append("there is no active skupper site in this namespace")
    if valid and not Path(parsed.arguments[0]).exists():
        path = parsed.arguments[0]
        problems.append(f"token file does not exist: stat {path}: no such file or directory")
    problems += _timeout_problems(parsed)
    if problems:
        raise InvalidError("\n".join(problems))
    name = _redeem(api, Path(parsed.arguments[0]))
    if not _within(parsed, lambda: status.is_true(api.get(kinds.TOKENS, name), status.REDEEMED)):
        raise Failed(f'Token "{name}" redeem not ready yet, check the status for more information\n')
    print(f'Token "{name}" has been redeemed')


def _redeem(api: Api, path: Path) -> str:
    try:
        text = path.read_text(errors="replace")
    except OSError as err:
        step = "read" if path.is_dir() else "open"
        reason = (err.strerror or "").lower()
        raise Failed(f"unable to read token file - {step} {path}: {reason}") from err
    token = load_token(text)
    given = token.get("spec") or {}
    spec = {key: given.get(key, "") for key in ("url", "code", "ca")}
    spec |= {key: given[key] for key in ("linkCost", "settings") if given.get(key)}
    name = str((token.get("metadata") or {}).get("name") or "")
    try:
        api.create(kinds.TOKENS, _object("AccessToken", api, name, spec))
    except ApiError as err:
        raise Failed(crd_hint(err)) from err
    return name


def _object(kind: str, api: Api, name: str, spec: Obj) -> Obj:
    meta = {"name": name, "namespace": api.namespace}
    return {"apiVersion": kinds.API_VERSION, "kind": kind, "metadata": meta, "spec": spec}


def _within(parsed: Parsed, done: Callable[[], bool]) -> bool:
    """Checks each second, first after one second, until the timeout."""
    started = time.monotonic()
    deadline = started + int(durations.parse(parsed.values["timeout"]))
    tick = started
    while True:
        tick += _POLL
        if tick >= deadline:
            time.sleep(max(0.0, deadline - time.monotonic()))
            return False
        time.sleep(max(0.0, tick - time.monotonic()))
        try:
            if done():
                return True
        except (ApiError, OSError):
            continue


def _installed(api: Api, resource: Resource) -> Objs:
    try:
        return api.list(resource)
    except ApiError as err:
        raise InvalidError(crd_hint(err)) from err


def _file_problems(arguments: list[str], missing: str) -> list[str]:
    if not arguments:
        return [missing]
    if len(arguments) > 1:
        return ["only one argument is allowed for this command"]
    if not arguments[0]:
        return ["file name must not be empty"]
    if not re.search(FILE_NAME, arguments[0]):
        return [f"token file name is not valid: value does not match this regular expression: {FILE_NAME}"]
    return []


def _issue_file_problems(arguments: list[str]) -> list[str]:
    problems = _file_problems(arguments, "file name must be configured")
    if problems:
        return problems
    path = Path(arguments[0])
    if path.is_dir():
        return ["token file name is a directory"]
    folder = os.path.dirname(arguments[0]) or tempfile.gettempdir()
    try:
        handle, trial = tempfile.mkstemp(prefix=path.name, dir=folder)
    except OSError as err:
        return [f"invalid token file name: {(err.strerror or str(err)).lower()}"]
    os.close(handle)
    os.unlink(trial)
    return []


def _issue_flag_problems(parsed: Parsed) -> list[str]:
    problems: list[str] = []
    if int(parsed.values["redemptions-allowed"], 0) < 1:
        problems.append("number of redemptions is not valid")
    window = durations.parse(parsed.values["expiration-window"])
    if window < _LEAST_WINDOW:
        problems.append(f"expiration time is not valid: {_too_short(_LEAST_WINDOW, window)}")
    problems += _timeout_problems(parsed)
    cost = parsed.values["cost"]
    if not re.fullmatch(r"[+-]?\d+", cost):
        problems.append(f'link cost is not valid: strconv.Atoi: parsing "{cost}": invalid syntax')
    elif int(cost) < 0:
        problems.append("link cost is not valid: value is not positive")
    return problems


def _timeout_problems(parsed: Parsed) -> list[str]:
    timeout = durations.parse(parsed.values["timeout"])
    if timeout >= _LEAST_TIMEOUT:
        return []
    return [f"timeout is not valid: {_too_short(_LEAST_TIMEOUT, timeout)}"]


def _too_short(least: float, got: float) -> str:
    return f"duration must not be less than {durations.show(least)}; got {durations.show(got)}"
