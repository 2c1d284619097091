"""`python -m sandbox up|down|env|status|build`; scripts/sandbox.sh is the wrapper of it."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
from types import FrameType

from sandbox.clusters import build
from sandbox.clusters.control_planes import components
from sandbox.daemon import guard
from sandbox.layout import CONTEXTS, DEFAULT_NAME, ROOT, Layout, SandboxError, Settings, Start, read_json
from sandbox.processes import ProcessId

_DOWN_SECONDS = 30.0


def say(text: str) -> None:
    """Prints progress and errors to stderr."""
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """The command; its exit code."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if options.command == "build":
            build.ensure(say)
            return 0
        layout = Layout.named(options.name)
        if options.command == "up":
            return up(layout, Start.from_options(options), options.owner)
        return {"down": down, "env": env, "status": status}[options.command](layout)
    except SandboxError as err:
        say(f"error: {err}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox.sh", description="Two Kubernetes clusters on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    helps = {
        "build": "download or build the programs that a sandbox needs",
        "up": "start a sandbox, if it is not running",
        "down": "end the sandbox and remove its files",
        "env": 'print the shell variables that select it: eval "$(scripts/sandbox.sh env)"',
        "status": "show what runs",
    }
    for command, text in helps.items():
        sub = commands.add_parser(command, help=text)
        if command == "build":
            continue
        sub.add_argument("--name", default=DEFAULT_NAME, help=f"which sandbox ({DEFAULT_NAME})")
        if command == "up":
            Start.add_options(sub)
            sub.add_argument("--owner", type=int, metavar="PID", help="end the sandbox when this process has ended")
    return parser


def up(layout: Layout, start: Start, owner: int | None) -> int:
    """Starts the sandbox and waits until it is ready; 0 if it already runs."""
    began = time.monotonic()
    running = _guard(layout)
    if running is not None:
        return _wait_for_other_up(layout, running)
    build.ensure(say)
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.daemon.guard", *_guard_arguments(layout, start, owner)],
        cwd=ROOT / "scripts",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A session of its own: ^C in the terminal reaches only `up`, which then ends the guard.
        start_new_session=True,
    )
    try:
        code = _show_progress(layout, process)
    except KeyboardInterrupt:
        say("interrupted: removing the sandbox")
        process.terminate()
        process.wait()
        return 130
    if code == guard.ALREADY_RUNNING:
        return _wait_for_other_up(layout, None)
    if code is not None:
        logs = f"; logs in {layout.failed_logs}" if layout.failed_logs.exists() else ""
        raise SandboxError(f"sandbox {layout.name} did not start{logs}")
    say(f"sandbox {layout.name} is up ({time.monotonic() - began:.0f} s)")
    return 0


def _guard_arguments(layout: Layout, start: Start, owner: int | None) -> list[str]:
    arguments = ["--state", str(layout.state), *start.arguments()]
    starter = ProcessId.of(os.getpid())
    if starter is not None:
        arguments += ["--starter", f"{starter.pid}:{starter.start}"]
    if owner is not None:
        process = ProcessId.of(owner)
        if process is None:
            raise SandboxError(f"the owner, process {owner}, does not run")
        arguments += ["--owner", f"{process.pid}:{process.start}"]
    return arguments


def _show_progress(layout: Layout, process: subprocess.Popen[bytes]) -> int | None:
    """Prints the sandbox's progress until it is ready (None) or the guard has ended (its exit code)."""
    progress = None
    while True:
        code = process.poll()
        if progress is None and layout.progress.exists() and _guard(layout) is not None:
            progress = layout.progress.open()
        for line in progress or ():
            say(f"  {line.rstrip()}")
        if code is not None:
            return code
        if progress is not None and layout.ready.exists():
            return None
        time.sleep(0.05)


def _wait_for_other_up(layout: Layout, running: ProcessId | None) -> int:
    """Waits until the sandbox that another `up` starts is ready."""
    while not layout.ready.exists():
        if running is not None and not running.alive():
            raise SandboxError(f"sandbox {layout.name} is being removed or failed to start; try again")
        running = running or _guard(layout)
        time.sleep(0.1)
    say(f"sandbox {layout.name} is already running")
    return 0


def _guard(layout: Layout) -> ProcessId | None:
    """The running guard of this sandbox."""
    process = guard.recorded(layout).get("guard")
    return process if process is not None and process.alive() else None


def down(layout: Layout) -> int:
    """Ends the sandbox and removes it; 0 if there is none."""
    began = time.monotonic()
    running = _guard(layout)
    if running is None and not layout.state.exists():
        say(f"sandbox {layout.name} is not running")
        return 0
    if running is not None:
        running.send(signal.SIGTERM)
        if not running.wait_gone(_DOWN_SECONDS):
            raise SandboxError(f"the guard of sandbox {layout.name} (process {running.pid}) does not end")
    lock = guard.take_lock(layout)
    if lock is not None:  # None: another `up` has started it again
        with lock:
            guard.clean_up(layout)
            layout.lock.unlink(missing_ok=True)
    say(f"sandbox {layout.name} is down ({time.monotonic() - began:.1f} s)")
    return 0


def env(layout: Layout) -> int:
    """Prints export lines for a shell; 1 if the sandbox is not running."""
    if _guard(layout) is None or not layout.ready.exists():
        say(f"sandbox {layout.name} is not running; start it with: scripts/sandbox.sh up --name {layout.name}")
        return 1
    print(f"export KUBECONFIG={shlex.quote(str(layout.kubeconfig))}")
    print(f'export PATH={shlex.quote(str(layout.bin))}:"$PATH"')
    return 0


def status(layout: Layout) -> int:
    """Prints what runs; 1 if the sandbox is not running."""
    running = _guard(layout)
    if running is None:
        print(f"sandbox {layout.name}: not running")
        return 1
    if not layout.ready.exists():
        print(f"sandbox {layout.name}: starting (guard {running.pid})")
        return 0
    settings = Settings.read(layout)
    print(f"sandbox {layout.name}: running, profile {settings.profile}, guard {running.pid}, loopback {settings.net}.*")
    for (server, component), process in sorted(components(layout).items()):
        print(f"  {server:8} {component:24} pid {process.pid}")
    for key, pod in sorted(read_json(layout.endpoints).items()):
        print(f"  {key:33} pid {pod['pid']}  {pod['app']} on {pod['ip']}{'' if pod['ready'] else ', not ready'}")
    print(f"  kubeconfig {layout.kubeconfig}, contexts {', '.join(CONTEXTS)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
