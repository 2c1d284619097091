"""docs/json.md lists exactly the fields of the commands' documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from hzlink.render import result
from hzlink.render.result import Dumped, Opened, Result
from tests.cli import golden_files
from tests.cli.document_fields import fields, named
from tests.cli.situations import EDGE

PAGE = (Path(__file__).resolve().parents[2] / "docs/json.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
IN_EVERY = named(SECTIONS["In every document"])


def _golden(folder: str) -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted((golden_files.FOLDER / folder).glob("*.json"))]


VERSIONS = ("hzlink", "kubectl", "skupper", "python")
DOCUMENTS: dict[str, list[dict[str, Any]]] = {
    "`hzlink verify`": _golden("verify/json"),
    "`hzlink bench`": _golden("bench/json"),
    "`hzlink check`": _golden("check/json"),
    "`hzlink up --dry-run` and `hzlink link --dry-run`": _golden("plan/json"),
    "`hzlink down`": _golden("down/json"),
    "`hzlink dump`": [result.to_dict(Result("dump", dumped=Dumped("x.tar.gz", ("summary.txt",), 9)))],
    "`hzlink version`": [result.to_dict(Result("version", versions=dict.fromkeys(VERSIONS, "1")))],
    "`hzlink member-config`": _golden("member-config/json"),
    "`hzlink open`": [result.to_dict(Result("open", opened=Opened("mancenter", EDGE, "http://127.0.0.1:1")))],
}


def _all_fields(documents: Iterable[dict[str, Any]]) -> set[str]:
    return {field for document in documents for field in fields(document)}


def test_every_command_has_a_section() -> None:
    assert SECTIONS.keys() == {"In every document", *DOCUMENTS}


@pytest.mark.parametrize("section", DOCUMENTS)
def test_section_lists_exactly_the_fields(section: str) -> None:
    assert _all_fields(DOCUMENTS[section]) - IN_EVERY == named(SECTIONS[section])


def test_common_fields_are_in_every_document() -> None:
    assert _all_fields(_golden("errors")) == IN_EVERY
    always = {"apiVersion", "kind", "exitCode", "notes", "errors"}
    for document in (document for documents in DOCUMENTS.values() for document in documents):
        assert always <= document.keys()
