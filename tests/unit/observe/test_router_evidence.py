"""The router's own reason for a Link that is not operational."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hzlink.model import conditions, objects
from hzlink.model.errors import HzlinkError
from hzlink.model.objects import Object
from hzlink.observe.router_evidence import failed_connections, with_router_evidence
from hzlink.programs.kubectl import Kubectl
from tests.unit.builders import CORE, Obj, link, pod, status_conditions

# As skupper-router 3.5.1 prints it; one attempt is logged by several of its parts.
UNRESOLVED = (
    "2026-01-01T10:00:01Z 2026-01-01 10:00:01.9 +0000 SERVER (error) [C6] Connection to balancer.example:55671 failed: "
    "proton:io Name or service not known - connect to  balancer.example:55671\n"
    "2026-01-01T10:00:02Z 2026-01-01 10:00:02.0 +0000 FLOW_LOG (info) LOG [k:3] BEGIN END parent=k:0 logSeverity=3\n"
)
REFUSED = (
    "2026-01-01T10:00:09Z 2026-01-01 10:00:09.0 +0000 SERVER (error) [C7] Connection to balancer.example:55671 failed: "
    "proton:io Connection refused - disconnected balancer.example:55671\n"
)


def broken_link(host: str = "balancer.example") -> Obj:
    found = link("hazelcast-core", "Pending", "Not Operational")
    found["spec"]["endpoints"] = [{"name": "inter-router", "host": host, "port": "55671"}]
    found["status"]["conditions"] = status_conditions(Configured=True, Ready=False)
    return found


def router(ready: bool = True) -> Obj:
    return pod("skupper-router-x", ready=ready, labels={"skupper.io/component": "router"})


class Router:
    """A kubectl that gives this log, or fails; it records its calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log: str | None = UNRESOLVED
        self.calls: list[tuple[str, ...]] = []
        monkeypatch.setattr(Kubectl, "log", lambda kubectl, *names, **more: self._answer(names))

    async def _answer(self, names: tuple[str, ...]) -> Any:
        self.calls.append(names)
        if self.log is None:
            raise HzlinkError("you may not read logs")
        return self.log

    def __call__(self, *items: Obj) -> tuple[Object, ...]:
        return asyncio.run(with_router_evidence(Kubectl(CORE), items))


@pytest.fixture
def kubectl(monkeypatch: pytest.MonkeyPatch) -> Router:
    return Router(monkeypatch)


def test_link_has_the_reason_of_the_router(kubectl: Router) -> None:
    found, _ = kubectl(broken_link(), router())
    text = "Not Operational: the router cannot connect to balancer.example:55671: Name or service not known"
    assert conditions.skupper(found).text == text
    assert kubectl.calls == [("skupper-router-x", "router")]


def test_last_attempt_counts() -> None:
    assert failed_connections(UNRESOLVED + REFUSED) == {
        "balancer.example": "balancer.example:55671: Connection refused"
    }


def test_log_is_read_for_broken_links_only(kubectl: Router) -> None:
    ready = link("hazelcast-core")
    ready["status"]["conditions"] = status_conditions(Configured=True, Operational=True, Ready=True)
    assert kubectl(ready, router()) == (ready, router())
    assert kubectl(broken_link(), router(ready=False))[0] == broken_link()
    assert kubectl.calls == []


@pytest.mark.parametrize("log", [None, "", UNRESOLVED])
def test_link_without_a_reason_is_unchanged(kubectl: Router, log: str | None) -> None:
    kubectl.log = log
    other = broken_link("203.0.113.9")
    assert objects.status(kubectl(other, router())[0]).get("message") == "Not Operational"
