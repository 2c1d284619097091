"""Measures hzlink on its own sandbox in the profile `measured`, as ratios of the fastest of several runs.

    .venv/bin/python scripts/bench.py [--json] [--only NAME ...] [--runs N] [--minutes N]

Skupper is simulated there, with the delays of the real one, which affect both ways of linking equally. Prints a row
for each measure, or with --json `{"rows": [{"name", "value", "goal", "ok"}]}`; exits 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Thread

from sandbox.layout import Layout
from sandbox.skupper.faults.faults import set_fault

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
HZLINK = str(BIN / "hzlink")
SANDBOX = "bench"
CONTEXTS = ("client", "cluster")
UP = (HZLINK, "up", "--quiet", "--client-ctx", "client", "--cluster-ctx", "cluster")
MEASURES = ("startup", "walkthrough", "status", "writes", "watch")
WRITES = ("create", "update", "patch", "delete", "deletecollection")


@dataclass(frozen=True)
class Row:
    """One measure. `goal` is its upper limit, or None."""

    name: str
    value: float
    goal: float | None

    @property
    def ok(self) -> bool:
        """Whether the goal is met."""
        return self.goal is None or self.value <= self.goal


def seconds(argv: Sequence[str], env: dict[str, str] | None = None, ok: tuple[int, ...] = (0,)) -> float:
    """How long a command takes."""
    began = time.perf_counter()
    done = subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - began
    if done.returncode not in ok:
        sys.exit(f"{' '.join(argv)} exited {done.returncode}:\n{done.stdout}{done.stderr}")
    return taken


def least(count: int, argv: Sequence[str], env: dict[str, str] | None = None) -> float:
    """The fastest of several runs, which other load on the machine affects least."""
    return min(seconds(argv, env) for _ in range(count))


def startup(runs: int) -> list[Row]:
    """Start-up time, relative to the import of typer."""
    typer = least(runs, [sys.executable, "-c", "import typer"])
    return [
        Row("start-up: --version to import typer", least(runs, [HZLINK, "--version"]) / typer, 1.3),
        Row("start-up: --help to import typer", least(runs, [HZLINK, "--help"]) / typer, 2.3),
    ]


def status(env: dict[str, str], runs: int) -> list[Row]:
    """`status` relative to the slower of the two sites' kubectl calls; a converged `up` relative to `status`."""
    from hzlink.model.objects import RESOURCES
    from hzlink.observe.snapshot import STATUS_KINDS

    kinds = ",".join(RESOURCES[kind] for kind in STATUS_KINDS)
    calls = [least(runs, ["kubectl", "--context", context, "get", kinds, "-o", "json"], env) for context in CONTEXTS]
    whole = least(runs, [HZLINK, "status", "-q"], env)
    converged = least(runs, UP, env)
    return [
        Row("status to the slower kubectl call", whole / max(calls), 3.0),
        Row("up when converged to status", converged / whole, None),
    ]


def writes(env: dict[str, str], layout: Layout) -> list[Row]:
    """API writes of a second `up`, from the API servers' audit logs."""
    before = _written(layout)
    seconds(UP, env)
    # The audit log is written after the response.
    time.sleep(1.0)
    return [Row("writes of a second up", _written(layout) - before, 0)]


def _written(layout: Layout) -> int:
    """The number of writes by kubectl and skupper, through which hzlink makes all its writes."""
    count = 0
    for context in CONTEXTS:
        [log] = layout.cluster_dir(context).glob("**/audit.log")
        for line in log.read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            by_hand = str(event.get("userAgent", "")).startswith(("kubectl", "skupper"))
            # An access review is a `create` that stores nothing.
            asks = str((event.get("objectRef") or {}).get("resource", "")).endswith("reviews")
            count += by_hand and not asks and event.get("verb") in WRITES
    return count


# Seconds until a watch has loaded its modules, and between two changes.
WARM, CHANGE = 20.0, 5.0


