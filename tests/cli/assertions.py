"""Assertions for every error: one message, the right exit code, only data on standard output."""

from __future__ import annotations

import re
from typing import Any

from tests.cli.program import Ended


def is_clean(ended: Ended) -> None:
    """Asserts that neither stream has a traceback, an escape sequence or another control character."""
    for text in (ended.out, ended.err):
        assert "Traceback" not in text
        assert "internal error in hzlink" not in text
        assert "Exception ignored" not in text
        assert [character for character in text if not (character.isprintable() or character == "\n")] == []


def refused(ended: Ended, code: int, says: str, next_step: str | None = None) -> None:
    """Asserts the exit code and one error that matches the patterns of its message and next command."""
    is_clean(ended)
    assert ended.code == code, ended
    assert ended.out == "", "standard output is for data"
    errors = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, ended.err
    assert re.search(says, ended.err), ended.err
    hints = [line for line in ended.err.splitlines() if line.startswith("  next: ")]
    if next_step is None:
        assert hints == []
    else:
        assert len(hints) == 1
        assert re.search(next_step, hints[0]), hints[0]


def document_of(ended: Ended, code: int, says: str) -> Any:
    """The JSON document of an error; asserts its exit code and message."""
    is_clean(ended)
    document = ended.document
    assert (ended.code, document["exitCode"]) == (code, code)
    assert document["apiVersion"] == "hzlink/v1"
    [error] = document["errors"]
    assert error["exitCode"] == code
    assert re.search(says, f"{error['message']}\n  {error.get('said')}")
    return document
