"""Runs the credential plugins of a command's contexts once, before its calls begin, and holds what they gave.

One that may ask a person gets the terminal, one after the other; the others run side by side. The credential is in a
kubeconfig file of mode 0600, in a folder of mode 0700 that is removed on every way out.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from hzlink.config import kuberc
from hzlink.config.kubeconfig import Context, Plugin
from hzlink.model.errors import PrerequisiteError
from hzlink.model.topology import Site
from hzlink.programs import credentials, environment, output, process, scratch

# A credential is renewed when it has less than these seconds to live: enough for a call to begin.
SPARE = 60.0
# Seconds for a plugin that is run again in the middle of a run.
AGAIN = 60.0
PREFIX = "hzlink-login-"


class _NoCredential(Exception):
    """Why a plugin gave none: what is wrong, what it said, and what to do."""

    def __init__(self, problem: str, said: str = "", do: str = "") -> None:
        super().__init__(problem)
        self.problem, self.said, self.do = problem, said, do


class Login:
    """One user entry with a plugin, and the contexts that use it."""

    def __init__(self, plugin: Plugin, folder: Path) -> None:
        self.plugin = plugin
        self.failure: dict[str, str | None] | None = None
        self._folder = folder
        self._contexts: dict[tuple[str | None, str], Context] = {}
        self._status: Mapping[str, Any] = {}
        self._number = 0
        self._busy = asyncio.Lock()

    def serve(self, site: Site, context: Context) -> None:
        """From now on it holds the credential of this context, too."""
        self._contexts[site.kubeconfig, site.context] = context
        credentials.hold(site, self)

    def kubeconfig(self, site: Site) -> str:
        """The file for a context."""
        number = list(self._contexts).index((site.kubeconfig, site.context))
        return str(self._folder / f"kubeconfig-{number}")

    async def obtain(self, seconds: float, terminal: bool) -> None:
        """Runs the plugin. Without a credential, `failure` says why."""
        try:
            status = await _credential(self.plugin, seconds, terminal)
        except _NoCredential as why:
            self.failure = _failure(self.plugin, why, ", ".join(dict.fromkeys(name for _, name in self._contexts)))
            return
        if status != self._status:
            self._status, self._number = status, self._number + 1
            for number, context in enumerate(self._contexts.values()):
                _write(self._folder / f"kubeconfig-{number}", context.standalone(status))

    async def refresh(self) -> int:
        """Runs the plugin again if the credential is about to expire. The number of the one that it holds now."""
        async with self._busy:
            expires = _expires(self._status)
            if self.failure is None and expires is not None and expires - time.time() < SPARE:
                await self.obtain(AGAIN, terminal=False)
        return self._number

    async def renew(self, number: int) -> bool:
        """Runs the plugin again, because the API server refused this credential; whether there is another one now."""
        async with self._busy:
            # Of calls side by side, the first that is refused renews it for all.
            if self.failure is None and self._number == number:
                await self.obtain(AGAIN, terminal=False)
        return self.failure is None and self._number != number


@asynccontextmanager
async def held(
    contexts: Mapping[Site, Context], seconds: float, terminal: bool, announce: Callable[[str], None]
) -> AsyncIterator[None]:
    """Holds the credentials of these sites' plugins until the block is left.

    Args:
        contexts: the sites' contexts.
        seconds: what each plugin may take.
        terminal: whether there is a person at a terminal.
        announce: told of a plugin that will ask, before it does.

    Raises:
        PrerequisiteError: there is no folder for the credentials.
    """
    scratch.sweep(scratch.temporary(), PREFIX)
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch.folder(scratch.temporary(), PREFIX))
            stack.callback(credentials.release)
            ruled = _keep_rule(folder, stack)
            logins = [] if ruled else _logins(contexts, folder)
            for site, context in contexts.items():
                if context.plugin is not None and (ruled or not _is_run_here(context.plugin)):
                    credentials.leave_to_kubectl(site, seconds)
            await _obtain(logins, seconds, terminal, announce)
        except OSError as error:
            said = f"{error.filename}: {error.strerror}"
            next_step = "free some disk space or set TMPDIR"
            raise PrerequisiteError("credentials cannot be kept for the run", said=said, next_step=next_step) from None
        yield


def _keep_rule(folder: Path, stack: ExitStack) -> bool:
    """Whether the user's kuberc rules which plugins may run. Then kubectl runs them, by that rule."""
    rule = kuberc.plugin_policy()
    if rule is None:
        return False
    file = folder / "kuberc"
    _write(file, rule)
    environment.keep_rule(str(file))
    stack.callback(environment.RULE.clear)
    return True


