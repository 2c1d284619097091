"""With and without a terminal: escape sequences, the live view, the question of `down`, ^C, closed pipes.

The terminal is a pseudo-terminal; hzlink runs in a forked process (see forked.py); the clusters are fake API servers.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.cli import cluster_objects as make
from tests.cli import fake_api, situations
from tests.cli.assertions import is_clean
from tests.cli.fake_api import FakeApi
from tests.cli.golden_files import ESCAPE
from tests.cli.program import SCRIPT, User
from tests.cli.situations import CORE, EDGE

Serve = Callable[[FakeApi], FakeApi]
pytestmark = pytest.mark.waits
SITES = ("--client-ctx", "edge", "--cluster-ctx", "core")


@pytest.fixture
def up(user: User, serve: Serve) -> list[FakeApi]:
    """Two healthy sites."""
    found = situations.healthy().snapshots
    servers = [serve(FakeApi(items=found[site].items)) for site in (CORE, EDGE)]
    user.has_contexts(core=servers[0].url, edge=servers[1].url)
    return servers


@pytest.fixture
def waiting(user: User, serve: Serve) -> list[FakeApi]:
    """Two sites where `hzlink link` waits for the client's Site until its timeout."""
    found = situations.healthy().snapshots
    pending = [make.skupper_site("edge", message="Pending"), make.offer("Listener", "No matching connectors")]
    servers = [serve(FakeApi(items=found[CORE].items)), serve(FakeApi(items=pending))]
    user.has_contexts(core=servers[0].url, edge=servers[1].url)
    return servers


def _methods(servers: list[FakeApi]) -> set[str]:
    assert all(server.leases == {} for server in servers), "the lock is released"
    return set().union(*(server.methods for server in servers))


def test_terminal_gets_colours(user: User, up: list[FakeApi]) -> None:
    code, seen = user.at_terminal("status", *SITES).end()
    assert code == 0
    assert "\x1b[32m" in seen
    assert "healthy." in ESCAPE.sub("", seen)


@pytest.mark.parametrize("how", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}])
def test_terminal_without_colours_gets_no_escape_sequences(how: dict[str, str], user: User, up: list[FakeApi]) -> None:
    user.env |= how
    flags = () if how else ("--no-color",)
    code, seen = user.at_terminal("status", *SITES, *flags).end()
    assert code == 0
    assert "\x1b" not in seen
    assert "healthy." in seen


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_document_at_a_terminal_has_no_colours(output: str, user: User, up: list[FakeApi]) -> None:
    _, seen = user.at_terminal("status", *SITES, "-o", output).end()
    assert "\x1b" not in seen


def test_terminal_gets_a_live_view(user: User, waiting: list[FakeApi]) -> None:
    run = user.at_terminal("link", *SITES, "--timeout", "60")
    seen = run.until("0:02")
    assert "\x1b[?25l" in seen, "the cursor is hidden"
    assert re.search(r"edge +Site ready 0:02 of \S+ +Pending", ESCAPE.sub("", seen).replace("\n", ""))
    run.press("\x03")
    code, seen = run.end()
    assert code == 130
    assert seen.rfind("\x1b[?25h") > seen.rfind("\x1b[?25l"), "the cursor is shown again"
    assert _methods(waiting) == {"GET"}


@pytest.mark.waits(6)
def test_dumb_terminal_gets_no_live_view(user: User, waiting: list[FakeApi]) -> None:
    user.env["TERM"] = "dumb"
    run = user.at_terminal("link", *SITES, "--timeout", "6")
    code, seen = run.end()
    assert code == 4
    assert "\x1b" not in seen


@pytest.mark.waits(6)
def test_no_color_removes_colours_from_the_live_view(user: User, waiting: list[FakeApi]) -> None:
    user.env["NO_COLOR"] = "1"
    code, seen = user.at_terminal("link", *SITES, "--timeout", "6").end()
    assert code == 4
    assert ESCAPE.findall(seen) == []