def watch(env: dict[str, str], layout: Layout, minutes: float) -> list[Row]:
    """The memory growth of `status --watch` at a terminal, while a Listener's status alternates."""
    ours, theirs = pty.openpty()
    argv = [HZLINK, "status", "--watch", "-o", "wide"]
    running = subprocess.Popen(argv, env=env, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    drawn = Drawn(ours)
    drawn.start()
    changes = max(1, round(minutes * 60 / CHANGE))
    try:
        time.sleep(WARM)
        held = [_resident(running.pid)]
        for number in range(changes):
            set_fault(layout.state, "listener", None if number % 2 else "pending")
            time.sleep(CHANGE)
            held.append(_resident(running.pid))
    finally:
        set_fault(layout.state, "listener", None)
        running.send_signal(signal.SIGINT)
        running.wait(30)
    each_minute = ", ".join(f"{megabytes:.1f}" for megabytes in held[:: round(60 / CHANGE)])
    print(
        f"status --watch for {minutes:g} min drew {drawn.count} times. MB, minute by minute: {each_minute}",
        file=sys.stderr,
    )
    if drawn.count < changes // 2:
        sys.exit(f"it drew only {drawn.count} of {changes} changes")
    return [Row("MB that status --watch grows by", max(0.0, held[-1] - held[0]), 5.0)]


class Drawn(Thread):
    """Reads a terminal's output until it is closed, and counts the redraws."""

    LAST = b"watching; ^C ends"

    def __init__(self, terminal: int) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self._terminal = terminal

    def run(self) -> None:
        """Reads until the end. The last line of a redraw may come in two pieces."""
        text = b""
        with suppress(OSError):
            while data := os.read(self._terminal, 65536):
                text += data
                self.count += text.count(self.LAST)
                text = text.rpartition(self.LAST)[2][-len(self.LAST) + 1 :]


def _resident(pid: int) -> float:
    """A process's resident memory in MB."""
    facts = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines())
    return int(facts["VmRSS"].split()[0]) / 1024


def walkthrough(env: dict[str, str], runs: int) -> list[Row]:
    """`up` from nothing relative to the walk-through by hand, alternately."""
    hand, up = [], []
    for _ in range(runs):
        hand.append(seconds([str(ROOT / "scripts/walkthrough.sh"), *CONTEXTS, "hz"], env))
        _clear(env)
        up.append(seconds(UP, env))
        seconds([HZLINK, "down", "--yes", "--quiet"], env)
    print(f"by hand {min(hand):.1f} s, hzlink up {min(up):.1f} s", file=sys.stderr)
    return [Row("up from nothing to the walk-through by hand", min(up) / min(hand), 0.6)]


def _clear(env: dict[str, str]) -> None:
    """Removes the walk-through's objects."""
    for context, folder in zip(CONTEXTS, CONTEXTS, strict=True):
        at = ["kubectl", "--context", context, "-n", "hz"]
        seconds([*at, "delete", "--ignore-not-found", "-k", str(ROOT / "manifests" / folder)], env)
        seconds([*at, "delete", "accesstokens,accessgrants,links", "--all"], env)
        for _ in range(120):
            left = subprocess.run(
                [*at, "get", "deployments,services,pods", "-o", "name"],
                env=env,
                capture_output=True,
                text=True,
                check=True,
            )
            if not left.stdout.strip():
                break
            time.sleep(0.5)


def on_sandbox(measure: Callable[[dict[str, str], Layout], list[Row]]) -> list[Row]:
    """Runs a measure on its own sandbox."""
    sandbox = str(ROOT / "scripts/sandbox.sh")
    subprocess.run(
        [sandbox, "up", "--name", SANDBOX, "--profile", "measured", "--owner", str(os.getpid())],
        check=True,
        stdout=sys.stderr,
    )
    layout = Layout.named(SANDBOX)
    env = {
        **os.environ,
        "KUBECONFIG": str(layout.kubeconfig),
        "PATH": f"{layout.bin}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}",
        "XDG_STATE_HOME": str(layout.state / "xdg"),
    }
    try:
        return measure(env, layout)
    finally:
        subprocess.run([sandbox, "down", "--name", SANDBOX], check=True, stdout=sys.stderr)


def main() -> int:
    """Runs the selected measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=None)
    parser.add_argument("--runs", type=int, default=10, help="runs of each short command (default 10)")
    parser.add_argument("--long-runs", type=int, default=2, help="runs of the walk-through and of up (default 2)")
    parser.add_argument("--minutes", type=float, default=10.0, help="duration of the watch (default 10)")
    options = parser.parse_args()
    wanted = options.only or list(MEASURES)

    def sandboxed(env: dict[str, str], layout: Layout) -> list[Row]:
        rows = walkthrough(env, options.long_runs) if "walkthrough" in wanted else []
        if {"status", "writes", "watch"} & set(wanted):
            seconds(UP, env)
        rows += status(env, options.runs) if "status" in wanted else []
        rows += writes(env, layout) if "writes" in wanted else []
        return rows + (watch(env, layout, options.minutes) if "watch" in wanted else [])

    rows = startup(options.runs) if "startup" in wanted else []
    if set(wanted) - {"startup"}:
        rows += on_sandbox(sandboxed)
    if options.json:
        print(json.dumps({"rows": [{**asdict(row), "ok": row.ok} for row in rows]}, indent=2))
    else:
        for row in rows:
            goal = "" if row.goal is None else f"goal {row.goal:g}   {'ok' if row.ok else 'MISSED'}"
            print(f"{row.name:<48} {row.value:6.2f}   {goal}".rstrip())
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
