"""The sandbox for tests: starts it once, gives access through kubectl and the API, sets faults."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from hzlink.model import objects
from sandbox.api import kinds
from sandbox.api.client import Kube
from sandbox.api.kinds import KubeError, Obj
from sandbox.clusters import control_planes
from sandbox.layout import CONTEXTS, ROOT, SERVERS, Layout, read_json
from sandbox.pods.kubelet import PROCESSES
from sandbox.skupper.controller import kinds as skupper_kinds

Processes = Literal["none", "real"]
# kubectl ends before it fills much memory; without its garbage collection a call needs an eighth less CPU time.
SHORT_LIVED = {"GOGC": "off"}
# Seconds after which a test gives up waiting for what must happen: far above what it takes on a busy machine.
PATIENCE_SECONDS = 120.0
_JOBS = kinds.Resource("batch", "v1", "jobs", "Job")
# What keeps the sandbox busy while it exists: controllers before the pods that they would create again.
_RUNNING = (
    kinds.STATEFUL_SETS,
    kinds.DEPLOYMENTS,
    _JOBS,
    *(skupper_kinds.SITES, skupper_kinds.LISTENERS, skupper_kinds.CONNECTORS),
    *(skupper_kinds.LINKS, skupper_kinds.GRANTS, skupper_kinds.TOKENS),
    kinds.PODS,
    kinds.SERVICES,
)
# The kinds that hzlink reads or writes in a namespace.
RESOURCES = [
    kinds.Resource(group, "v2alpha1" if group == "skupper.io" else "v1", plural, kind)
    for kind, resource in objects.RESOURCES.items()
    if kind != "Namespace"
    for plural, _, group in [resource.partition(".")]
]
T = TypeVar("T")


def resources(names: str) -> list[kinds.Resource]:
    """These kinds; `names` as for kubectl: `pods,sites.skupper.io`."""
    found = []
    for name in names.split(","):
        plural, _, group = name.partition(".")
        [resource] = [one for one in (*RESOURCES, _JOBS) if one.plural == plural and group in ("", one.group)]
        found.append(resource)
    return found


@dataclass
class Sandbox:
    """A running sandbox. `env` is what a program needs to use it and nothing else."""

    layout: Layout
    env: dict[str, str]
    _kubes: dict[str, Kube] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """Its folder, with faults.json and logs/."""
        return self.layout.state

    @property
    def kubeconfig(self) -> Path:
        """With the contexts client, client2 and cluster."""
        return self.layout.kubeconfig

    @property
    def bin(self) -> Path:
        """Holds `kubectl` and `skupper`."""
        return self.layout.bin

    def kube(self, server: str) -> Kube:
        """The API of `client` or `cluster`."""
        if server not in self._kubes:
            self._kubes[server] = Kube.from_kubeconfig(self.kubeconfig, server)
        return self._kubes[server]

    def kubectl(self, context: str, *args: str, stdin: str | None = None, check: bool = True) -> str:
        """The output of kubectl; fails the test with kubectl's message if it fails."""
        done = subprocess.run(
            [str(self.bin / "kubectl"), "--kubeconfig", str(self.kubeconfig), "--context", context, *args],
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE_SECONDS,
            check=False,
        )
        assert not check or done.returncode == 0, f"kubectl {' '.join(args)}: {done.stdout}{done.stderr}"
        return done.stdout + ("" if check else done.stderr)

    def objects(self, server: str, namespace: str, names: str) -> dict[str, Obj]:
        """A namespace's objects of these kinds, by `Kind/name`. `names` as for kubectl: `pods,sites.skupper.io`.

        They come from the API itself, because tests often wait for an object, and kubectl needs a lot of CPU time.
        """
        found = {}
        for resource in resources(names):
            for item in self.kube(server).list(resource, namespace):
                found[f"{resource.kind}/{item['metadata']['name']}"] = item
        return found

    def endpoints(self, server: str, namespace: str) -> dict[str, Obj]:
        """The running processes of a namespace's pods, by pod name: ip, ports, ready, pid, ..."""
        prefix = f"{server}/{namespace}/"
        entries = read_json(self.layout.endpoints).items()
        return {key.removeprefix(prefix): value for key, value in entries if key.startswith(prefix)}

    def writes(
        self, server: str, namespace: str | None = None, agents: Sequence[str] = ("kubectl", "skupper")
    ) -> list[Obj]:
        """The writes of programs with such a user agent so far, from the API server's audit log.

        Reviews of rights are left out: they are requests to `create`, but nothing is stored.
        """
        return [
            event
            for event in self.audit(server)
            if event.get("userAgent", "").startswith(tuple(agents))
            and event["verb"] not in ("get", "list", "watch")
            and not event.get("objectRef", {}).get("resource", "").endswith("reviews")
            and (namespace is None or event.get("objectRef", {}).get("namespace") == namespace)
        ]

    def audit(self, server: str) -> list[Obj]:
        """The API server's audit log: all writes, and all requests of service accounts."""
        log = self.layout.cluster_dir(server) / "logs" / "audit.log"
        return [json.loads(line) for line in log.read_text().splitlines()]

    @contextmanager
    def frozen(self, server: str) -> Iterator[None]:
        """Inside the block the API server accepts connections and does not answer."""
        process = control_planes.components(self.layout)[server, "kube-apiserver"]
        process.send(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send(signal.SIGCONT)

    def set_faults(self, faults: Mapping[str, object]) -> None:
        """Replaces the stand-in's faults.json."""
        temporary = self.state / ".faults.json.new"
        temporary.write_text(json.dumps(faults))
        temporary.replace(self.state / "faults.json")

    def close(self) -> None:
        """Closes this object's connections; the sandbox keeps running."""
        for kube in self._kubes.values():
            kube.close()


def start(name: str, real_env: Mapping[str, str], owner: int, profile: str = "fast") -> Sandbox:
    """Runs `sandbox up` with the user's own environment (for its cache), and returns the running sandbox."""
    run_sandbox(real_env, "up", "--name", name, "--profile", profile, "--owner", str(owner))
    layout = Layout.named(name)
    path = f"{layout.bin}:{Path(sys.executable).parent}:{real_env.get('PATH', os.defpath)}"
    home = layout.state / "home"
    home.mkdir(exist_ok=True)
    env = {"PATH": path, "HOME": str(home), "KUBECONFIG": str(layout.kubeconfig), "LANG": "C.UTF-8", **SHORT_LIVED}
    return Sandbox(layout, env)


def run_sandbox(real_env: Mapping[str, str], *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """`python -m sandbox ARGS`; its messages are shown if it fails."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "sandbox", *args],
        env={**real_env, "PYTHONPATH": str(ROOT / "scripts")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, f"sandbox {' '.join(args)}: {done.stdout}{done.stderr}"
    return done


class Namespaces:
    """Creates namespaces for one test, with the same name on both API servers, and empties them afterwards."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._made: list[str] = []

    def make(self, processes: Processes = "none", labels: Mapping[str, str] | None = None) -> str:
        """A fresh namespace on `client` and on `cluster`; its name."""
        name = f"t-{uuid.uuid4().hex[:8]}"
        self._made.append(name)
        wanted = {**(labels or {}), **({PROCESSES: "none"} if processes == "none" else {})}
        for server in SERVERS:
            kube = self._sandbox.kube(server)
            kube.create(kinds.NAMESPACES, {"metadata": {"name": name, "labels": wanted}})
        for server in SERVERS:
            kube = self._sandbox.kube(server)
            until(partial(kube.get, kinds.SERVICE_ACCOUNTS, name, "default"))
        return name

    def empty(self) -> None:
        """Deletes what runs in them, without waiting; the pods' processes are killed at once.

        The namespaces themselves end with the sandbox: the deletion of a pair needs a third of a second of CPU time.
        """
        options = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
        for name in self._made:
            for server in SERVERS:
                kube = self._sandbox.kube(server)
                for resource in _RUNNING:
                    with suppress(KubeError):
                        kube.request("DELETE", resource.path(name), body=options)


def until(true: Callable[[], T], seconds: float = PATIENCE_SECONDS, step: float = 0.05) -> T:
    """Waits until `true` returns a true value and returns it; fails the test after `seconds`.

    Give `seconds` only where the time itself is tested: other waits end as soon as they can, on a busy machine late.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = true()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s; last: {value!r}"
        time.sleep(step)


__all__ = ["CONTEXTS", "Namespaces", "Processes", "Sandbox", "run_sandbox", "start", "until"]
