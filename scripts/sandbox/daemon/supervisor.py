"""The sandbox's daemon: runs the control planes, the simulated nodes and the Skupper stand-in's controller.

Started by the guard. It ends, and everything with it, on SIGTERM, SIGINT or when the guard dies.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

from sandbox import processes
from sandbox.api.client import Kube
from sandbox.clusters.build import find_jar, find_programs
from sandbox.clusters.control_planes import (
    create_all,
    restart_controller_managers,
    restart_missing,
    tail,
    wait_for,
)
from sandbox.clusters.kubectl import write_script
from sandbox.layout import ROOT, SERVERS, Layout, Profile, SandboxError, Settings, Start, venv_program
from sandbox.network.loopback import AddressBlock, LoopbackNetwork
from sandbox.pods import class_archive
from sandbox.pods.kubelet import Kubelet
from sandbox.pods.programs import MemberRuntime, find_java

_CHECK_SECONDS = 1.0
_STANDIN_SECONDS = 30
_STANDIN = "sandbox.skupper"


class Supervisor:
    """Runs one sandbox."""

    def __init__(self, layout: Layout, start: Start) -> None:
        self._layout = layout
        self._start = start
        self._stop = threading.Event()
        self._kubelets: list[Kubelet] = []
        self._began = time.monotonic()

    def run(self) -> int:
        """Starts everything, then waits for the end; the process's exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request_stop)
        processes.become_subreaper()  # adopts what kwokctl leaves in the background
        try:
            self._up()
            while not self._stop.wait(_CHECK_SECONDS):
                restart_missing(self._layout, find_programs(), self._say)
        except SandboxError as err:
            self._say(f"failed: {err}")
            return 1
        finally:
            self._down()
        return 0

    def _request_stop(self, *_: object) -> None:
        self._stop.set()
        if not self._layout.ready.exists():
            # Ends what the start is waiting for.
            threading.Thread(target=processes.kill_children, daemon=True).start()

    def _up(self) -> None:
        layout = self._layout
        block = AddressBlock(str(layout.state))
        Settings(layout.name, self._start.profile, block.prefix).write(layout)
        link_programs(layout, self._start.profile)
        create_all(layout, find_programs(), self._say, self._stop.is_set)
        network = LoopbackNetwork(layout, block)
        java, jar = find_java(), find_jar()
        runtime = MemberRuntime(java, jar, self._start.profile, class_archive.find(java, jar))
        if not runtime.available:
            missing = "Java 17 or newer" if runtime.java is None else "the Hazelcast JAR"
            self._say(f"no {missing}: member pods get ready without a real member")
        for server in SERVERS:
            kubelet = Kubelet(server, Kube.from_kubeconfig(layout.kubeconfig, server), layout, runtime, network)
            kubelet.start()
            self._kubelets.append(kubelet)
        threading.Thread(target=network.watch_relays, args=(self._refresh, self._stop), daemon=True).start()
        self._say("nodes and namespaces are ready")
        self._start_standin()
        seconds = time.monotonic() - self._began
        layout.ready.write_text(f"{seconds:.1f}\n")

    def _refresh(self) -> None:
        for kubelet in self._kubelets:
            kubelet.refresh()

    def _say(self, text: str) -> None:
        with self._layout.progress.open("a") as file:
            file.write(f"{time.monotonic() - self._began:5.1f} s  {text}\n")

    # The Skupper stand-in

    def _start_standin(self) -> None:
        if not self._start.standin:
            self._say("no Skupper stand-in: Skupper's objects get no status")
            return
        threading.Thread(target=self._run_standin, name="stand-in", daemon=True).start()
        ready = self._layout.standin_ready
        try:
            wait_for(ready.exists, _STANDIN_SECONDS, "the Skupper stand-in did not get ready", self._stop.is_set)
        except SandboxError as err:
            raise SandboxError(f"{err}\n{tail(self._layout.logs / 'skupper.log')}") from err
        self._say("the Skupper stand-in is ready")
        restart_controller_managers(self._layout, find_programs(), self._say)

    def _run_standin(self) -> None:
        """Runs the controller, and restarts it when it ends by itself."""
        pause = 0.5
        argv = [sys.executable, "-m", _STANDIN, "controller", "--state", str(self._layout.state)]
        while not self._stop.is_set():
            with (self._layout.logs / "skupper.log").open("ab") as log:
                child = processes.start_child(argv, env=child_env(), cwd=self._layout.state, output=log)
            ended = threading.Event()
            processes.on_exit(child, ended.set)
            while not ended.wait(0.5):
                if self._stop.is_set():
                    child.send_signal(signal.SIGTERM)
                    if not ended.wait(2.0):
                        child.kill()
                    return
            self._stop.wait(pause)
            pause = min(pause * 2, 10.0)

    # Stopping

    def _down(self) -> None:
        self._stop.set()
        for kubelet in self._kubelets:
            kubelet.stop()
        # The control planes' data is removed, so they are killed.
        processes.kill_children()


def child_env() -> dict[str, str]:
    """The environment for the sandbox's own Python programs."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "PYTHONUNBUFFERED": "1"}


def link_programs(layout: Layout, profile: Profile) -> None:
    """Fills the sandbox's bin/: kubectl from the venv (or PATH), and `skupper`, which is the stand-in's command."""
    kubectl = venv_program("kubectl") or shutil.which("kubectl")
    if kubectl is None:
        raise SandboxError("kubectl is neither in the virtual environment nor on the PATH")
    if profile == "measured":
        (layout.bin / "kubectl").symlink_to(kubectl)
    else:
        write_script(layout.bin / "kubectl", str(kubectl))
    skupper = layout.bin / "skupper"
    quoted = {"python": shlex.quote(sys.executable), "scripts": shlex.quote(str(ROOT / "scripts"))}
    skupper.write_text(_SKUPPER.format(**quoted, module=_STANDIN))
    skupper.chmod(0o755)


_SKUPPER = """#!/bin/sh
# The Skupper stand-in's command.
PYTHONPATH={scripts} exec {python} -P -s -m {module} cli "$@"
"""


def main() -> int:
    """Runs the supervisor; started by the guard."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    Start.add_options(parser)
    options = parser.parse_args()
    return Supervisor(Layout(options.state), Start.from_options(options)).run()


if __name__ == "__main__":
    sys.exit(main())
