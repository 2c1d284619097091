"""The verdict under the table, and errors that follow it."""

from __future__ import annotations

from rich.text import Text

from hzlink.model.errors import ExitStatus, HzlinkError
from hzlink.render import table
from hzlink.render.result import Result, to_dict
from tests.unit.builders import converged, report_of


def verdict(result: Result) -> str:
    return "\n".join(part.plain for part in table.render(result) if isinstance(part, Text))


def test_no_table_says_healthy_above_an_error() -> None:
    report = report_of(converged())
    failed = Result("up", ExitStatus.FAILED, report, (HzlinkError("a field is managed by helm"),))
    assert "healthy" not in verdict(failed)
    assert "failed, see the error" in verdict(failed)
    assert "healthy" in verdict(Result("up", ExitStatus.DONE, report))


def test_no_document_says_healthy_beside_an_error() -> None:
    report = report_of(converged())
    failed = Result("up", ExitStatus.FAILED, report, (HzlinkError("a field is managed by helm"),))
    assert to_dict(failed)["healthy"] is False
    assert to_dict(Result("up", ExitStatus.DONE, report))["healthy"] is True
