"""What holds for every refusal: one clear error, the right exit code, nothing but data on standard output."""

from __future__ import annotations

import re
from typing import Any

from tests.cli.program import Ended


def is_clean(ended: Ended) -> None:
    """No traceback, no escape sequence, no stray character on either stream; no line of hzlink's repeats itself."""
    for text in (ended.out, ended.err):
        assert "Traceback" not in text
        assert "internal error in hzlink" not in text
        assert "Exception ignored" not in text
        assert [character for character in text if not (character.isprintable() or character == "\n")] == []


def refused(ended: Ended, code: int, says: str, next_step: str | None = None) -> None:
    """Ended with the code and one error that says (a pattern) what is wrong, and (a pattern) what to type next."""
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
    """The one JSON document of a refusal, which carries the error and the exit code."""
    is_clean(ended)
    document = ended.document
    assert (ended.code, document["exitCode"]) == (code, code)
    assert document["apiVersion"] == "hzlink/v1"
    [error] = document["errors"]
    assert error["exitCode"] == code
    assert re.search(says, f"{error['message']}\n  {error.get('said')}")
    return document
