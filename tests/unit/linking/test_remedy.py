"""Temporary and permanent failures to redeem a token, in the messages of Skupper, Go and the issuer."""

from __future__ import annotations

import pytest

from hzlink.linking import remedy
from hzlink.linking.remedy import Remedy
from hzlink.model.errors import HzlinkError, WaitTimeout

POST = 'Controller got error: Post "https://balancer.example:9090/2b335b68": '
ANSWER = "Controller got failed response: "
PASSES = [
    f"{POST}dial tcp: lookup balancer.example on 172.31.250.11:53: no such host",
    f"{POST}dial tcp: lookup balancer.example on 172.31.250.11:53: server misbehaving",
    f"{POST}dial tcp: lookup balancer.example: Temporary failure in name resolution",
    f"{POST}dial tcp: lookup balancer.example: i/o timeout",
    f"{POST}dial tcp 20.1.2.3:9090: i/o timeout",
    f"{POST}dial tcp 20.1.2.3:9090: connect: connection timed out",
    f"{POST}dial tcp 20.1.2.3:9090: connect: connection refused",
    f"{POST}dial tcp 20.1.2.3:9090: connect: no route to host",
    f"{POST}dial tcp [2001:db8::7]:9090: connect: network is unreachable",
    f"{POST}read tcp 10.0.0.1:4711->20.1.2.3:9090: read: connection reset by peer",
    f"{POST}EOF",
    f"{POST}net/http: TLS handshake timeout",
    f"{POST}context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
    f"{POST}tls: failed to verify certificate: x509: certificate is valid for 20.1.2.2, not 20.1.2.3",
    f"{ANSWER}500 (Internal Server Error) Could not resolve any endpoints for requested link",
    f"{ANSWER}503 (Service Unavailable) Internal error",
    f"{ANSWER}502 (Bad Gateway) ",
    f"{ANSWER}429 (Too Many Requests) ",
    "Error from server (TooManyRequests): the server has received too many requests, try again later",
    "etcdserver: leader changed",
]
FRESH = [
    f"{ANSWER}404 (Not Found) No such access granted",
    f"{ANSWER}404 (Not Found) No such claim",
    f"{ANSWER}500 (Internal Server Error) simulated failure",
]
FINAL = [
    f"{POST}tls: failed to verify certificate: x509: certificate signed by unknown authority",
    f"{POST}http: server gave HTTP response to HTTPS client",
    'Controller got error: Post "nonsense": unsupported protocol scheme ""',
    f"{ANSWER}403 (Forbidden) Redemption of access token refused",
    'Controller could not create received secret: secrets "hazelcast-core" already exists',
    'accesstokens.skupper.io is forbidden: User "ann" cannot create resource',
    'error: failed calling webhook "w": service "policy-svc" not found',
    "something else",
]


@pytest.mark.parametrize("said", PASSES)
def test_temporary_failure_is_waited_for(said: str) -> None:
    assert remedy.of(HzlinkError("x", said=said)) is Remedy.WAIT


@pytest.mark.parametrize("said", FRESH)
def test_failure_of_a_single_token_needs_another_token(said: str) -> None:
    assert remedy.of(HzlinkError("x", said=said)) is Remedy.REISSUE


@pytest.mark.parametrize("said", FINAL)
def test_permanent_failure_ends_at_once(said: str) -> None:
    assert remedy.of(HzlinkError("x", said=said)) is Remedy.NONE


@pytest.mark.parametrize(
    "error", [WaitTimeout("x", said="no answer yet"), HzlinkError("x", said='Token "t" redeem not ready yet')]
)
def test_address_without_an_answer_is_a_temporary_failure(error: HzlinkError) -> None:
    assert remedy.of(error) is Remedy.WAIT


@pytest.mark.parametrize("said", PASSES[:4])
def test_host_name_is_read_from_the_message(said: str) -> None:
    assert remedy.unresolved_name(said) == "balancer.example"


def test_failure_without_a_host_name_has_none() -> None:
    assert remedy.unresolved_name(PASSES[4]) == ""
