"""Each fault is reported with its exit code, site, object, message and next command."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.execution import Outcome, Rig
from tests.faults.fault import Fault, Where
from tests.faults.table import FAULTS

BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.mark.parametrize("fault", BY_NAME)
def test_fault_is_reported(fault: str, outcome_of: Callable[[Fault], Outcome], rig: Rig) -> None:
    row = BY_NAME[fault]
    rig.tally.rows += 1
    outcome = outcome_of(row)
    ran = outcome.ran
    print(f"{ran.seconds:.1f} s, exit {ran.code}\n{ran.out}\n{ran.err}")
    assert "Traceback" not in ran.err + ran.out
    assert ran.code == row.code
    _assert_reported(row, outcome)
    if row.code != 0 and not row.is_waited_out:
        assert ran.seconds < row.seconds, "hzlink did not wait for a failure that it can detect"
    assert outcome.left == []
    if outcome.again is not None:
        assert outcome.again.code == 0, outcome.again.err
    assert outcome.changed == []
    assert outcome.secrets == []
    rig.tally.answered += 1


def _assert_reported(row: Fault, outcome: Outcome) -> None:
    message, proposed = (text.format_map(outcome.names) for text in (row.message, row.next))
    document = outcome.ran.document
    if row.where is Where.TALK:
        assert message in outcome.ran.err
        return
    if row.where is Where.WARNING:
        notes = [*document["warnings"], *(one["message"] for one in document["findings"])]
        assert len([note for note in notes if note.startswith(message)]) == 1, notes
        return
    given, said = _given(row, document), row.said
    if row.later is not None and given["message"] == row.later[0]:
        message, said = row.later
    assert given["message"] == message if row.where is Where.ERROR else message in given["message"]
    assert given.get("site", "") == row.site
    # Without the name of a namespace that the row has made.
    assert re.sub(r" t-[0-9a-f]{8}$", "", given.get("subject", "")) == row.subject
    assert re.search(said, given.get("said", ""), re.DOTALL), given
    assert proposed in given.get("next", "")
    assert "--kubeconfig" not in given.get("next", ""), (
        "the kubeconfig comes from the environment, so the command does not name it"
    )


def _given(row: Fault, document: Any) -> dict[str, Any]:
    """The first error of a document, or its first broken hop with the fields of an error."""
    if row.where is Where.ERROR:
        error: dict[str, Any] = document["errors"][0]
        return error
    hop = document["firstBrokenHop"]
    return {"message": hop["message"], "site": hop["site"], "subject": hop["hop"], "next": hop["next"]}
