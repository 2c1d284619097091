"""Runs all series once; each test checks one of them. The figures are printed at the end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from tests.kill.campaign import Place, Series, Worker
from tests.sandboxed import Namespaces, Sandbox

WORKERS = 4

LINK = ("link", "--via")
ALL = [
    *(Series(("up",), when) for when in ("before", "after")),
    *(Series((*LINK, via), when) for via in ("skupper", "kubectl") for when in ("before", "after")),
    # The calls that make the Link itself; the others are those of the other ways.
    Series((*LINK, "link"), "after"),
    *(Series(("down", "--yes"), when) for when in ("before", "after")),
    Series(("up",), "before", "INT", step=7),
    Series(("up",), "after", "TERM", step=7),
    Series((*LINK, "skupper"), "before", "TERM", step=3),
    Series((*LINK, "kubectl"), "after", "INT", step=3),
    Series(("down", "--yes"), "before", "INT", step=6),
]


@pytest.fixture(scope="session")
def campaign(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> list[Series]:
    """All series, after their runs."""
    folder, numbers = tmp_path_factory.mktemp("kill"), count()

    def make() -> Place:
        return Place(sandbox, Namespaces(sandbox), folder / str(next(numbers)))

    undisturbed = make()
    undisturbed.run("up")
    up = undisturbed.state()
    undisturbed.unlink()
    unlinked = undisturbed.rested()
    undisturbed.empty()
    with ThreadPoolExecutor(WORKERS) as pool:
        for working in [pool.submit(Worker(make, ALL, up, unlinked).work) for _ in range(WORKERS)]:
            working.result()
    return ALL


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the figures if series were run."""
    if not any(one.killed or one.problems for one in ALL):
        return
    kills = {
        command: sum(len(one.killed) for one in ALL if one.command[0] == command and one.signal == "KILL")
        for command in ("up", "link", "down")
    }
    words = ", ".join(f"{command} {number}" for command, number in kills.items())
    signals = sum(len(one.killed) for one in ALL if one.signal != "KILL")
    unchanged, left = sum(one.unchanged for one in ALL), sum(one.left for one in ALL)
    problems = sum(len(one.problems) for one in ALL)
    terminalreporter.write_line(
        f"boundaries killed: {sum(kills.values())} ({words}), interrupted: {signals}, of both without a change: "
        f"{unchanged}, leftovers: {left}, problems: {problems}"
    )
