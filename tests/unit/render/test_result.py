"""Exit codes, and the document that a command prints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hzlink.model.errors import ExitStatus, HzlinkError, Interrupted, PrerequisiteError, UsageError, WaitTimeout
from hzlink.model.objects import Ref
from hzlink.plan.planner import Action, Step
from hzlink.programs.refusals import explain
from hzlink.render import result
from hzlink.render.result import Result
from tests.unit.builders import CORE, EDGE, converged, report_of


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (HzlinkError("x"), 1),
        (UsageError("x"), 2),
        (PrerequisiteError("x"), 3),
        (WaitTimeout("x"), 4),
        (Interrupted("x"), 130),
        (explain(CORE, "x", "Unable to connect to the server"), 3),
        (explain(CORE, "x", "something odd"), 1),
    ],
)
def test_exit_code_of_errors(error: HzlinkError, code: int) -> None:
    outcome = result.of_errors("up", [error, HzlinkError("another")])
    assert int(outcome.status) == code
    document = result.to_dict(outcome)
    assert document["exitCode"] == code
    assert document["errors"][0]["exitCode"] == code
    assert len(document["errors"]) == 2


def test_exit_code_of_a_report() -> None:
    world = converged()
    assert result.verdict("status", report_of(world)).status is ExitStatus.DONE
    world.drop(EDGE, "Link")
    assert result.verdict("status", report_of(world)).status is ExitStatus.FAILED


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (explain(EDGE, "x", "Unable to connect to the server"), ExitStatus.PREREQUISITE),
        (explain(EDGE, "x", 'Error from server (NotFound): namespaces "hz" not found'), ExitStatus.PREREQUISITE),
        (PrerequisiteError("kubectl is not installed"), ExitStatus.PREREQUISITE),
        (explain(EDGE, "x", "something odd"), ExitStatus.FAILED),
    ],
    ids=["unreachable", "no namespace", "no kubectl", "odd"],
)
def test_exit_code_of_an_unreadable_site(error: HzlinkError, status: ExitStatus) -> None:
    assert result.verdict("status", report_of(converged(), {EDGE: error})).status is status


def test_error_document_omits_unknown_fields() -> None:
    assert HzlinkError("x").to_dict() == {"message": "x", "exitCode": 1}
    full = HzlinkError("x", site="core", subject="Link a", said="no", waited=1.26, next_step="hzlink link")
    assert full.to_dict() == {
        "site": "core",
        "message": "x",
        "subject": "Link a",
        "said": "no",
        "waitedSeconds": 1.3,
        "next": "hzlink link",
        "exitCode": 1,
    }


def test_document_is_versioned_json() -> None:
    step = Step(Action.PRUNE, CORE, "old", refs=(Ref("configmaps", "old"),))
    outcomes: dict[str, tuple[Result, dict[str, Any]]] = {
        "dry run": (Result("up", steps=(step,)), {"kind": "Up", "steps": [step_dict("prune", True)]}),
        "nothing to do": (Result("up", steps=()), {"steps": []}),
        "removed": (Result("down", removed=("core: sites/x",)), {"kind": "Down", "removed": ["core: sites/x"]}),
        "notes": (Result("up", notes=("nothing written",)), {"notes": ["nothing written"], "errors": []}),
        "status": (result.verdict("status", report_of(converged())), {"kind": "Status", "healthy": True}),
    }
    for what, (outcome, expected) in outcomes.items():
        document = result.to_dict(outcome)
        assert document["apiVersion"] == "hzlink/v1", what
        assert json.loads(json.dumps(document)) == document, what
        assert {key: document[key] for key in expected} == expected, what


def step_dict(action: str, writes: bool) -> dict[str, object]:
    return {"site": "core", "action": action, "writes": writes, "why": "old"}
