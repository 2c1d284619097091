"""Which errors of an API server and of admission webhooks may pass by themselves."""

from __future__ import annotations

import pytest

from hzlink.programs import passing

CALL = 'Error from server (InternalError): Internal error occurred: failed calling webhook "w": '
POST = f'{CALL}Post "https://svc.policy.svc:443/validate?timeout=10s": '
CONVERSION = (
    "Error from server: conversion webhook for skupper.io/v2alpha1, Kind=Site failed: "
    'Post "https://svc.policy.svc:443/convert?timeout=30s": '
)


@pytest.mark.parametrize(
    "said",
    [
        f"{POST}dial tcp 10.0.0.1:443: connect: connection refused",
        f"{POST}dial tcp 10.0.0.1:443: i/o timeout",
        f"{POST}context deadline exceeded",
        f"{POST}EOF",
        f'{POST}no endpoints available for service "svc"',
        f"{CALL}the server is currently unable to handle the request",
        f"{POST}net/http: TLS handshake timeout",
        f"{CONVERSION}dial tcp 10.0.0.1:443: connect: connection refused",
    ],
)
def test_a_webhook_that_is_down_may_come_back(said: str) -> None:
    assert passing.is_passing(said)
    assert passing.is_webhook_down(said)


@pytest.mark.parametrize(
    "said",
    [
        f'{POST}service "svc" not found',
        f"{POST}tls: failed to verify certificate: x509: certificate signed by unknown authority",
        f"{CALL}the server could not find the requested resource",
        'Error from server: admission webhook "w" denied the request: policy server: connection refused',
        "Error from server (Forbidden): ValidatingAdmissionPolicy 'p' with binding 'b' denied request: try again later",
    ],
)
def test_a_webhook_that_refuses_or_is_misconfigured_does_not_pass(said: str) -> None:
    assert not passing.is_passing(said)
    assert not passing.is_webhook_down(said)


def test_a_gateway_in_front_of_the_api_server_may_answer_again() -> None:
    said = 'Error from server (InternalError): an error on the server ("<html>502 Bad Gateway</html>") has prevented'
    assert passing.is_passing(f"{said} the request from succeeding (get pods)")


def test_errors_of_the_api_server_itself_are_not_about_webhooks() -> None:
    assert not passing.is_webhook_down("Error from server: etcdserver: leader changed")
    assert not passing.is_passing("Unable to connect to the server: dial tcp 10.0.0.1:6443: connection refused")
