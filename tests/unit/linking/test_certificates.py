"""A wait for a Link ends early if the router's log says again and again that a certificate is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hzlink.linking import certificates
from hzlink.linking.certificates import CertificateRefused
from hzlink.linking.token_flow import Linking
from hzlink.model.choices import Via
from hzlink.model.errors import HzlinkError
from hzlink.programs.kubectl import Kubectl
from tests.unit.builders import CORE, EDGE, Obj, link, pod

REFUSED = (
    "Connection to core.example:55671 failed: amqp:connection:framing-error SSL Failure: certificate verify failed"
)
UNKNOWN = "Connection to core.example:55671 failed: proton:io Name or service not known"


def line(second: int, said: str) -> str:
    return f"2026-01-01T12:00:{second:02}.5Z SERVER (error) [C1] {said}\n"


def present(word: str = "Pending") -> Obj:
    found = link("hazelcast-core", word, "Not Operational" if word != "Ready" else "")
    found["spec"]["endpoints"] = [{"name": "inter-router", "host": "core.example", "port": "55671"}]
    return found


class Router:
    """The redeemer's kubectl: its Link, its router's pod, and a log that grows with each reading."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *logs: str | None, made: Obj | None = None) -> None:
        self._logs, self._read = logs, 0
        self._objects = [made or present(), pod("skupper-router-x", labels={"skupper.io/component": "router"})]
        monkeypatch.setattr(Kubectl, "log", lambda *names, **more: self._log())
        monkeypatch.setattr(Kubectl, "objects", lambda *names, **more: self._found())
        for name, seconds in (("FIRST_CHECK_SECONDS", 0.0), ("CHECK_SECONDS", 0.01)):
            monkeypatch.setattr(certificates, name, seconds)

    async def _log(self) -> str:
        log = self._logs[min(self._read, len(self._logs) - 1)]
        self._read += 1
        if log is None:
            raise HzlinkError("you may not read logs")
        return log

    async def _found(self) -> list[Obj]:
        return self._objects

    def wait(self, seconds: float = 0.3) -> Any:
        """The result of a wait that ends after so many seconds."""

        async def waiting() -> Any:
            await asyncio.sleep(seconds)
            return {"done": {}}

        job = Linking("hazelcast", Kubectl(CORE), Kubectl(EDGE), "hazelcast-core", Via.KUBECTL, lambda *_: None)  # type: ignore[arg-type]
        return asyncio.run(certificates.unless_refused(job, waiting()))


def test_repeated_refusals_end_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    router = Router(monkeypatch, "", *(line(second, REFUSED) for second in range(1, 9)))
    with pytest.raises(CertificateRefused) as raised:
        router.wait(5)
    assert str(raised.value) == "the routers of edge and core do not accept each other's certificates"
    assert raised.value.said == "core.example:55671: SSL Failure: certificate verify failed"


@pytest.mark.parametrize(
    "logs",
    [
        (line(1, REFUSED),),
        ("", line(1, REFUSED), line(1, REFUSED) + line(2, UNKNOWN), line(3, REFUSED), line(4, UNKNOWN)),
        (None,),
        ("",),
    ],
    ids=["of a former link", "not only", "unreadable", "silent"],
)
def test_the_wait_goes_on(monkeypatch: pytest.MonkeyPatch, logs: tuple[str | None, ...]) -> None:
    assert Router(monkeypatch, *logs).wait() == {"done": {}}


def test_a_link_that_is_up_has_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = [line(second, REFUSED) for second in range(1, 50)]
    assert Router(monkeypatch, *logs, made=present("Ready")).wait() == {"done": {}}


@pytest.mark.parametrize(
    ("log", "expected"),
    [(line(1, REFUSED), True), (line(1, REFUSED) + line(2, UNKNOWN), False), (None, False)],
)
def test_an_existing_link(monkeypatch: pytest.MonkeyPatch, log: str | None, expected: bool) -> None:
    Router(monkeypatch, log)
    assert asyncio.run(certificates.refused(Kubectl(EDGE), [present()])) is expected
    assert not asyncio.run(certificates.refused(Kubectl(EDGE), [present("Ready")]))


def test_refusals_from_before_the_link_are_not_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    Router(monkeypatch, line(1, REFUSED).replace("T12:00", "T11:59"))
    assert not asyncio.run(certificates.refused(Kubectl(EDGE), [present()]))
