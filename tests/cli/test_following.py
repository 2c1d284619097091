"""`status --watch` and `status --wait` against fake API servers whose objects change."""

from __future__ import annotations

import io
import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import yaml
from rich.console import Console
from rich.text import Text

from hzlink.model.errors import ExitStatus
from hzlink.render.result import Result, verdict
from hzlink.render.watch import BlockView, LiveView
from tests.cli import fake_api, situations
from tests.cli.assertions import document_of, is_clean, refused
from tests.cli.fake_api import FakeApi
from tests.cli.golden_files import ESCAPE
from tests.cli.program import User
from tests.cli.situations import CORE, EDGE, Situation
from tests.cli.test_progress_output import _screen
from tests.forked import Started

pytestmark = pytest.mark.waits
SITES = ("--client-ctx", "edge", "--cluster-ctx", "core")


@dataclass
class Clusters:
    """Two clusters whose objects a test changes."""

    user: User
    core: FakeApi
    edge: FakeApi

    def set_situation(self, situation: Situation) -> None:
        """Makes both clusters serve that situation's objects."""
        self.core.items = list(situation.snapshots[CORE].items)
        self.edge.items = list(situation.snapshots[EDGE].items)

    def delete_the_link(self) -> None:
        """Changes one site only: an observation between two changes would print another block."""
        self.edge.items = [item for item in self.edge.items if item["kind"] != "Link"]

    def observations(self) -> int:
        """How often the client site was read."""
        return sum("/sites" in path for _, path in self.edge.requests)


@pytest.fixture
def clusters(user: User, serve: Callable[[FakeApi], FakeApi]) -> Iterator[Clusters]:
    core, edge = serve(FakeApi()), serve(FakeApi())
    user.has_contexts(core=core.url, edge=edge.url)
    made = Clusters(user, core, edge)
    made.set_situation(situations.healthy())
    yield made
    assert core.methods | edge.methods <= {"GET"}, "status only reads"


class Reader:
    """Reads the output of a running command."""

    def __init__(self, run: Started) -> None:
        self.run = run
        self.seen = ""

    def until(self, pattern: str) -> str:
        """Reads lines until one matches."""
        assert self.run.stdout is not None
        for line in self.run.stdout:
            self.seen += line
            if re.search(pattern, line):
                return line
        raise AssertionError(f"ended without {pattern!r}: {self.seen}")

    def interrupt(self) -> tuple[int, str]:
        """Sends ^C. Returns the exit code and standard error."""
        assert self.run.stdout is not None
        assert self.run.stderr is not None
        self.run.send_signal(signal.SIGINT)
        self.seen += self.run.stdout.read()
        return self.run.wait(30), self.run.stderr.read()


def _wait_for_observations(clusters: Clusters) -> None:
    before, end = clusters.observations(), time.monotonic() + 30
    while clusters.observations() < before + 2:
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.waits(6)
def test_watch_prints_a_block_for_each_change(clusters: Clusters) -> None:
    reader = Reader(clusters.user.start("status", *SITES, "--watch"))
    reader.until("healthy. 2 sites")
    _wait_for_observations(clusters)
    clusters.delete_the_link()
    reader.until("first broken hop is the Link of edge")
    code, err = reader.interrupt()
    assert (code, err) == (1, ""), "the exit code is the last verdict's"
    assert len(re.findall(r"^at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$", reader.seen, re.MULTILINE)) == 2
    assert [c for c in reader.seen if not (c.isprintable() or c == "\n")] == []


def test_interrupted_watch_of_a_healthy_topology_is_exit_0(clusters: Clusters) -> None:
    reader = Reader(clusters.user.start("status", *SITES, "-w"))
    reader.until("healthy")
    assert reader.interrupt() == (0, "")


def test_watch_interrupted_before_the_first_observation_is_exit_130(
    user: User, serve: Callable[[FakeApi], FakeApi]
) -> None:
    silent = serve(FakeApi(fake_api.silent))
    user.has_contexts(core=silent.url, edge="http://127.0.0.1:1")
    run = user.start("status", *SITES, "--watch")
    end = time.monotonic() + 30
    while not silent.requests:
        assert time.monotonic() < end
        time.sleep(0.05)
    code, err = Reader(run).interrupt()
    assert code == 130
    assert err.startswith("error: interrupted")


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_watch_prints_a_document_for_each_change(output: str, clusters: Clusters) -> None:
    reader = Reader(clusters.user.start("status", *SITES, "--watch", "-o", output))
    reader.until("errors")
    clusters.delete_the_link()
    reader.until("errors")
    assert reader.interrupt()[0] == 1
    if output == "yaml":
        documents = list(yaml.safe_load_all(reader.seen))
    else:
        documents = [json.loads(line) for line in reader.seen.splitlines()]
    assert [document["healthy"] for document in documents] == [True, False]
    assert [document["exitCode"] for document in documents] == [0, 1]


@pytest.mark.waits(6)
def test_watch_with_a_timeout_ends_with_the_last_exit_code(clusters: Clusters) -> None:
    clusters.set_situation(situations.not_linked())
    ended = clusters.user.hzlink("status", *SITES, "--watch", "--timeout", "6")
    is_clean(ended)
    assert (ended.code, ended.err) == (1, "")
    assert ended.out.count("unhealthy") == 1


def test_watch_ends_when_its_output_is_closed(clusters: Clusters) -> None:
    run = clusters.user.start("status", *SITES, "--watch")
    assert run.stdout is not None
    run.stdout.readline()
    run.stdout.close()
    clusters.delete_the_link()
    assert run.wait(30) in (0, 1)
    assert run.stderr is not None
    assert run.stderr.read() == ""


