"""Refusals of admission control, as the API server (1.37), Kyverno, Gatekeeper and OpenShift word them."""

from __future__ import annotations

import pytest

from hzlink.model.errors import ExitStatus
from hzlink.model.objects import Object
from hzlink.programs import admission, refusals
from hzlink.programs.refusals import Refusal
from tests.unit.builders import CORE

CALL = (
    'Error from server (InternalError): error when creating "STDIN": Internal error occurred: failed calling webhook '
    '"validate.kyverno.svc-fail": failed to call webhook: '
)
POST = 'Post "https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": '
CONFIGURATIONS = "get validatingwebhookconfigurations,mutatingwebhookconfigurations -o"
FORBIDDEN = 'Error from server (Forbidden): error when creating "STDIN": pods "p" is forbidden: '
KYVERNO = (
    'Error from server: admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource '
    "StatefulSet/hz/hazelcast was blocked due to the following policies \n\nrequire-labels:\n  check-labels: "
    "'validation error: label ''team'' is required. rule check-labels failed at path /metadata/labels/team/'\n"
)
KYVERNO_NAMESPACED = KYVERNO.replace("require-labels:", "hz/require-labels:")
GATEKEEPER = (
    'Error from server (Forbidden): error when creating "STDIN": admission webhook "validation.gatekeeper.sh" denied '
    "the request: [repo-is-ours] container <hazelcast> has an invalid image repo\n[ns-owner] you must provide labels"
)

DOWN = [
    (CALL + POST + 'service "kyverno-svc" not found',
     'service "kyverno-svc" not found (Service kyverno-svc of namespace kyverno)'),
    (CALL + POST + 'no endpoints available for service "kyverno-svc"',
     'no endpoints available for service "kyverno-svc" (Service kyverno-svc of namespace kyverno)'),
    (CALL + POST + "context deadline exceeded",
     "context deadline exceeded (Service kyverno-svc of namespace kyverno)"),
    (CALL + POST + "tls: failed to verify certificate: x509: certificate signed by unknown authority",
     "tls: failed to verify certificate: x509: certificate signed by unknown authority (Service kyverno-svc of "
     "namespace kyverno)"),
    (CALL + 'Post "https://10.0.0.1:9443/x?timeout=10s": dial tcp 10.0.0.1:9443: connect: connection refused',
     "dial tcp 10.0.0.1:9443: connect: connection refused"),
    (CALL + POST + "EOF", "EOF (Service kyverno-svc of namespace kyverno)"),
    (CALL + "the server could not find the requested resource",
     "failed to call webhook: the server could not find the requested resource"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "cause"), DOWN, ids=[cause[:30] for _, cause in DOWN])
def test_webhook_that_cannot_be_called_is_named(said: str, cause: str) -> None:
    error = refusals.explain(CORE, "apply objects", said)
    assert (error.refusal, error.status) == (Refusal.WEBHOOK, ExitStatus.PREREQUISITE)
    assert error.message == f"the admission webhook validate.kyverno.svc-fail cannot be called: {cause}"
    assert CONFIGURATIONS in (error.next_step or "")
    assert admission.webhook_to_find(said) == "validate.kyverno.svc-fail"


