"""The link step when even a new Link's certificate is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hzlink.apply.steps import link, repair
from hzlink.apply.steps.context import Run
from hzlink.linking import token_flow
from hzlink.linking.certificates import CertificateRefused
from hzlink.linking.token_flow import Linking
from hzlink.model.choices import Via
from hzlink.model.topology import Site
from hzlink.programs.kubectl import Kubectl
from tests.unit.builders import CORE, EDGE, converged


def after_restart(monkeypatch: pytest.MonkeyPatch, *, asked: bool, helps: bool) -> tuple[str, list[Site]]:
    """What the step says, and the sites whose router it has restarted."""
    world = converged()
    run = Run(world.topology, world.snapshots(), lambda _: None, 0.0, repair=asked)
    restarted: list[Site] = []

    async def restart(_: Run, site: Site) -> None:
        restarted.append(site)

    async def until_ready(_: Linking) -> None:
        if not helps:
            raise CertificateRefused("the routers do not accept each other's certificates")

    monkeypatch.setattr(repair, "restart_router", restart)
    monkeypatch.setattr(token_flow, "until_ready", until_ready)
    waits: Any = run.wait
    job = Linking("hazelcast", Kubectl(CORE), Kubectl(EDGE), "hazelcast-core", Via.KUBECTL, waits)
    error = CertificateRefused("the routers do not accept each other's certificates")
    return asyncio.run(link._after_restart(run, job, error)), restarted


def test_the_issuers_router_is_restarted_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    said, restarted = after_restart(monkeypatch, asked=True, helps=True)
    assert restarted == [CORE]
    assert said == "core issued; after a restart of its router, which had an outdated certificate"


def test_without_repair_nothing_is_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CertificateRefused) as raised:
        after_restart(monkeypatch, asked=False, helps=True)
    assert raised.value.next_step is not None
    assert raised.value.next_step.startswith("hzlink link --repair   (restarts the router of core: ")
    assert "interrupted for about 20 to 30 s" in raised.value.next_step


def test_a_restart_that_does_not_help_leads_to_the_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CertificateRefused) as raised:
        after_restart(monkeypatch, asked=True, helps=False)
    assert "even with another certificate and after a restart of the router of core" in raised.value.message
    assert raised.value.next_step == "kubectl --context core-ctx -n hz describe certificates.skupper.io"
