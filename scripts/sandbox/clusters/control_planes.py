"""The two control planes: created by kwokctl from local programs, removed with the sandbox."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import yaml

from sandbox.api import kinds
from sandbox.api.client import Kube
from sandbox.api.kinds import ConflictError, KubeError
from sandbox.clusters import certificates
from sandbox.clusters.kwok_config import AUDIT_POLICY, PORT_NAMES, kubeconfig, kwokctl_config
from sandbox.layout import CONTEXTS, SERVERS, Layout, SandboxError, architecture
from sandbox.processes import ProcessId, command_of

Programs = Mapping[str, Path]
"""The path of each program by its name."""

_CREATE_SECONDS = 90
_END_SECONDS = 5.0
_CONTROLLER_MANAGER = "kube-controller-manager"
_COMPONENTS = ("kwok-controller", "kube-scheduler", _CONTROLLER_MANAGER, "kube-apiserver", "etcd")


def create_all(layout: Layout, programs: Programs, say: Callable[[str], None], stopping: Callable[[], bool]) -> None:
    """Creates both control planes at once, then the kubeconfig, the nodes and the namespaces.

    SandboxError, with the end of the logs, when one does not start, or when `stopping` has become true.
    """
    ports = dict(zip(SERVERS, _free_port_sets(len(SERVERS)), strict=True))
    with ThreadPoolExecutor(len(SERVERS)) as pool:
        for done in [pool.submit(_create, layout, programs, server, ports[server], stopping) for server in SERVERS]:
            done.result()
        layout.kubeconfig.touch(mode=0o600)
        layout.kubeconfig.write_text(
            kubeconfig({s: (ports[s]["apiserver"], layout.cluster_dir(s) / "pki") for s in SERVERS})
        )
        say("both API servers answer")
        for done in [pool.submit(_create_node_and_namespaces, layout, server, stopping) for server in SERVERS]:
            done.result()


def components(layout: Layout) -> dict[tuple[str, str], ProcessId]:
    """The control planes' running processes, by (API server, component)."""
    found = {}
    for server in SERVERS:
        for component in _COMPONENTS:
            process = _component(layout.cluster_dir(server), component)
            if process is not None:
                found[server, component] = process
    return found


def _component(folder: Path, component: str) -> ProcessId | None:
    try:
        pid = int((folder / "pids" / f"{component}.pid").read_text())
    except (FileNotFoundError, ValueError):
        return None
    # The program is started by its path inside the cluster's folder, so its command line says whose it is.
    return ProcessId.of(pid) if str(folder) in command_of(pid) else None


def _create(
    layout: Layout, programs: Programs, server: str, ports: dict[str, int], stopping: Callable[[], bool]
) -> None:
    folder = layout.state / "config"
    folder.mkdir(exist_ok=True)
    policy, config = folder / "audit-policy.yaml", folder / f"{server}.yaml"
    policy.write_text(yaml.safe_dump(AUDIT_POLICY))
    config.write_text(kwokctl_config(server, ports, programs, policy))
    certificates.write(layout.cluster_dir(server) / "pki")
    arguments = ["create", "cluster", "--config", str(config), "--kubeconfig", str(folder / f"{server}.kubeconfig")]
    code = _kwokctl(layout, programs, server, *arguments)
    if stopping():
        raise SandboxError("interrupted")
    if code != 0:
        said = tail(layout.logs / f"kwokctl-{server}.log")
        raise SandboxError(f"kwokctl could not create {server!r}:\n{said}\n{_component_tails(layout, server)}")


def restart_missing(layout: Layout, programs: Programs, say: Callable[[str], None]) -> None:
    """Restarts components that have ended. Call it from the process that is their parent now."""
    running = components(layout)
    for server in SERVERS:
        missing = [c for c in _COMPONENTS if (server, c) not in running]
        if missing:
            say(f"{server}: {', '.join(missing)} ended; restarting")
            _start(layout, programs, server, missing)


def restart_controller_managers(layout: Layout, programs: Programs, say: Callable[[str], None]) -> None:
    """Restarts both controller managers: call it when definitions were installed.

    Their garbage collector learns new kinds only every 30 s, and removes no dependents of a kind that it does not know.
    """
    running = components(layout)
    for server in SERVERS:
        manager = running.get((server, _CONTROLLER_MANAGER))
        if manager is not None:
            manager.send(signal.SIGKILL)
            manager.wait_gone(_END_SECONDS)
    with ThreadPoolExecutor(len(SERVERS)) as pool:
        list(pool.map(lambda server: _start(layout, programs, server, [_CONTROLLER_MANAGER]), SERVERS))
    say("the controller managers know Skupper's kinds")


