"""When a Skupper Site counts as ready, and when as reachable by other Sites."""

from __future__ import annotations

import asyncio
import time

import pytest

from hzlink.apply.steps.context import Run
from hzlink.apply.steps.site import is_reachable, is_ready, site_ready
from hzlink.model import events
from hzlink.model.conditions import State
from hzlink.observe.snapshot import Snapshot
from hzlink.plan.planner import Action, Step
from tests.unit.builders import CORE, skupper_site, topology
from tests.unit.watching import Watched


def test_ready_site_without_resolved_link_access_is_not_reachable() -> None:
    site = skupper_site("edge", access="default", holds={"Running": True, "Resolved": True, "Ready": True})
    assert is_ready("edge")({"edge": site}).ok
    condition = is_reachable("edge")({"edge": site})
    assert (condition.state, condition.text) == (
        State.WAITING,
        "no address yet: the Skupper controller has not processed the link access yet",
    )


def test_site_with_an_address_is_reachable() -> None:
    assert is_reachable("edge")({"edge": skupper_site("edge", host="203.0.113.7")}).ok


def test_site_without_an_address_lets_a_client_site_issue_although_the_second_watch_is_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a busy machine the watch for the address may start only after its time limit."""
    pending = skupper_site(
        "core", word="Pending", access="default", holds={"Running": True, "Resolved": False, "Ready": False}
    )
    kubectl = Watched([("ADDED", pending)], [None])
    monkeypatch.setattr(Run, "kubectl", lambda run, site: kubectl)
    run = Run(topology(address_timeout=0.05), {CORE: Snapshot(CORE)}, events.ignore, time.monotonic() + 30)
    said = asyncio.run(site_ready(run, Step(Action.SITE, CORE, "")))
    assert said.endswith("no address after 0.05 s: the client sites get link access, too")
    assert run.unaddressed == {CORE}
