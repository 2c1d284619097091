"""An API server that refuses for a moment (too many requests, a change of etcd's leader) is asked again."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from hzlink.model.choices import Role
from hzlink.model.events import Event, Mark
from hzlink.model.objects import Ref
from hzlink.model.topology import Site
from hzlink.programs import repeating
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import KubectlError, Refusal
from tests.process.programs import Programs

SITE = Site("edge", Role.CLIENT, "edge", "hz")
LEADER = "Error from server: etcdserver: leader changed"
WEBHOOK = (
    'Error from server (InternalError): Internal error occurred: failed calling webhook "validate.policy.example": '
    'failed to call webhook: Post "https://policy-svc.policy.svc:443/validate?timeout=10s": '
    "dial tcp 10.0.0.1:443: connect: connection refused"
)
REFUSALS = [
    LEADER,
    "Error from server (TooManyRequests): the server has received too many requests and has asked us to try again",
    "Error from server: etcdserver: request timed out",
    "Error from server (ServiceUnavailable): the server is currently unable to handle the request (get pods)",
    "Error from server (Timeout): the server was unable to return a response in the time allotted",
    WEBHOOK,
]
GRANT: dict[str, Any] = {"apiVersion": "skupper.io/v2alpha1", "kind": "AccessGrant", "metadata": {"name": "g"}}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeating, "FIRST_PAUSE_SECONDS", 0.01)


def refuses(programs: Programs, said: str, times: int, then: str = "") -> None:
    """A kubectl that refuses so many times, and does `then` after that."""
    tries = programs.folder / "tries"
    script = f"""cat >/dev/null
echo "$*" >>"{tries}"
if [ "$(wc -l <"{tries}")" -le {times} ]; then echo '{said}' >&2; exit 1; fi
{then or "echo '{}'"}"""
    programs.script("kubectl", script)


def tries(programs: Programs) -> int:
    """How often the patch was tried; what is read to explain a refusal does not count."""
    return sum(" patch " in line for line in (programs.folder / "tries").read_text().splitlines())


@pytest.mark.parametrize("said", REFUSALS)
def test_what_passes_is_tried_again(programs: Programs, said: str) -> None:
    refuses(programs, said, 2)
    asyncio.run(Kubectl(SITE).patch(Ref("pods", "p"), {}))
    assert tries(programs) == 3


@pytest.mark.parametrize(
    "said",
    [
        'Error from server (Forbidden): pods is forbidden: User "ann" cannot list',
        'Error from server (InternalError): failed calling webhook "w": service "policy-svc" not found',
        'Error from server: admission webhook "w" denied the request: the server is currently unable to handle the '
        "request",
        "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?",
    ],
)
def test_what_does_not_pass_is_not(programs: Programs, said: str) -> None:
    refuses(programs, said, 9)
    with pytest.raises(KubectlError):
        asyncio.run(Kubectl(SITE).patch(Ref("pods", "p"), {}))
    assert tries(programs) == 1


def test_it_ends_with_the_time_of_the_run(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeating, "MAX_PAUSE_SECONDS", 0.05)
    refuses(programs, LEADER, 999)
    began = time.monotonic()
    with pytest.raises(KubectlError) as caught:
        asyncio.run(Kubectl(SITE, until=began + 2).patch(Ref("pods", "p"), {}))
    assert "leader changed" in (caught.value.said or "")
    assert tries(programs) > 2


def test_what_is_waited_for_is_told_once(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeating, "MAX_PAUSE_SECONDS", 0.02)
    refuses(programs, WEBHOOK, 6)
    told: list[Event] = []

    async def patch() -> None:
        repeating.tell(told.append)
        await Kubectl(SITE, until=time.monotonic() + 60).patch(Ref("pods", "p"), {})

    asyncio.run(patch())
    text = (
        "the admission webhook validate.policy.example cannot be called: dial tcp 10.0.0.1:443: connect: connection "
        "refused (Service policy-svc of namespace policy): trying again"
    )
    assert told == [Event(Mark.NOTE, text, "edge")]


def test_a_webhook_that_stays_down_is_named_at_the_end(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeating, "MAX_PAUSE_SECONDS", 0.05)
    refuses(programs, WEBHOOK, 999)
    with pytest.raises(KubectlError) as caught:
        asyncio.run(Kubectl(SITE, until=time.monotonic() + 2).patch(Ref("pods", "p"), {}))
    assert caught.value.message.startswith("the admission webhook validate.policy.example cannot be called")
    assert "validatingwebhookconfigurations" in (caught.value.next_step or "")


GONE = "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?"


def test_an_api_server_that_is_away_for_a_moment_is_called_again_during_a_run(programs: Programs) -> None:
    refuses(programs, GONE, 2)
    asyncio.run(Kubectl(SITE, until=time.monotonic() + 60).patch(Ref("pods", "p"), {}))
    assert tries(programs) == 3


@pytest.mark.parametrize("said", [GONE, "Unable to connect to the server: x509: certificate has expired"])
def test_an_api_server_that_stays_away_ends_the_run(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr(repeating, "UNREACHABLE_LIMIT_SECONDS", 0.5)
    refuses(programs, said, 999)
    began = time.monotonic()
    with pytest.raises(KubectlError) as caught:
        asyncio.run(Kubectl(SITE, until=began + 60).patch(Ref("pods", "p"), {}))
    assert caught.value.refusal is Refusal.UNREACHABLE
    assert time.monotonic() - began < 30
    if "x509" in said:
        assert tries(programs) == 1


def test_a_replacement_is_repeated_only_if_nothing_was_stored(programs: Programs) -> None:
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "hzlink"}}
    refuses(programs, WEBHOOK, 2, f"echo '{json.dumps(lease)}'")
    assert asyncio.run(Kubectl(SITE).replace(lease)) == lease
    (programs.folder / "tries").unlink()
    refuses(programs, LEADER, 2, f"echo '{json.dumps(lease)}'")
    with pytest.raises(KubectlError):
        asyncio.run(Kubectl(SITE).replace(lease))


def test_an_object_whose_creation_was_not_answered_is_taken_as_made(programs: Programs) -> None:
    then = f"""case " $* " in
*" create "*) echo 'Error from server (AlreadyExists): accessgrants "g" already exists' >&2; exit 1 ;;
*) echo '{json.dumps(GRANT)}' ;;
esac"""
    refuses(programs, LEADER, 1, then)
    assert asyncio.run(Kubectl(SITE).create(GRANT)) == GRANT


def test_an_object_that_was_there_before_is_still_refused(programs: Programs) -> None:
    refuses(programs, 'Error from server (AlreadyExists): accessgrants "g" already exists', 9)
    with pytest.raises(KubectlError):
        asyncio.run(Kubectl(SITE).create(GRANT))
