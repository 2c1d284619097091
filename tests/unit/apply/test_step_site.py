"""When a Skupper Site counts as ready, and when as reachable by other Sites."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from hzlink.apply.steps import applying
from hzlink.apply.steps.context import Run
from hzlink.apply.steps.site import is_reachable, is_ready, site_ready
from hzlink.model import events
from hzlink.model.choices import LinkAccess, LinkFrom
from hzlink.model.conditions import State
from hzlink.model.errors import HzlinkError
from hzlink.model.topology import Site
from hzlink.observe.snapshot import Snapshot
from hzlink.plan.planner import Action, Step
from tests.unit.builders import CORE, item, skupper_site, topology
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


def unsupported(spec: str = "nodeport") -> dict[str, Any]:
    return skupper_site("core", "Error", "Unsupported value for LinkAccess: nodeport", access=spec, holds={})


def test_link_access_that_is_not_enabled_ends_the_wait_at_once() -> None:
    condition = is_ready("core")({"core": unsupported()})
    assert (condition.state, condition.grace) == (State.BROKEN, 0.0)
    assert is_ready("core")({"core": unsupported("default")}).state is State.WAITING, "the status is of before"


@pytest.mark.parametrize(("before", "former"), [(None, ""), ("default", "default"), ("nodeport", "")])
def test_link_access_that_is_not_enabled_is_set_back(
    monkeypatch: pytest.MonkeyPatch, before: str | None, former: str
) -> None:
    applied: list[str] = []
    deleted: list[str] = []

    async def apply(run: Run, site: Site, items: Sequence[Any]) -> None:
        applied.extend(item["spec"].get("linkAccess", "none") for item in items)

    async def get(target: object) -> Any:
        return unsupported()

    kubectl = Watched([("ADDED", unsupported()), None])

    async def delete(targets: Sequence[object]) -> None:
        deleted.extend(map(str, targets))

    monkeypatch.setattr(kubectl, "get", get)
    monkeypatch.setattr(kubectl, "delete", delete)
    monkeypatch.setattr(Run, "kubectl", lambda run, site: kubectl)
    monkeypatch.setattr(applying, "apply", apply)
    seen = Snapshot(CORE, (skupper_site("core", host="203.0.113.7", access=before),) if before else ())
    run = Run(topology(link_access=LinkAccess.NODEPORT), {CORE: seen}, events.ignore, time.monotonic() + 30)
    with pytest.raises(HzlinkError) as caught:
        asyncio.run(site_ready(run, Step(Action.SITE, CORE, "")))
    done = f"the Site's link access is {former} again" if former else "the Site, which did not work, is removed"
    assert caught.value.message == f"the Skupper controller of core has not enabled link access nodeport; {done}"
    assert (applied, deleted) == (([former], []) if former else ([], ["sites.skupper.io/core"]))
    assert "SKUPPER_ENABLED_ACCESS_TYPES=local,loadbalancer,route,nodeport" in str(caught.value.next_step)


def test_new_address_is_waited_for_after_a_change_of_link_access(monkeypatch: pytest.MonkeyPatch) -> None:
    former = skupper_site("core", host="203.0.113.7", access="default")
    changed = skupper_site("core", host="203.0.113.7", access="nodeport")
    present = skupper_site("core", host="192.0.2.9", access="nodeport")
    kubectl = Watched([("ADDED", changed), ("MODIFIED", present)], [("ADDED", present)])
    monkeypatch.setattr(Run, "kubectl", lambda run, site: kubectl)
    settings = topology(link_access=LinkAccess.NODEPORT, link_from=LinkFrom.CLUSTER)
    run = Run(settings, {CORE: Snapshot(CORE, (former,))}, events.ignore, time.monotonic() + 30)
    assert asyncio.run(site_ready(run, Step(Action.SITE, CORE, ""))) == "Site Ready, reachable at 192.0.2.9"


def test_no_new_address_is_waited_for_if_skupper_kept_the_former_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Link access none leaves the RouterAccess of the Site, and its address."""
    former = skupper_site("core", host="203.0.113.7", access="none")
    kept = item("RouterAccess", "skupper-router", spec={})
    present = skupper_site("core", host="203.0.113.7", access="default")
    kubectl = Watched([("ADDED", present)])
    monkeypatch.setattr(Run, "kubectl", lambda run, site: kubectl)
    seen = Snapshot(CORE, (former, kept))
    run = Run(topology(link_from=LinkFrom.CLUSTER), {CORE: seen}, events.ignore, time.monotonic() + 30)
    asyncio.run(site_ready(run, Step(Action.SITE, CORE, "")))
    assert kubectl.watches == 1