POLICIES = [
    ("Error from server (Invalid): statefulsets.apps \"a\" is forbidden: ValidatingAdmissionPolicy 'team-limits' with "
     "binding 'here' denied request: at most two replicas", Refusal.POLICY,
     "ValidatingAdmissionPolicy team-limits refuses it", "get validatingadmissionpolicies team-limits -o yaml"),
    (KYVERNO, Refusal.POLICY, "the Kyverno policy require-labels refuses it",
     "get clusterpolicies.kyverno.io require-labels -o yaml"),
    (KYVERNO_NAMESPACED, Refusal.POLICY, "the Kyverno policy hz/require-labels refuses it",
     "-n hz get policies.kyverno.io require-labels -o yaml"),
    (GATEKEEPER, Refusal.POLICY, "the Gatekeeper constraint repo-is-ours, ns-owner refuses it", "get constraints"),
    ('Error from server (NotFound): admission webhook "policy.example.org" denied the request: team not found',
     Refusal.POLICY, "the admission webhook policy.example.org refuses it", CONFIGURATIONS),
    (FORBIDDEN + 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false', Refusal.POLICY,
     "PodSecurity restricted:latest, by the namespace's labels, refuses it", "get namespace hz --show-labels"),
    (FORBIDDEN + 'unable to validate against any security context constraint: [provider "anyuid": Forbidden: not '
     "usable by user or serviceaccount]", Refusal.POLICY,
     "no security context constraint (SCC) that the pod's ServiceAccount may use allows it",
     "get securitycontextconstraints.security.openshift.io"),
    (FORBIDDEN + "exceeded quota: few, requested: pods=1, used: pods=4, limited: pods=4", Refusal.QUOTA,
     "the quota few is used up", "-n hz describe resourcequotas few"),
    (FORBIDDEN + "failed quota: memory: must specify limits.memory for: router; requests.memory for: router",
     Refusal.QUOTA,
     "the quota memory requires fields that the pods do not set: "
     "must specify limits.memory for: router; requests.memory for: "
     "router", "-n hz describe resourcequotas memory"),
    (FORBIDDEN + "maximum memory usage per Container is 16Mi, but limit is 1Gi", Refusal.POLICY,
     "a LimitRange of the namespace refuses it", "-n hz describe limitranges"),
    (FORBIDDEN + "[minimum cpu usage per Pod is 1, but request is 100m, memory max limit to request ratio per Pod is "
     "1, but provided ratio is 2.000000]", Refusal.POLICY,
     "a LimitRange of the namespace refuses it", "-n hz describe limitranges"),
    (FORBIDDEN + "image policy webhook backend denied one or more images", Refusal.POLICY,
     "the cluster's admission control refuses pods \"p\"", ""),
    (FORBIDDEN + 'error looking up service account hz/x: serviceaccount "x" not found', Refusal.POLICY,
     "the cluster's admission control refuses pods \"p\"", ""),
]  # fmt: skip


@pytest.mark.parametrize(("said", "refusal", "message", "look"), POLICIES, ids=[one[2][:45] for one in POLICIES])
def test_refusing_rule_is_named_with_a_next_command(said: str, refusal: Refusal, message: str, look: str) -> None:
    error = refusals.explain(CORE, "apply objects", said)
    assert (error.refusal, error.message, error.status) == (refusal, message, ExitStatus.FAILED)
    assert look in (error.next_step or "")
    assert (error.next_step is None) == (not look)


NO_ADMISSION = [
    'Error from server (Forbidden): statefulsets.apps "hazelcast" is forbidden: User "ann" cannot patch resource '
    '"statefulsets" in API group "apps" in the namespace "hz"',
    'Error from server (Forbidden): roles.rbac.authorization.k8s.io "x" is forbidden: user "ann" (groups=["g"]) is '
    "attempting to grant RBAC permissions not currently held",
    "Error from server (Forbidden): unknown (get pods)",
]


@pytest.mark.parametrize("said", NO_ADMISSION)
def test_missing_right_is_not_a_refusal_of_admission(said: str) -> None:
    assert admission.parse(said) is None
    assert refusals.classify(said) is Refusal.FORBIDDEN


def test_policy_that_only_warns_is_not_a_refusal() -> None:
    said = "Warning: Validation failed for ValidatingAdmissionPolicy 'x' with binding 'y': denied request: no"
    assert admission.parse(said) is None
    assert admission.parse('Warning: admission webhook "x" denied the request: no') is None


def test_configuration_of_a_webhook_is_found() -> None:
    items: list[Object] = [
        {"kind": "MutatingWebhookConfiguration", "metadata": {"name": "other"}, "webhooks": [{"name": "x"}, None]},
        {"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "cfg"}, "webhooks": [{"name": "y"}]},
        {"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "empty"}},
    ]
    assert admission.configuration_hint(CORE, items, "y") == (
        "kubectl --context core-ctx get validatingwebhookconfigurations cfg -o yaml"
    )
    assert admission.configuration_hint(CORE, items, "z") is None


def test_conversion_webhook_is_named_by_its_kind() -> None:
    said = (
        "Error from server: conversion webhook for skupper.io/v2alpha1, Kind=Site failed: Post "
        '"https://hook.skupper.svc:443/convert?timeout=30s": service "hook" not found'
    )
    error = refusals.explain(CORE, "read objects", said)
    assert error.refusal is Refusal.WEBHOOK
    assert "get customresourcedefinitions sites.skupper.io" in (error.next_step or "")
