"""When a Skupper Site is taken to be ready, and when others can link to it."""

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


def test_one_that_was_ready_before_it_got_link_access_is_not_yet_reachable() -> None:
    site = skupper_site("edge", access="default", holds={"Running": True, "Resolved": True, "Ready": True})
    assert is_ready("edge")({"edge": site}).ok
    condition = is_reachable("edge")({"edge": site})
    assert (condition.state, condition.text) == (
        State.WAITING,
        "no address yet: the Site has not taken up its link access",
    )


def test_with_an_address_it_is() -> None:
    assert is_reachable("edge")({"edge": skupper_site("edge", host="203.0.113.7")}).ok


def test_a_site_without_an_address_leaves_issuing_to_a_client_site_even_if_the_second_watch_is_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a busy machine the watch for the address may begin only when the time for it is over."""
    pending = skupper_site(
        "core", word="Pending", access="default", holds={"Running": True, "Resolved": False, "Ready": False}
    )
    kubectl = Watched([("ADDED", pending)], [None])
    monkeypatch.setattr(Run, "kubectl", lambda run, site: kubectl)
    run = Run(topology(address_timeout=0.05), {CORE: Snapshot(CORE)}, events.ignore, time.monotonic() + 30)
    said = asyncio.run(site_ready(run, Step(Action.SITE, CORE, "")))
    assert said.endswith("no address after 0.05 s: the client side is made ready to issue, too")
    assert run.unaddressed == {CORE}