def _is_run_here(plugin: Plugin | None) -> bool:
    # One that is to be told of the cluster is left to kubectl.
    return plugin is not None and not plugin.wants_cluster


def _logins(contexts: Mapping[Site, Context], folder: Path) -> list[Login]:
    """One for each user entry, however many contexts use it."""
    found: dict[str, Login] = {}
    for site, context in contexts.items():
        if context.plugin is not None and _is_run_here(context.plugin):
            if context.access not in found:
                own = folder / str(len(found))
                own.mkdir(mode=0o700)
                found[context.access] = Login(context.plugin, own)
            found[context.access].serve(site, context)
    return list(found.values())


async def _obtain(logins: list[Login], seconds: float, terminal: bool, announce: Callable[[str], None]) -> None:
    asking = [login for login in logins if terminal and login.plugin.mode != "Never"]
    for login in asking:
        if login.plugin.mode == "Always":
            announce(f"login: {login.plugin.command} (user {login.plugin.user} of {login.plugin.file})")
        await login.obtain(seconds, terminal=True)
    await asyncio.gather(*(login.obtain(seconds, terminal=False) for login in logins if login not in asking))


async def _credential(plugin: Plugin, seconds: float, terminal: bool) -> Mapping[str, Any]:
    """The status of the ExecCredential that a plugin prints."""
    if plugin.mode == "Always" and not terminal:
        raise _NoCredential(
            "needs a person at a terminal, and there is none",
            "interactiveMode: Always",
            "run the same command at a terminal, or name a kubeconfig whose credentials need nobody",
        )
    path = process.find_program(plugin.path)
    if path is None:
        raise _NoCredential("is not installed", plugin.hint, f"install {plugin.command}, or correct `command`")
    about = {"apiVersion": plugin.version, "kind": "ExecCredential", "spec": {"interactive": terminal}}
    env = {**plugin.env, "KUBERNETES_EXEC_INFO": json.dumps(about)}
    try:
        done = await process.run([path, *plugin.args], deadline=seconds, env=env, at_terminal=terminal)
    except process.DeadlineExceeded as error:
        problem = f"did not end within {error.seconds:g} s"
        raise _NoCredential(problem, "", "run it by hand, or give more --timeout") from None
    except PrerequisiteError as error:
        raise _NoCredential("cannot be run", error.said or "", "install it again") from None
    if done.code != 0:
        said = process.redact(done.stderr.strip()) or ("its words are above" if terminal else "it said nothing")
        raise _NoCredential(f"failed with exit code {done.code}", said, "log in again with it")
    return _status(plugin, done.stdout)


def _status(plugin: Plugin, text: str) -> Mapping[str, Any]:
    found = output.json_object(text)
    status = (found or {}).get("status")
    if found is None or not isinstance(status, dict):
        raise _NoCredential("printed no ExecCredential", "", "correct `command` and `args`")
    if found.get("apiVersion") != plugin.version:
        said = f"it printed version {found.get('apiVersion')}, the kubeconfig asks for {plugin.version or 'none'}"
        raise _NoCredential("speaks another version", said, "correct `apiVersion`, or install another release of it")
    for name in ("token", "clientKeyData"):
        process.conceal(str(status.get(name) or ""))
    if not status.get("token") and not (status.get("clientCertificateData") and status.get("clientKeyData")):
        raise _NoCredential("gave neither a token nor a certificate with its key", "", "log in again with it")
    return status


def _failure(plugin: Plugin, why: _NoCredential, contexts: str) -> dict[str, str | None]:
    entry = f"{plugin.file}: user {plugin.user} runs {plugin.command}"
    return {
        "message": f"the credential plugin {plugin.command} of context {contexts} {why.problem}",
        "said": f"{entry}; {why.said}" if why.said else entry,
        "next_step": f"{why.do}   (users, {plugin.user}, exec in {plugin.file})",
    }


def _expires(status: Mapping[str, Any]) -> float | None:
    """When a credential expires, in seconds since 1970; None where it does not say so."""
    try:
        return datetime.fromisoformat(str(status["expirationTimestamp"])).timestamp()
    except (KeyError, ValueError):
        return None


def _write(file: Path, document: Mapping[str, Any]) -> None:
    """In one step: a call that begins meanwhile reads the old one or the new one."""
    new = file.with_suffix(".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(document, stream)
    new.replace(file)
