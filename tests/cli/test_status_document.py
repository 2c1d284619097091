"""docs/status-json.md lists exactly the fields of the document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hzlink.render import result
from hzlink.verify import saved_verdict
from tests.cli import situations
from tests.cli.document_fields import fields, named

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs/status-json.md").read_text(encoding="utf-8")
STATES = {"ok", "waiting", "broken", "unknown"}


def _documents() -> Iterator[dict[str, Any]]:
    for make in situations.ALL.values():
        yield result.to_dict(result.verdict("status", make().report))
    verified = saved_verdict.at_time(saved_verdict.Record(1000.0, {"edge": (3, 3)}, True), 1060.0)
    yield result.to_dict(result.verdict("status", situations.healthy().report, verified=verified))


def _hops(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for hop in [hop for path in document["paths"] for hop in path["hops"]]:
        yield hop
        yield from hop.get("members", [])
    if document["firstBrokenHop"]:
        yield document["firstBrokenHop"]


def test_page_lists_exactly_the_fields() -> None:
    whole, _, hop = DOCUMENT.partition("## A hop")
    seen = {field for document in _documents() for field in fields(document)}
    is_hop = re.compile(r"(paths\[\]\.hops\[\]|firstBrokenHop)\.")
    assert {field for field in seen if not is_hop.match(field)} == named(whole)
    told = {key for document in _documents() for one in _hops(document) for key in one}
    assert {f"{key}[]" if key == "members" else key for key in told} == named(hop)


def test_paths_and_hops_are_consistent() -> None:
    for document in _documents():
        clients = [site for site in document["sites"] if site["role"] == "client"]
        assert [path["client"] for path in document["paths"]] == [site["name"] for site in clients]
        for path in document["paths"]:
            first = path["firstBroken"]
            assert path["healthy"] == (first is None)
            [link] = [link for link in document["links"] if link["client"] == path["client"]]
            kinds = [hop["stage"] for hop in path["hops"]]
            # Each further Site of the way has a router and a Link. A hub has a router without any Link, too.
            assert kinds.count("Link") == len(link.get("way", [0]))
            assert kinds.count("router") in (kinds.count("Link") + 1, kinds.count("Link") + 2)
            assert len(kinds) - kinds.count("Link") - kinds.count("router") == 4
            assert first is None or path["hops"][first]["next"], "the first broken hop has the next command"
        for hop in _hops(document):
            assert hop["state"] in STATES
            assert hop["lags"] <= (hop["state"] == "waiting")
            assert hop["ageSeconds"] is None or hop["object"]
        assert document["healthy"] == all(path["healthy"] for path in document["paths"])
        firsts = [path["hops"][path["firstBroken"]] for path in document["paths"] if not path["healthy"]]
        assert document["firstBrokenHop"] in (firsts or [None])
