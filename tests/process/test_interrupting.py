"""^C and SIGTERM: the run cleans up, its programs are ended, and nothing else is printed."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hzlink.programs import process
from tests.process.programs import Programs, gone, pid_in

ROOT = Path(__file__).resolve().parents[2]
MAIN = """
import asyncio, sys
from hzlink.programs import process
from hzlink.programs.tasks import run

async def work():
    try:
        await asyncio.gather(process.run([sys.argv[1]], deadline=60), watch())
    finally:
        await asyncio.sleep(0.1)
        print("cleaned up", flush=True)

async def watch():
    async with process.lines([sys.argv[2]]) as lines:
        async for _ in lines:
            pass

try:
    run(work())
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_cleans_up_and_ends_its_programs(
    programs: Programs, tmp_path: Path, number: signal.Signals
) -> None:
    scripts = [programs.script(name, f"echo $$ > {tmp_path}/{name}.pid; sleep 60") for name in ("one", "two")]
    started = subprocess.Popen(
        [sys.executable, "-c", MAIN, *scripts], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        pids = [pid_in(tmp_path / f"{name}.pid", 20) for name in ("one", "two")]
        began = time.monotonic()
        started.send_signal(number)
        out, err = started.communicate(timeout=20)
    finally:
        started.kill()
    assert time.monotonic() - began < 50
    assert (started.returncode, out, err) == (130, "cleaned up\n", "")
    assert all(gone(pid) for pid in pids)


@pytest.mark.parametrize("how", ["run", "lines"])
def test_repeated_cancellation_ends_the_threads_of_sh(how: str, programs: Programs, tmp_path: Path) -> None:
    """asyncio cancels remaining tasks again as it ends: sh's thread must not outlive the event loop."""
    script = programs.script("slow", f"echo $$ > {tmp_path}/slow.pid; sleep 60")

    async def follow() -> None:
        async with process.lines([script]) as lines:
            async for _ in lines:
                pass

    async def work() -> None:
        task = asyncio.create_task(process.run([script], deadline=60) if how == "run" else follow())
        while not (tmp_path / "slow.pid").exists():
            await asyncio.sleep(0.02)
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [thread.name for thread in threading.enumerate() if thread.name.startswith("STDOUT/ERR")] == []

    asyncio.run(work())


FAILING = """
import asyncio
from hzlink.model.errors import HzlinkError
from hzlink.programs.tasks import run

async def fail():
    raise HzlinkError("first")

async def work():
    async with asyncio.TaskGroup() as group:
        group.create_task(fail())

try:
    run(work())
except HzlinkError as error:
    print(type(error).__name__, error)
"""


def test_first_error_of_a_group_is_raised() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAILING], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout, done.stderr) == ("HzlinkError first\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl")
def test_killed_run_ends_its_programs(programs: Programs, tmp_path: Path) -> None:
    scripts = [programs.script(name, f"echo $$ > {tmp_path}/{name}.pid; exec sleep 60") for name in ("one", "two")]
    started = subprocess.Popen([sys.executable, "-c", MAIN, *scripts], cwd=ROOT)
    try:
        pids = [pid_in(tmp_path / f"{name}.pid", 20) for name in ("one", "two")]
    finally:
        started.kill()
        started.wait()
    assert all(gone(pid, 2) for pid in pids)


ABANDONING = """
import asyncio, sys
from hzlink.programs import process
from hzlink.programs.tasks import run

async def follow():
    async with process.lines([sys.argv[1]]) as lines:
        async for _ in lines:
            pass

async def work():
    tasks = [asyncio.create_task(process.run([sys.argv[1]], deadline=60)) for _ in range(4)]
    tasks += [asyncio.create_task(follow()) for _ in range(4)]
    await asyncio.sleep(0.3)
    for task in tasks:
        task.cancel()

run(work())
"""


def test_abandoned_programs_are_ended_without_output(programs: Programs) -> None:
    """Their tasks are cancelled twice: by their creator, and by the end of the event loop."""
    script = programs.script("p", "echo line; sleep 60")
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", ABANDONING, script],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