@pytest.mark.parametrize("output", ["svg", "mermaid"])
def test_watch_refuses_svg_and_mermaid(output: str, clusters: Clusters) -> None:
    ended = clusters.user.hzlink("status", *SITES, "--watch", "-o", output)
    refused(ended, 2, f"--watch cannot be used with -o {output}", "-o table, wide, tree, json or yaml")


def test_watch_at_a_terminal_redraws_in_place(clusters: Clusters) -> None:
    run = clusters.user.at_terminal("status", *SITES, "--watch")
    run.until("watching; ^C ends")
    clusters.set_situation(situations.member_down())
    run.until("first broken hop is the members")
    run.press("\x03")
    code, seen = run.end()
    assert code == 1
    assert seen.rfind("\x1b[?25h") > seen.rfind("\x1b[?25l"), "the cursor is shown again"
    assert "\x1b[2J" not in seen, "the terminal is never cleared"
    shown = "\n".join(_screen(ESCAPE.sub("", seen.replace("\r\n", "\r\n"))))
    assert shown.count("SITE") == 1
    assert "healthy. 2 sites" not in shown
    assert "watching" not in shown


@pytest.mark.waits(6)
def test_watch_at_a_dumb_terminal_prints_blocks(clusters: Clusters) -> None:
    code, seen = clusters.user.at_terminal("status", *SITES, "--watch", "--timeout", "6", TERM="dumb").end()
    assert code == 0
    assert "\x1b" not in seen
    assert seen.count("healthy. 2 sites") == 1


# Waiting


def test_wait_ends_at_once_if_the_condition_holds(clusters: Clusters) -> None:
    ended = clusters.user.hzlink("status", *SITES, "--wait")
    is_clean(ended)
    assert (ended.code, ended.err) == (0, "")
    assert "healthy" in ended.out


def test_wait_ends_when_the_condition_holds(clusters: Clusters) -> None:
    clusters.set_situation(situations.not_linked())
    run = clusters.user.start("status", *SITES, "--wait", "--timeout", "60")
    _wait_for_observations(clusters)
    clusters.set_situation(situations.healthy())
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0
    # On a busy machine the wait may last until its first progress line.
    assert all(line.startswith("wait ") for line in err.splitlines())
    assert "healthy. 2 sites" in out
    assert "unhealthy" not in out


@pytest.mark.waits(10)
def test_wait_that_times_out_prints_the_status(clusters: Clusters) -> None:
    clusters.set_situation(situations.link_pending())
    ended = clusters.user.hzlink("status", *SITES, "--wait", "--timeout", "5")
    is_clean(ended)
    assert ended.code == 4
    assert "first broken hop is the Link of edge" in ended.out
    assert re.search(
        r"error: timed out waiting for: healthy\n  first broken hop is the Link .* waited [5-9]", ended.err
    )
    assert "next: hzlink link" in ended.err
    ended = clusters.user.hzlink("status", *SITES, "--wait", "--timeout", "5", "-o", "json")
    document = document_of(ended, 4, "timed out waiting for: healthy\n  first broken hop")
    assert document["firstBrokenHop"]["hop"] == "Link"


def test_wait_for_linked_ignores_members(clusters: Clusters) -> None:
    clusters.set_situation(situations.member_down())
    ended = clusters.user.hzlink("status", *SITES, "--wait", "--for", "linked")
    assert ended.code == 0
    assert clusters.user.hzlink("status", *SITES).code == 1


@pytest.mark.waits(5)
def test_wait_for_gone(clusters: Clusters) -> None:
    ended = clusters.user.hzlink("status", *SITES, "--wait", "--for", "gone", "--timeout", "5")
    assert ended.code == 4
    assert "timed out waiting for: gone" in ended.err
    assert "core: " in ended.err
    clusters.core.items = clusters.edge.items = []
    assert clusters.user.hzlink("status", *SITES, "--wait", "--for", "gone").code == 0


def test_wait_with_watch_prints_changes(clusters: Clusters) -> None:
    clusters.set_situation(situations.not_linked())
    run = clusters.user.start("status", *SITES, "--watch", "--wait", "--timeout", "60")
    _wait_for_observations(clusters)
    clusters.set_situation(situations.healthy())
    out, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (0, "")
    assert out.index("unhealthy") < out.index(" healthy.")
    assert out.count(" healthy.") == 1


# The views


def _result_of(situation: Situation) -> Result:
    return verdict("status", situation.report)


def test_block_view_shows_only_changes() -> None:
    shown: list[ExitStatus] = []
    view = BlockView(lambda result: shown.append(result.status))
    for situation in (situations.healthy(), situations.healthy(), situations.member_down(), situations.healthy()):
        view(_result_of(situation))
    assert shown == [ExitStatus.DONE, ExitStatus.FAILED, ExitStatus.DONE]


def test_live_view_writes_only_changes_and_fits_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=60, height=8, highlight=False, emoji=False, markup=False)
    lines = [f"line {number}" for number in range(20)]
    view = LiveView(console, lambda result: [Text(line) for line in lines])
    view(_result_of(situations.healthy()))
    written = len(file.getvalue())
    assert written > 0
    view(_result_of(situations.healthy()))
    assert len(file.getvalue()) == written
    for number in range(5):
        lines[-1] = f"changed {number}"
        view(_result_of(situations.healthy()))
    view.close()
    shown = [line for line in _screen(ESCAPE.sub("", file.getvalue())) if line]
    assert shown == [*(f"line {number}" for number in range(13, 19)), "changed 4"]
