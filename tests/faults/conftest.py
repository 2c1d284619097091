"""Rows that break only their own namespace run concurrently; the others run alone, after them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from tests.faults.execution import Outcome, Rig, Tally
from tests.faults.fault import Fault
from tests.faults.secrets_found import Seen
from tests.faults.table import FAULTS
from tests.faults.world import Faults
from tests.sandboxed import Sandbox

# A row mostly waits, so four rows can run on two cores.
AT_ONCE = 4
TALLY = pytest.StashKey[Tally]()


@pytest.fixture(scope="session")
def rig(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Rig]:
    """What all rows share."""
    tally = pytestconfig.stash.setdefault(TALLY, Tally())
    yield Rig(sandbox, Faults(sandbox), Seen(sandbox), tally, tmp_path_factory.mktemp("worlds"))
    sandbox.set_faults({})


@pytest.fixture(scope="session")
def outcome_of(rig: Rig, request: pytest.FixtureRequest) -> Iterator[Callable[[Fault], Outcome]]:
    """Returns a row's outcome. Starts all selected rows that break only their own namespace."""
    chosen = {_row_of(item) for item in request.session.items}
    rows = [fault for fault in FAULTS if fault.name in chosen and not fault.alone]
    # The longest first, so that they do not run alone at the end.
    rows.sort(key=lambda fault: not fault.is_waited_out)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running: dict[str, Future[Outcome]] = {fault.name: pool.submit(rig.execute, fault) for fault in rows}

        def outcome(fault: Fault) -> Outcome:
            if fault.alone:
                wait(running.values())
                return rig.execute(fault)
            return running[fault.name].result()

        yield outcome
        # If pytest was interrupted, rows that have not started are cancelled.
        pool.shutdown(cancel_futures=True)


def _row_of(item: pytest.Item) -> str:
    """The name of the row that a test is for; empty for any other test."""
    callspec: Any = getattr(item, "callspec", None)
    return str(callspec.params.get("fault", "")) if callspec is not None else ""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the counts of the rows that ran."""
    tally = config.stash.get(TALLY, None)
    if tally is None:
        return
    terminalreporter.write_line(
        f"faults answered: {tally.answered} of {tally.rows}, "
        f"secrets found: {len(tally.secrets)} in {tally.searched} texts, "
        f"bystanders changed: {len(tally.changed)} of {tally.compared}"
    )
