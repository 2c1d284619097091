"""When `--via auto` links without a token: only if no grant server can be reached."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from hzlink.linking import failures, fallback, token_flow
from hzlink.linking.token_flow import Linking
from hzlink.model.choices import Via
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.events import Event
from hzlink.observe.waiting import Wait
from hzlink.programs.refusals import KubectlError, Refusal
from tests.unit.watching import Watched

UNREACHABLE = 'Controller got error: Post "https://lb:9090/1": dial tcp 192.0.2.1:9090: connect: connection timed out'
UNTRUSTED = 'Controller got error: Post "https://lb:9090/1": tls: x509: certificate signed by unknown authority'
USED_UP = "Controller got failed response: 404 (Not Found) No such access granted"


class Flow:
    """The token flow, which ends with these errors; then with none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *errors: HzlinkError, seconds: float = 100.0) -> None:
        self.errors, self.until = list(errors), time.monotonic() + seconds
        self.told: list[Event] = []
        self.limits: list[float] = []
        self.done: list[str] = []
        self.refusal: HzlinkError | None = None
        monkeypatch.setattr(token_flow, "redeem", self._redeem)
        monkeypatch.setattr(token_flow, "until_ready", self._note("ready"))
        monkeypatch.setattr(token_flow, "remove_leftovers", self._note("cleaned"))

    def _note(self, word: str) -> Any:
        async def noted(linking: Linking) -> None:
            self.done.append(word)

        return noted

    async def _redeem(self, linking: Linking) -> None:
        self.limits.append(linking.wait(linking.issuer, "").until - time.monotonic())
        if self.errors:
            raise self.errors.pop(0)
        self.done.append("redeemed")

    async def _without_token(self) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.done.append("linked")

    def run(self, via: Via = Via.AUTO) -> bool:
        kubectl = Watched([None])

        def wait(kubectl: Any, text: str) -> Wait:
            return Wait(kubectl, text, began=time.monotonic(), until=self.until, emit=self.told.append)

        linking = Linking("hazelcast", kubectl, kubectl, "hazelcast-core", via, wait)
        return asyncio.run(fallback.make(linking, self._without_token))


@pytest.mark.parametrize(
    "error",
    [
        WaitTimeout("", said=failures.NO_GRANT_ADDRESS),
        WaitTimeout("the redeeming site cannot reach the issuing site", said=UNREACHABLE),
        WaitTimeout("not redeemed", said=f"{token_flow.NO_ANSWER}: Skupper is still trying to connect"),
    ],
)
def test_without_a_grant_server_the_link_is_made_without_a_token(
    monkeypatch: pytest.MonkeyPatch, error: HzlinkError
) -> None:
    flow = Flow(monkeypatch, error)
    assert flow.run() is True
    assert flow.done == ["cleaned", "linked"]
    [note] = flow.told
    assert note.text.endswith(": making the link without a token")
    assert flow.limits[0] <= fallback.PATIENCE_SECONDS


@pytest.mark.parametrize("said", [UNTRUSTED, USED_UP, "Controller got failed response: 403 (Forbidden)", None])
def test_other_errors_are_not_hidden(monkeypatch: pytest.MonkeyPatch, said: str | None) -> None:
    flow = Flow(monkeypatch, HzlinkError("refused", said=said))
    with pytest.raises(HzlinkError, match="refused"):
        flow.run()
    assert flow.done == []


def test_slow_issuer_gets_the_rest_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = Flow(monkeypatch, WaitTimeout("busy", said="Controller got failed response: 503 (Service Unavailable)"))
    assert flow.run() is False
    assert flow.done == ["cleaned", "redeemed", "ready"]
    assert flow.limits[1] > fallback.PATIENCE_SECONDS


def test_short_timeout_leaves_half_of_it_for_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = Flow(monkeypatch, seconds=10.0)
    assert flow.run() is False
    assert flow.limits[0] <= 5.0


def test_missing_rights_show_the_first_error(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = Flow(monkeypatch, WaitTimeout("no token", said=failures.NO_GRANT_ADDRESS))
    flow.refusal = KubectlError(Refusal.FORBIDDEN, "you may not create Certificate")
    with pytest.raises(WaitTimeout, match="no token") as caught:
        flow.run()
    assert "manifests/rbac/static-link" in str(caught.value.next_step)


@pytest.mark.parametrize("via", [Via.KUBECTL, Via.SKUPPER])
def test_given_program_is_used_to_the_end(monkeypatch: pytest.MonkeyPatch, via: Via) -> None:
    flow = Flow(monkeypatch, WaitTimeout("no token", said=failures.NO_GRANT_ADDRESS))
    with pytest.raises(WaitTimeout, match="no token"):
        flow.run(via)
    assert flow.limits[0] > fallback.PATIENCE_SECONDS
