"""Runs the credential plugins of a command's contexts once, before its calls, and keeps the credentials for the run.

Interactive plugins get the terminal, one after the other; the others run in parallel. Each credential is in a
kubeconfig file of mode 0600, in a folder of mode 0700 that is removed at the end in any case.
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

# A credential is renewed if it expires within this time.
MIN_VALID_SECONDS = 60.0
# Limit for a plugin that runs again during a run.
RERUN_LIMIT_SECONDS = 60.0
PREFIX = "hzlink-login-"


class _NoCredential(Exception):
    """A plugin gave no credential: `problem` is the reason, `said` its message, `do` the remedy."""

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
        self._lock = asyncio.Lock()

    def serve(self, site: Site, context: Context) -> None:
        """Adds a context that uses this credential."""
        self._contexts[site.kubeconfig, site.context] = context
        credentials.hold(site, self)

    def kubeconfig(self, site: Site) -> str:
        """The kubeconfig file for a site's context."""
        number = list(self._contexts).index((site.kubeconfig, site.context))
        return str(self._folder / f"kubeconfig-{number}")

    async def obtain(self, seconds: float, terminal: bool) -> None:
        """Runs the plugin. If it gives no credential, `failure` has the reason."""
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
        """Runs the plugin again if the credential is about to expire. Returns the number of the current credential."""
        async with self._lock:
            expires = _expires(self._status)
            if self.failure is None and expires is not None and expires - time.time() < MIN_VALID_SECONDS:
                await self.obtain(RERUN_LIMIT_SECONDS, terminal=False)
        return self._number

    async def renew(self, number: int) -> bool:
        """Runs the plugin again after the API server refused credential `number`; whether there is a new credential."""
        async with self._lock:
            # The first of several parallel calls that are refused renews it for all.
            if self.failure is None and self._number == number:
                await self.obtain(RERUN_LIMIT_SECONDS, terminal=False)
        return self.failure is None and self._number != number


@asynccontextmanager
async def held(
    contexts: Mapping[Site, Context], seconds: float, terminal: bool, announce: Callable[[str], None]
) -> AsyncIterator[None]:
    """Keeps the credentials of these sites' plugins until the block is left.

    Args:
        contexts: the sites' contexts.
        seconds: limit for each plugin.
        terminal: whether standard input is a terminal.
        announce: called with a line before an interactive plugin runs.

    Raises:
        PrerequisiteError: the folder for the credentials cannot be created.
    """
    scratch.sweep(scratch.temporary(), PREFIX)
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch.folder(scratch.temporary(), PREFIX))
            stack.callback(credentials.release)
            has_policy = _use_plugin_policy(folder, stack)
            logins = [] if has_policy else _logins(contexts, folder)
            for site, context in contexts.items():
                if context.plugin is not None and (has_policy or not _is_run_here(context.plugin)):
                    credentials.leave_to_kubectl(site, seconds)
            await _obtain(logins, seconds, terminal, announce)
        except OSError as error:
            said = f"{error.filename}: {error.strerror}"
            next_step = "free some disk space or set TMPDIR"
            raise PrerequisiteError("credentials cannot be kept for the run", said=said, next_step=next_step) from None
        yield


def _use_plugin_policy(folder: Path, stack: ExitStack) -> bool:
    """Whether the user's kuberc has a policy for plugins. Then kubectl runs them, under that policy."""
    rule = kuberc.plugin_policy()
    if rule is None:
        return False
    file = folder / "kuberc"
    _write(file, rule)
    environment.use_plugin_policy(str(file))
    stack.callback(environment.PLUGIN_POLICY.clear)
    return True


def _is_run_here(plugin: Plugin | None) -> bool:
    # kubectl runs plugins that need information about the cluster.
    return plugin is not None and not plugin.wants_cluster


def _logins(contexts: Mapping[Site, Context], folder: Path) -> list[Login]:
    """One Login for each user entry, even if several contexts use it."""
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
    interactive = [login for login in logins if terminal and login.plugin.mode != "Never"]
    for login in interactive:
        if login.plugin.mode == "Always":
            announce(f"login: {login.plugin.command} (user {login.plugin.user} of {login.plugin.file})")
        await login.obtain(seconds, terminal=True)
    await asyncio.gather(*(login.obtain(seconds, terminal=False) for login in logins if login not in interactive))


async def _credential(plugin: Plugin, seconds: float, terminal: bool) -> Mapping[str, Any]:
    """The status of the ExecCredential that a plugin prints."""
    if plugin.mode == "Always" and not terminal:
        raise _NoCredential(
            "needs a terminal, and there is none",
            "interactiveMode: Always",
            "run the same command at a terminal, or give a kubeconfig with credentials that need no terminal",
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
        raise _NoCredential(problem, "", "run it by hand, or increase --timeout") from None
    except PrerequisiteError as error:
        raise _NoCredential("cannot be run", error.said or "", "install it again") from None
    if done.code != 0:
        said = process.redact(done.stderr.strip()) or ("its message is above" if terminal else "it printed no message")
        raise _NoCredential(f"failed with exit code {done.code}", said, "log in again with it")
    return _status(plugin, done.stdout)


def _status(plugin: Plugin, text: str) -> Mapping[str, Any]:
    found = output.json_object(text)
    status = (found or {}).get("status")
    if found is None or not isinstance(status, dict):
        raise _NoCredential("printed no ExecCredential", "", "correct `command` and `args`")
    if found.get("apiVersion") != plugin.version:
        said = f"it printed version {found.get('apiVersion')}, the kubeconfig asks for {plugin.version or 'none'}"
        raise _NoCredential("has another version", said, "correct `apiVersion`, or install another release of it")
    for name in ("token", "clientKeyData"):
        process.conceal(str(status.get(name) or ""))
    if wrong := [name for name in _TEXTS if not isinstance(status.get(name) or "", str)]:
        raise _NoCredential(f"gave a value of {wrong[0]} that is not text", "", "correct `command` and `args`")
    if not status.get("token") and not (status.get("clientCertificateData") and status.get("clientKeyData")):
        raise _NoCredential("gave neither a token nor a certificate with its key", "", "log in again with it")
    return status


# The fields of an ExecCredential's status that are texts.
_TEXTS = ("token", "clientCertificateData", "clientKeyData")


def _failure(plugin: Plugin, why: _NoCredential, contexts: str) -> dict[str, str | None]:
    entry = f"{plugin.file}: user {plugin.user} runs {plugin.command}"
    return {
        "message": f"the credential plugin {plugin.command} of context {contexts} {why.problem}",
        "said": f"{entry}; {why.said}" if why.said else entry,
        "next_step": f"{why.do}   (users, {plugin.user}, exec in {plugin.file})",
    }


def _expires(status: Mapping[str, Any]) -> float | None:
    """When a credential expires, in seconds since 1970; None if that is not known."""
    try:
        return datetime.fromisoformat(str(status["expirationTimestamp"])).timestamp()
    except (KeyError, ValueError):
        return None


def _write(file: Path, document: Mapping[str, Any]) -> None:
    """Writes the file in one step, so that a call that starts meanwhile reads a complete file."""
    new = file.with_suffix(".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(document, stream)
    new.replace(file)
