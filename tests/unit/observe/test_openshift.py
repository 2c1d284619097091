"""Whether a namespace has user IDs assigned, and what is asked to know it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hzlink.observe import openshift
from hzlink.observe.snapshot import Snapshot
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.process import Completed
from hzlink.programs.refusals import KubectlError, Refusal
from tests.unit.builders import CORE, Obj, item

SIGN = item("ConfigMap", "openshift-service-ca.crt")


def namespace(users: str | None) -> Obj:
    found = item("Namespace", "hz")
    if users:
        found["metadata"]["annotations"] = {openshift.RANGE: users}
    return found


class Server:
    """An API server that answers these namespaces, one after the other; None refuses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[Obj | None] = []
        self.is_openshift = True
        self.asked = 0
        monkeypatch.setattr(Kubectl, "namespace", lambda kubectl: self._namespace())
        monkeypatch.setattr(Kubectl, "run_raw", lambda kubectl, *args: self._serves())
        monkeypatch.setattr(openshift, "POLL_SECONDS", 0.0)
        monkeypatch.setattr(openshift, "RANGE_LIMIT_SECONDS", 0.1)

    async def _namespace(self) -> Any:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise KubectlError(Refusal.FORBIDDEN, "no")
        return answer

    async def _serves(self) -> Completed:
        return Completed((), 0 if self.is_openshift else 1, "", "", 0.0)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(monkeypatch)


def seen(*items: Obj) -> str:
    return asyncio.run(openshift.assigned_users(Snapshot(CORE, items)))


def test_elsewhere_nothing_is_asked(server: Server) -> None:
    assert seen(item("ConfigMap", "kube-root-ca.crt")) == ""
    assert server.asked == 0


def test_the_namespaces_annotation_counts(server: Server) -> None:
    server.answers = [namespace("1000680000/10000"), namespace(None), None]
    assert [seen(SIGN), seen(SIGN)] == ["1000680000/10000", ""]
    assert seen(SIGN), "one that may not be read is taken to have a range"


def test_a_new_namespace_gets_its_range_soon(server: Server) -> None:
    server.answers = [namespace(None), namespace(None), namespace("1/2")]
    assert asyncio.run(openshift.wait_for_range(Kubectl(CORE))) == "1/2"
    assert server.asked == 3
    server.answers = [namespace(None)]
    assert asyncio.run(openshift.wait_for_range(Kubectl(CORE))) == ""


def test_a_new_namespace_of_another_cluster_is_not_waited_for(server: Server) -> None:
    server.is_openshift = False
    assert asyncio.run(openshift.wait_for_range(Kubectl(CORE))) == ""
    assert server.asked == 0
