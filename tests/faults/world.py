"""The environment of one row: a namespace on both API servers, a kubeconfig, programs, and triggers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sandbox.api import kinds
from sandbox.api.kinds import KubeError, Obj, Resource
from sandbox.skupper.controller import kinds as skupper_kinds
from tests import forked
from tests.faults.relay import Relay
from tests.faults.shims import Shims
from tests.sandbox.conftest import Ran
from tests.sandboxed import Sandbox, until

SERVERS = ("client", "cluster")
# Seconds for one run, far above any --timeout of a row: a run that reaches them hangs.
LIMIT = 200.0
MARKS = {"app.kubernetes.io/managed-by": "hzlink", "app.kubernetes.io/part-of": "hazelcast"}


class Faults:
    """The stand-in's faults, set by place, for rows that run concurrently."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._lock = threading.Lock()
        self._table: dict[str, dict[str, Any]] = {}

    def set(self, name: str, place: str, value: Any) -> None:
        """Sets a fault at a place; None removes it."""
        with self._lock:
            places = self._table.setdefault(name, {})
            places[place] = value
            self._table = {
                name: kept
                for name, places in self._table.items()
                if (kept := {place: value for place, value in places.items() if value is not None})
            }
            self._sandbox.set_faults(self._table)


@dataclass
class World:
    """What a row may break. hzlink writes only into `folder`, and into HOME."""

    sandbox: Sandbox
    faults: Faults
    namespace: str
    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    triggers: list[tuple[Callable[[], object], Callable[[], None]]] = field(default_factory=list)
    closing: list[Callable[[], object]] = field(default_factory=list)
    planted: list[tuple[str, Resource, str]] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    mend: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        for name in ("state", "tmp", "bin"):
            (self.folder / name).mkdir(parents=True)
        self.kubeconfig = self.folder / "kubeconfig"
        self._config: Any = yaml.safe_load(self.sandbox.kubeconfig.read_text())
        self.shims = Shims(self.folder / "bin", self.sandbox.bin)
        self.env = {
            **self.sandbox.env,
            "KUBECONFIG": str(self.kubeconfig),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "TMPDIR": str(self.folder / "tmp"),
            "PATH": self.shims.path(self.sandbox.env["PATH"]),
        }
        self._write_config()

    # The API servers

    def get(self, server: str, resource: Resource, name: str) -> Obj | None:
        """An object of this namespace."""
        return self.sandbox.kube(server).get(resource, self.namespace, name)

    def items(self, server: str, resource: Resource) -> list[Obj]:
        """The objects of a kind in this namespace."""
        return self.sandbox.kube(server).list(resource, self.namespace)

    def create(self, server: str, resource: Resource, body: Obj) -> Obj:
        """Creates an object in this namespace."""
        meta = {**body["metadata"], "namespace": self.namespace}
        return self.sandbox.kube(server).create(resource, {**body, "metadata": meta})

    def patch(self, server: str, resource: Resource, name: str, body: Obj, subresource: str = "") -> None:
        """A merge patch."""
        self.sandbox.kube(server).patch(resource, self.namespace, name, body, subresource=subresource)

    def delete(self, server: str, resource: Resource, name: str) -> None:
        """Deletes an object."""
        self.sandbox.kube(server).delete(resource, self.namespace, name)

    def fault(self, name: str, server: str, value: Any) -> None:
        """Sets a fault of the stand-in in this namespace of a server."""
        place = f"{server}/{self.namespace}"
        self.faults.set(name, place, value)
        self.closing.append(lambda: self.faults.set(name, place, None))

    def server_fault(self, name: str, server: str, value: Any) -> None:
        """Sets a fault of the stand-in for a whole server: for rows that run alone."""
        self.faults.set(name, server, value)
        self.closing.append(lambda: self.faults.set(name, server, None))

    # Access to the API servers

    def relay(self, context: str) -> Relay:
        """Makes this world reach a context's API server through a relay."""
        cluster = self._named("clusters", context)["cluster"]
        relay = Relay(int(cluster["server"].rpartition(":")[2]))
        cluster["server"] = f"https://127.0.0.1:{relay.port}"
        self._write_config()
        self.closing.append(relay.close)
        return relay

    def user(self, context: str, token: str) -> None:
        """Makes this world use that token at a context's API server."""
        self.secrets.add(token)
        self._config["users"].append({"name": f"{context}-user", "user": {"token": token}})
        self._named("contexts", context)["context"]["user"] = f"{context}-user"
        self._write_config()

    def user_by_program(self, context: str, token: str) -> Path:
        """The same by a credential plugin, which prints the content of the returned file.

        It says of each credential that it has expired, so that it runs for each call.
        """
        file, program = self.folder / "login", self.folder / "bin" / "login"
        file.write_text(token)
        answer = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":'
        answer += '{"token":"%s","expirationTimestamp":"2020-01-01T00:00:00Z"}}'
        program.write_text(f"#!/bin/sh\nprintf '{answer}' \"$(cat '{file}')\"\n")
        program.chmod(0o755)
        self.user(context, token)
        self.plugin(context, str(program))
        return file

    def plugin(self, context: str, command: str, mode: str = "Never") -> None:
        """From now on this world comes to a context's API server with what a credential plugin gives."""
        if not any(entry["name"] == f"{context}-user" for entry in self._config["users"]):
            self._config["users"].append({"name": f"{context}-user"})
        how = {"apiVersion": "client.authentication.k8s.io/v1", "command": command, "interactiveMode": mode}
        self._named("users", f"{context}-user")["user"] = {"exec": how}
        self._named("contexts", context)["context"]["user"] = f"{context}-user"
        self._write_config()

    def limited_user(self, context: str, rules: Sequence[Obj]) -> None:
        """Makes this world use a user with only these rights in the namespace."""
        self.user(context, self.token_for(context, rules))

    def token_for(self, context: str, rules: Sequence[Obj]) -> str:
        """A token of a service account with only these rights in the namespace."""
        name = "somebody"
        self.create(context, kinds.SERVICE_ACCOUNTS, {"metadata": {"name": name}})
        self.create(context, kinds.ROLES, {"metadata": {"name": name}, "rules": list(rules)})
        subject = {"kind": "ServiceAccount", "name": name, "namespace": self.namespace}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
        self.create(context, kinds.ROLE_BINDINGS, {"metadata": {"name": name}, "subjects": [subject], "roleRef": role})
        return self.sandbox.kubectl(context, "-n", self.namespace, "create", "token", name).strip()

    def _named(self, part: str, name: str) -> Any:
        return next(entry for entry in self._config[part] if entry["name"] == name)

    def _write_config(self) -> None:
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(yaml.safe_dump(self._config))

    def wait(self, true: Callable[[], object]) -> None:
        """Waits for a condition while a row is being prepared."""
        until(true)

    # Runs

    def when(self, true: Callable[[], object], act: Callable[[], None]) -> None:
        """Calls `act` during the next run, as soon as `true` returns a true value."""
        self.triggers.append((true, act))

    def when_asked(self, act: Callable[[], None]) -> None:
        """Calls `act` during the next run when a script made by `shims.asked` waits for it."""

        def answer() -> None:
            act()
            (self.shims.folder / "done").touch()

        self.when((self.shims.folder / "asked").exists, answer)

    def place(self) -> list[str]:
        """The flags that name the sites."""
        return ["--client-ctx", "client", "--cluster-ctx", "cluster", "--namespace", self.namespace]

    def hzlink(self, *args: str) -> Ran:
        """Runs hzlink for this namespace, with the triggers active."""
        began = time.monotonic()
        over = threading.Event()
        meanwhile = threading.Thread(target=self._meanwhile, args=(over,), daemon=True)
        meanwhile.start()
        try:
            code, out, err = forked.run([args[0], *self.place(), *args[1:]], self.env, self.folder, LIMIT)
        finally:
            over.set()
            meanwhile.join()
        return Ran(code, out, err, time.monotonic() - began)

    def up(self, *args: str) -> Ran:
        """Runs `hzlink up`, which must succeed, before a row breaks something."""
        ran = self.hzlink("up", *args)
        assert ran.code == 0, f"the row could not be prepared: {ran.out}{ran.err}"
        return ran

    def close(self) -> None:
        """Removes what the row has set."""
        while self.closing:
            self.closing.pop()()

    def _meanwhile(self, over: threading.Event) -> None:
        while self.triggers and not over.wait(0.02):
            for trigger in list(self.triggers):
                with suppress(KubeError):
                    if trigger[0]():
                        self.triggers.remove(trigger)
                        trigger[1]()


def tokens_left(world: World) -> list[str]:
    """Existing grants and tokens of hzlink, token files and folders; a run must leave none."""
    found = [
        f"{resource.kind} {item['metadata']['name']} at {server}"
        for server in SERVERS
        for resource in (skupper_kinds.GRANTS, skupper_kinds.TOKENS)
        for item in world.items(server, resource)
        if (server, resource.kind, item["metadata"]["name"]) not in _names(world)
    ]
    files = [path for part in ("state", "tmp") for path in (world.folder / part).rglob("*") if "token" in path.name]
    return found + [str(path.relative_to(world.folder)) for path in files]


def _names(world: World) -> set[tuple[str, str, str]]:
    return {(server, resource.kind, name) for server, resource, name in world.planted}


def files_of(world: World) -> Mapping[str, str]:
    """The files that a run has left, by path, without the test's kubeconfig; to be searched for secrets."""
    paths = [path for part in ("state", "tmp") for path in (world.folder / part).rglob("*") if path.is_file()]
    return {str(path.relative_to(world.folder)): path.read_text(errors="replace") for path in paths}