@pytest.mark.waits(6)
def test_wait_without_a_terminal_has_no_escape_sequences(user: User, waiting: list[FakeApi]) -> None:
    ended = user.hzlink("link", *SITES, "--timeout", "6", "-v")
    is_clean(ended)
    assert ended.code == 4
    assert "kubectl" in ended.err, "-v lists the programs that run"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_during_a_wait_is_exit_130(number: signal.Signals, user: User, waiting: list[FakeApi]) -> None:
    run = user.start("link", *SITES)
    _until(lambda: any("watch" in path for _, path in waiting[1].requests))
    sent = time.monotonic()
    run.send_signal(number)
    out, err = run.communicate(timeout=30)
    assert time.monotonic() - sent < 25
    assert run.returncode == 130
    assert out == ""
    assert "error: interrupted\n  next: hzlink link" in err
    assert "Traceback" not in err
    assert _methods(waiting) == {"GET"}


def test_signal_while_a_server_is_silent_is_exit_130(user: User, serve: Serve) -> None:
    silent = serve(FakeApi(fake_api.silent))
    user.has_contexts(core=silent.url, edge="http://127.0.0.1:1")
    run = user.start("status", *SITES, "-o", "json")
    _until(lambda: bool(silent.requests))
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=30)
    assert run.returncode == 130
    assert '"exitCode": 130' in out
    assert "Traceback" not in out + err


def test_signal_ends_kubectl(user: User, waiting: list[FakeApi]) -> None:
    run = user.start("link", *SITES)
    _until(lambda: any("watch" in path for _, path in waiting[1].requests))
    assert _programs(user)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=30)
    _until(lambda: not _programs(user))


def _programs(user: User) -> list[str]:
    """The kubectl processes that run with this user's kubeconfig."""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as environ, open(f"/proc/{pid}/cmdline", "rb") as cmdline:
                if f"KUBECONFIG={user.kubeconfig}".encode() in environ.read() and b"kubectl" in cmdline.read():
                    found.append(pid)
        except OSError:
            continue
    return found


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end, "the condition was not met within 30 s"
        time.sleep(0.05)


def test_early_signal_leaves_no_traceback(user: User, waiting: list[FakeApi]) -> None:
    command = [sys.executable, "-X", "importtime", str(SCRIPT), "link", *SITES]
    run = subprocess.Popen(command, env=user.env, cwd=user.cwd, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    # Python prints each import: hzlink is loading, and has not installed its signal handlers yet.
    for line in run.stderr:
        if "typer" in line:
            break
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=30)
    assert run.returncode in (130, -signal.SIGINT), "a shell reports both as 130"
    assert "Traceback" not in err


def test_down_asks_at_a_terminal_and_default_is_no(user: User, up: list[FakeApi]) -> None:
    run = user.at_terminal("down", *SITES)
    seen = run.until("[y/N]")
    assert "core: statefulsets.apps/hazelcast" in seen
    run.press("\n")
    code, seen = run.end()
    assert code == 1
    assert "nothing was removed" in seen
    assert _methods(up) == {"GET"}


@pytest.mark.parametrize(
    ("key", "code", "says"), [("\x03", 130, "nothing was removed"), ("\x04", 1, "nothing was removed")]
)
def test_down_is_cancelled_at_its_question(key: str, code: int, says: str, user: User, up: list[FakeApi]) -> None:
    run = user.at_terminal("down", *SITES)
    run.until("[y/N]")
    run.press(key)
    assert run.running.wait(20) == code
    ended, seen = run.end()
    assert (ended, says in seen, "Traceback" in seen) == (code, True, False)
    assert _methods(up) == {"GET"}


@pytest.mark.parametrize(
    "args", [("status", *SITES), ("status", *SITES, "-o", "json"), ("render", *SITES), ("--help",), ("up", "--help")]
)
def test_closed_standard_output_is_no_error(args: tuple[str, ...], user: User, up: list[FakeApi]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    run = user.start(*args, stdout=writing)
    os.close(writing)
    _, err = run.communicate(timeout=30)
    assert err == ""
    assert run.returncode is not None
    assert run.returncode >= 0, "not ended by a signal"


@pytest.mark.parametrize("stream", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("args", ["status", "down"])
def test_closed_streams_cause_no_internal_error(stream: str, args: str, user: User, up: list[FakeApi]) -> None:
    line = f'exec "$0" {args} {" ".join(SITES)} {stream}'
    done = subprocess.run(
        ["/bin/sh", "-c", line, str(SCRIPT)],
        env=user.env,
        cwd=user.cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == (0 if args == "status" else 2), done
    assert "Traceback" not in done.stdout + done.stderr
    assert "internal error in hzlink" not in done.stdout + done.stderr
    assert _methods(up) == {"GET"}