def _start(layout: Layout, programs: Programs, server: str, ended: list[str]) -> None:
    """Starts components that have ended."""
    for component in ended:
        _reap(layout.cluster_dir(server), component)
    _kwokctl(layout, programs, server, "start", "cluster")  # does not touch running components


def _reap(folder: Path, component: str) -> None:
    """Reaps an ended child: kwokctl takes a zombie for a running process."""
    with suppress(OSError, ValueError):
        os.waitpid(int((folder / "pids" / f"{component}.pid").read_text()), os.WNOHANG)


def _kwokctl(layout: Layout, programs: Programs, server: str, *arguments: str) -> int:
    """Runs kwokctl for one control plane; its exit code."""
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("KWOK_")},
        "KWOK_WORKDIR": str(layout.kwok),
        "HOME": str(layout.state),
        # The components inherit it: more memory, and a tenth less CPU time for garbage collection.
        "GOGC": "400",
        # kwokctl downloads kubectl when there is none on the PATH.
        "PATH": f"{layout.bin}:{os.environ.get('PATH', os.defpath)}",
    }
    with (layout.logs / f"kwokctl-{server}.log").open("ab") as output:
        try:
            return subprocess.run(
                [str(programs["kwokctl"]), *arguments, "--name", server],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_CREATE_SECONDS,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            return -1


def _create_node_and_namespaces(layout: Layout, server: str, stopping: Callable[[], bool]) -> None:
    """Creates a node and the contexts' namespaces, and waits until pods can be created."""
    kube = Kube.from_kubeconfig(layout.kubeconfig, server)
    try:
        wait_for(lambda: bool(kube.list(kinds.NAMESPACES)), 30, f"{server}: the API server does not answer", stopping)
        node = {
            "metadata": {
                "name": f"{server}-node",
                "labels": {
                    "kubernetes.io/hostname": f"{server}-node",
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": architecture(),
                },
            }
        }
        _ensure(kube, kinds.NODES, node)
        namespaces = sorted({ns for _, (home, ns) in CONTEXTS.items() if home == server})
        for namespace in namespaces:
            _ensure(kube, kinds.NAMESPACES, {"metadata": {"name": namespace}})
        for namespace in namespaces:
            wait_for(
                partial(_has_service_account, kube, namespace),
                30,
                f"{server}: the controller manager created no service account in {namespace}",
                stopping,
            )
        wait_for(lambda: _node_ready(kube, f"{server}-node"), 30, f"{server}: the node did not get ready", stopping)
    finally:
        kube.close()


def _ensure(kube: Kube, resource: kinds.Resource, obj: kinds.Obj) -> None:
    with suppress(ConflictError):
        kube.create(resource, obj)


def _has_service_account(kube: Kube, namespace: str) -> bool:
    """Pods are refused until the controller manager has created it."""
    return kube.get(kinds.SERVICE_ACCOUNTS, namespace, "default") is not None


def _node_ready(kube: Kube, name: str) -> bool:
    node = kube.get(kinds.NODES, None, name) or {}
    conditions = node.get("status", {}).get("conditions", [])
    tainted = node.get("spec", {}).get("taints")
    return not tainted and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def wait_for(true: Callable[[], bool], seconds: float, otherwise: str, stopping: Callable[[], bool]) -> None:
    """Returns when `true` says so; SandboxError with the text `otherwise` after `seconds`, or when stopping."""
    deadline = time.monotonic() + seconds
    while True:
        if stopping():
            raise SandboxError("interrupted")
        try:
            if true():
                return
        except KubeError as err:
            otherwise = f"{otherwise.splitlines()[0]}\n{err}"
        if time.monotonic() > deadline:
            raise SandboxError(otherwise)
        time.sleep(0.05)


def _free_port_sets(count: int) -> list[dict[str, int]]:
    """Distinct free ports, below the kernel's range for outgoing connections."""
    with ExitStack() as held:
        picked: list[int] = []
        while len(picked) < count * len(PORT_NAMES):
            port = random.randint(20000, 31999)  # noqa: S311 no secret
            sock = held.enter_context(socket.socket())
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            picked.append(port)
    size = len(PORT_NAMES)
    return [dict(zip(PORT_NAMES, picked[i * size : (i + 1) * size], strict=True)) for i in range(count)]


def tail(path: Path, lines: int = 8) -> str:
    """The last lines of a log; empty while there is none."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def _component_tails(layout: Layout, server: str) -> str:
    logs = layout.cluster_dir(server) / "logs"
    return "\n".join(f"--- {log.name}\n{tail(log, 4)}" for log in sorted(logs.glob("*.log")))
