"""Grants and tokens: number of redemptions, expiry, code and address."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from sandbox.api import kinds as core
from sandbox.skupper.controller import kinds, status
from tests.sandboxed import until
from tests.standin.topology import SECONDS, Topology

pytestmark = pytest.mark.sandbox


def failed(text: str) -> str:
    return f"Controller got failed response: {text}"


@pytest.fixture
def linkable(topology: Topology) -> Topology:
    """Both Sites, not linked."""
    topology.sites()
    return topology


def test_the_status_of_a_grant(linkable: Topology) -> None:
    before = datetime.now(UTC)
    grant = linkable.grant(expirationWindow="90s", redemptionsAllowed=3)
    state = grant["status"]
    assert [c["type"] for c in state["conditions"]] == ["Processed", "Ready", "Resolved"]
    assert re.fullmatch(rf"https://127\.[\d.]+:9090/{grant['metadata']['uid']}", state["url"])
    assert re.fullmatch(r"[A-Za-z0-9]{24}", state["code"])
    assert state["ca"].startswith("-----BEGIN CERTIFICATE-----\n")
    expires = datetime.fromisoformat(state["expirationTime"])
    assert 88 <= (expires - before).total_seconds() <= 120
    assert "redemptions" not in state


def test_the_defaults_of_a_grant(linkable: Topology) -> None:
    linkable.make("cluster", kinds.GRANTS, "bare")
    linkable.wait_for("cluster", kinds.GRANTS, "bare", "Ready", "OK")
    grant = linkable.get("cluster", kinds.GRANTS, "bare") or {}
    assert grant["spec"]["redemptionsAllowed"] == 1
    expires = datetime.fromisoformat(grant["status"]["expirationTime"])
    assert 540 <= (expires - datetime.now(UTC)).total_seconds() <= 601


def test_a_used_token(linkable: Topology) -> None:
    grant = linkable.grant()
    first = linkable.token(grant)
    linkable.wait_for("client", kinds.TOKENS, first, "Ready", "OK")
    token = linkable.get("client", kinds.TOKENS, first) or {}
    assert [c["type"] for c in token["status"]["conditions"]] == ["Redeemed"]
    assert token["status"]["redeemed"] is True
    used = (linkable.get("cluster", kinds.GRANTS, grant["metadata"]["name"]) or {})["status"]
    assert (used["redemptions"], used["status"]) == (1, "Ready")

    again = linkable.token(grant, "second-use")
    linkable.wait_for("client", kinds.TOKENS, again, "Error", failed("404 (Not Found) No such access granted"))
    assert linkable.get("client", kinds.LINKS, "second-use") is None
    assert "redeemed" not in (linkable.get("client", kinds.TOKENS, again) or {})["status"]


def test_an_expired_token(linkable: Topology) -> None:
    grant = linkable.grant(expirationWindow="1m")
    linkable.fault(clock={"cluster": 61})
    name = linkable.token(grant)
    linkable.wait_for("client", kinds.TOKENS, name, "Error", failed("404 (Not Found) No such claim"))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("code", "wrong", failed("403 (Forbidden) Redemption of access token refused")),
        ("url", "{url}0", failed("404 (Not Found) No such claim")),
        ("url", "https://127.255.255.1:9090/x", "connect: connection refused"),
        ("url", "https://192.0.2.7:9090/x", "dial tcp 192.0.2.7:9090: connect: no route to host"),
        ("url", "https://nowhere.example:9090/x", "no such host"),
        ("url", "nonsense", 'Controller got error: Post "nonsense": unsupported protocol scheme ""'),
        ("ca", "another", "x509: certificate signed by unknown authority"),
    ],
)
def test_a_token_that_cannot_be_redeemed(linkable: Topology, field: str, value: str, message: str) -> None:
    grant = linkable.grant()
    name = linkable.token(grant, **{field: value.format(url=grant["status"]["url"])})
    linkable.wait_for("client", kinds.TOKENS, name, "Error")
    assert message in linkable.state("client", kinds.TOKENS, name)[1]
    assert linkable.list("client", kinds.LINKS) == []
    # No redemption was counted: the right token still works.
    linkable.wake(linkable.token(grant, "right"))
    linkable.wait_for("client", kinds.LINKS, "right", "Ready", "OK")


def test_a_failed_token_is_retried(linkable: Topology) -> None:
    linkable.fault(redeem={f"client/{linkable.name}": "unreachable", "client": "unreachable"})
    name = linkable.token(linkable.grant())
    linkable.wait_for("client", kinds.TOKENS, name, "Error")
    linkable.fault()
    linkable.wait_for("client", kinds.TOKENS, name, "Ready", "OK")


def test_a_redemption_is_counted_before_the_link_is_created(topology: Topology) -> None:
    """The issuer has no endpoints: the first attempt and the one after the status change use one redemption each."""
    topology.site("cluster", "c01")
    topology.site("client", "c02")
    grant = topology.grant(redemptionsAllowed=2)
    name = topology.token(grant)
    message = failed("500 (Internal Server Error) Could not resolve any endpoints for requested link")
    topology.wait_for("client", kinds.TOKENS, name, "Error", message)

    def redemptions() -> int:
        found = topology.get("cluster", kinds.GRANTS, grant["metadata"]["name"]) or {}
        return int(found["status"].get("redemptions", 0))

    until(lambda: redemptions() == 2, SECONDS)

    single = topology.token(topology.grant())
    used_up = failed("404 (Not Found) No such access granted")
    topology.wait_for("client", kinds.TOKENS, single, "Error", used_up)


def test_a_grant_of_a_namespace_without_a_site(topology: Topology) -> None:
    topology.site("client", "c02")
    name = topology.token(topology.grant(redemptionsAllowed=9))
    message = failed(f"500 (Internal Server Error) Site not yet defined for {topology.name}")
    topology.wait_for("client", kinds.TOKENS, name, "Error", message)


def test_a_token_without_a_site_waits_for_one(topology: Topology) -> None:
    topology.site("cluster", "c01", "default")
    name = topology.token(topology.grant())
    with pytest.raises(AssertionError, match="not within"):
        until(lambda: topology.state("client", kinds.TOKENS, name) != ("", ""), 1.0)
    topology.site("client", "c02")
    topology.wait_for("client", kinds.TOKENS, name, "Ready", "OK")


def test_an_existing_secret_fails_the_token(linkable: Topology) -> None:
    linkable.make("client", core.SECRETS, "taken")
    name = linkable.token(linkable.grant(redemptionsAllowed=2), "taken")
    message = 'Controller could not create received secret: secrets "taken" already exists'
    linkable.wait_for("client", kinds.TOKENS, name, "Error", message)


def test_a_redeemed_token_does_not_recreate_its_link(linkable: Topology) -> None:
    """As with the real controller; the Secret is not deleted either."""
    name = linkable.link(redemptionsAllowed=2)
    linkable.delete("client", kinds.LINKS, name)
    with pytest.raises(AssertionError, match="not within"):
        until(lambda: linkable.get("client", kinds.LINKS, name), 2.5)
    assert linkable.get("client", core.SECRETS, name) is not None
    assert status.is_true(linkable.get("client", kinds.TOKENS, name) or {}, status.REDEEMED)


def test_the_fault_link_delete_recreates_the_link(linkable: Topology) -> None:
    linkable.fault(link_delete="redeem")
    name = linkable.link(redemptionsAllowed=2)
    linkable.delete("client", core.SECRETS, name)
    linkable.delete("client", kinds.LINKS, name)
    until(lambda: linkable.get("client", kinds.LINKS, name), SECONDS)
    grant = linkable.get("cluster", kinds.GRANTS, name) or {}
    assert grant["status"]["redemptions"] == 2


def test_the_grant_server_without_an_address(topology: Topology) -> None:
    """A grant keeps its last address, as in the real controller, although nothing answers there."""
    topology.sites()
    grant = topology.grant()
    topology.fault(grant_server={"cluster": False})
    until(lambda: not _grant_address(topology), SECONDS)
    name = topology.token(grant)
    topology.wait_for("client", kinds.TOKENS, name, "Error")
    assert "connect: " in topology.state("client", kinds.TOKENS, name)[1]


def _grant_address(topology: Topology) -> object:
    service = topology.sandbox.kube("cluster").get(core.SERVICES, "skupper", "skupper-grant-server") or {}
    return service["status"]["loadBalancer"].get("ingress")
