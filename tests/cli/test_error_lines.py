"""The lines of each kind of error, compared with golden files (see tests/cli/golden_files.py)."""

from __future__ import annotations

import json

import pytest

from hzlink.model.errors import HzlinkError, Interrupted, PrerequisiteError, UsageError, WaitTimeout
from hzlink.model.topology import Site
from hzlink.programs.refusals import explain
from hzlink.render.plain import error_lines
from hzlink.render.result import Result, of_errors
from tests.cli import golden_files, situations
from tests.cli.screen import Screen
from tests.cli.situations import ARN, CORE, EDGE, NASTY

ODD = Site("odd", EDGE.role, "it's odd", "hz", "/home/ann/.kube/two  blanks")

# Messages of kubectl, by hzlink's classification.
SAID = {
    "unreachable": "Unable to connect to the server: dial tcp 203.0.113.9:6443: i/o timeout",
    "unreachable-refused": (
        'E0301 10:00:00.000000 4711 memcache.go:265] "Unhandled Error" err="couldn\'t get current server API group '
        'list: Get \\"http://127.0.0.1:1/api\\": dial tcp 127.0.0.1:1: connect: connection refused"\n'
        "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?"
    ),
    "unauthorized": "error: You must be logged in to the server (Unauthorized)",
    "forbidden": (
        'Error from server (Forbidden): sites.skupper.io is forbidden: User "ann" cannot list resource "sites" in API '
        'group "skupper.io" in the namespace "hz"'
    ),
    "no-definitions": 'error: the server doesn\'t have a resource type "sites"',
    "no-namespace": 'Error from server (NotFound): namespaces "hz" not found',
    "conflict": (
        'error: Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas\n'
        "Please review the fields above--they currently have other managers. Here\nare the ways you can resolve this\n"
        "See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"
    ),
    "other": 'Error from server (BadRequest): error decoding patch: unknown field "spec.linkAcess"',
}

ERRORS: dict[str, HzlinkError] = {
    **{f"kubectl-{name}": explain(CORE, "apply objects", said) for name, said in SAID.items()},
    "kubectl-odd-context": explain(ODD, "read objects", SAID["unreachable"]),
    "kubectl-nasty": explain(CORE, "read objects", NASTY),
    "failed": HzlinkError(
        "the token was refused: it had been used already, or its grant was deleted",
        site="edge",
        subject="AccessToken hazelcast-core",
        said="Controller got failed response: 404 (Not Found) No such access granted",
        waited=0.61,
        next_step="hzlink link",
    ),
    "failed-plain": HzlinkError("the manifests cannot be built"),
    "usage": UsageError(
        "there is no context 'prod' in your kubeconfig",
        said=f"its contexts: core, edge, {ARN}",
        next_step="kubectl config get-contexts",
    ),
    "prerequisite": PrerequisiteError("kubectl is not installed, or not on the PATH", next_step="install kubectl"),
    "timeout": WaitTimeout(
        "timed out: members 3/3",
        site="core",
        subject="StatefulSet hazelcast",
        said="pod hazelcast-2: ImagePullBackOff: Back-off pulling image",
        waited=180.04,
        next_step="kubectl --context core -n hz describe pods -l app=hazelcast",
    ),
    "timeout-no-reason": WaitTimeout("timed out: Site ready", site="core", subject="Site core", waited=59.96),
    "interrupted": Interrupted("interrupted", next_step="hzlink up   (continues from here)"),
    "nasty": HzlinkError(NASTY, site="edge", subject=f"Link {NASTY}", said=NASTY, next_step=f"kubectl {NASTY}"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error_lines(name: str, screen: Screen) -> None:
    outcome = of_errors("up", [ERRORS[name]])
    assert screen.show(outcome).out == ""
    screen.check(f"errors/{name}", outcome)


@pytest.mark.parametrize("name", ERRORS)
def test_each_fact_is_one_line_without_control_characters(name: str) -> None:
    lines = error_lines(ERRORS[name])
    assert all(line.isprintable() for line in lines)
    assert lines[0].startswith("error: ")
    assert [line for line in lines[1:] if not line.startswith("  ")] == []


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_document_is_printed_on_failure(output: str, screen: Screen) -> None:
    outcome = of_errors("up", list(ERRORS.values()))
    shown = screen.show(outcome, output)
    golden_files.check(f"errors/all.{output}", shown.out)
    # Users who redirect the document still see the errors.
    assert shown.err.count("error: ") >= len(ERRORS)


def test_timeout_still_prints_the_status(screen: Screen) -> None:
    report = situations.image_missing().report
    error = ERRORS["timeout"]
    outcome = Result("up", error.status, report, (error,))
    screen.check("errors/timeout-with-status", outcome)
    document = json.loads(screen.show(outcome, "json").out)
    assert (document["exitCode"], document["healthy"], len(document["errors"])) == (4, False, 1)
