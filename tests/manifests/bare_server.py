"""A bare Kubernetes API server (etcd and kube-apiserver, nothing else) on loopback, for strict validation.

The sandbox's servers cannot be used, because they have the stand-in's definitions of Skupper's kinds.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from sandbox.layout import cache_dir
from tests.manifests.kustomizing import kubectl_program

_TOKEN = "bare-server-test"  # for one loopback server that runs only during the tests
_START_SECONDS = 90


def find_program(name: str) -> str | None:
    """A server program from the sandbox's cache, else from the PATH; None where there is neither."""
    cached = [p for p in cache_dir().rglob(name) if p.is_file() and os.access(p, os.X_OK)]
    if cached:
        return str(max(cached, key=lambda p: p.stat().st_mtime))
    return shutil.which(name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    """Runs in the child before exec, so that the server ends even if pytest is killed (Linux only)."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


@dataclass
class BareServer:
    """One running API server; `kubectl` runs against it and nothing else."""

    folder: Path
    kubeconfig: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def kubectl(self, *args: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [kubectl_program(), "--kubeconfig", str(self.kubeconfig), *args],
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def must(self, *args: str, stdin: str | None = None) -> str:
        """The output of kubectl; fails the test with kubectl's message if it fails."""
        done = self.kubectl(*args, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(args)}: {done.stderr}"
        return done.stdout

    def make_namespace(self, name: str, labels: Mapping[str, str]) -> None:
        """Creates a namespace with the default ServiceAccount, which pods need and no controller creates here."""
        objects = [
            {"kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}},
            {"kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}},
        ]
        text = yaml.safe_dump_all([{"apiVersion": "v1", **o} for o in objects])
        self.must("create", "-f", "-", stdin=text)

    def spawn(self, name: str, args: Sequence[str]) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes.append(
                subprocess.Popen(
                    args,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self.folder,
                    preexec_fn=_die_with_parent if sys.platform == "linux" else None,
                )
            )

    def wait_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self.kubectl("get", "--raw", "/readyz").returncode == 0:
                return
            if any(p.poll() is not None for p in self.processes):
                break
            time.sleep(0.5)
        logs = "\n".join(p.read_text(errors="replace")[-2000:] for p in self.folder.glob("*.log"))
        raise RuntimeError(f"the bare API server did not become ready:\n{logs}")

    def stop(self) -> None:
        """Kills the programs; the server's data is not needed any longer."""
        for process in reversed(self.processes):
            process.kill()
            process.wait()


def start(folder: Path, etcd: str, apiserver: str) -> BareServer:
    """Starts both programs and returns once the server is ready. `stop()` it afterwards, whatever happens."""
    etcd_port, peer_port, port = _free_port(), _free_port(), _free_port()
    server = BareServer(folder, _write_kubeconfig(folder, port))
    try:
        server.spawn("etcd", _etcd_args(etcd, folder, etcd_port, peer_port))
        server.spawn("kube-apiserver", _apiserver_args(apiserver, folder, etcd_port, port))
        server.wait_ready()
    except BaseException:
        server.stop()
        raise
    return server


def _write_kubeconfig(folder: Path, port: int) -> Path:
    (folder / "tokens.csv").write_text(f"{_TOKEN},tester,tester,system:masters\n")
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        # The server creates a self-signed certificate at its first start.
        "clusters": [
            {
                "name": "bare",
                "cluster": {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True},
            }
        ],
        "users": [{"name": "tester", "user": {"token": _TOKEN}}],
        "contexts": [{"name": "bare", "context": {"cluster": "bare", "user": "tester"}}],
        "current-context": "bare",
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def _etcd_args(program: str, folder: Path, port: int, peer_port: int) -> list[str]:
    here, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
    return [
        program,
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={here}",
        f"--advertise-client-urls={here}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync=true",
    ]


def _apiserver_args(program: str, folder: Path, etcd_port: int, port: int) -> list[str]:
    certificates = folder / "certificates"
    # The server creates its serving key before it reads this flag; the same key signs service account tokens.
    key = certificates / "apiserver.key"
    return [
        program,
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={certificates}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-signing-key-file={key}",
        f"--service-account-key-file={key}",
        # So that only PodSecurity refuses a privileged pod.
        "--allow-privileged=true",
        # Endpoints may not contain loopback addresses; the Service kubernetes is not needed here.
        "--endpoint-reconciler-type=none",
    ]
