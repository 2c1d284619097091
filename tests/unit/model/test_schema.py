"""Objects of any form: nothing that reads them fails, and what is well formed stays as it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.model import schema
from hzlink.model.errors import HzlinkError
from hzlink.model.events import Event, Mark
from hzlink.observe.snapshot import ALL_KINDS, Snapshot
from hzlink.plan import planner, teardown
from hzlink.programs import answers
from hzlink.render import plain, result, structured, table
from hzlink.report import report
from tests.unit.builders import CORE, EDGE, item, link, skupper_site, topology

WORDS = ("hazelcast", "hazelcast-0", "hazelcast-mancenter", "Ready", "Running", "True", "\x1b[31m", "\ud800", "")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS)
FIELDS = (
    *("name", "uid", "labels", "app", "ownerReferences", "kind", "generation", "creationTimestamp", "conditions"),
    *("type", "status", "endpoints", "host", "containerStatuses", "state", "running", "waiting", "reason", "message"),
    *("replicas", "ports", "port", "nodePort", "loadBalancer", "ingress", "ip", "controller", "version", "linkAccess"),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=20,
)
OBJECTS = st.fixed_dictionaries(
    {"kind": st.sampled_from(ALL_KINDS)}, optional={"metadata": JSON, "spec": JSON, "status": JSON}
)
LISTS = st.lists(OBJECTS | JSON, max_size=8)


def snapshot(site: Any, items: list[Any]) -> Snapshot:
    """What a look finds of these, by way of the JSON that kubectl prints."""
    return Snapshot(site, tuple(answers.items(site, json.dumps({"items": items}))))


@given(LISTS, LISTS)
def test_whatever_a_cluster_holds_is_shown(core: list[Any], edge: list[Any]) -> None:
    shape = topology()
    snapshots = {CORE: snapshot(CORE, core), EDGE: snapshot(EDGE, edge)}
    shown = result.verdict("status", report.make(shape, snapshots))
    planner.make(shape, {CORE: [], EDGE: []}, snapshots)
    for site in snapshots.values():
        # Nothing without hzlink's marks, however they are written, is ever removed.
        assert not teardown.make(shape, site).refs
    for text in (structured.as_json(shown), structured.as_yaml(shown)):
        assert text.replace("\n", "").isprintable()
    for part in table.render(shown, wide=True):
        cells = [part] if not hasattr(part, "columns") else [c for column in part.columns for c in column.cells]
        for cell in cells:
            assert str(cell).replace("\n", "").isprintable()


@pytest.mark.parametrize("good", [skupper_site("core", host="h"), link("l"), item("Pod", "p", labels={"app": "x"})])
def test_what_is_well_formed_stays_as_it_is(good: dict[str, Any]) -> None:
    assert schema.fitted(good) == good


@pytest.mark.parametrize("bad", [None, [], "Pod", 3, {}, {"kind": 3}, {"kind": None}])
def test_what_is_no_object_is_none(bad: Any) -> None:
    assert schema.fitted(bad) is None


def test_a_field_of_another_kind_is_as_good_as_not_there() -> None:
    bad = item("Pod", "p", status={"conditions": {"type": "Ready"}, "other": [1]}, spec={"replicas": 10**30})
    bad["metadata"]["labels"] = {"app": 3, "tier": "x"}
    found = schema.fitted(bad)
    assert found is not None
    assert found["status"] == {"conditions": [], "other": [1]}
    assert (found["spec"], found["metadata"]["labels"]) == ({}, {"tier": "x"})


@given(st.text(alphabet='{}[]":,0123\x1b\ud800 ane', max_size=60))
def test_json_that_was_cut_off_is_an_error_of_ours(text: str) -> None:
    said: list[str] = []
    try:
        answers.items(EDGE, text)
    except HzlinkError as error:
        said = plain.error_lines(error)
    assert all(line.isprintable() for line in said)


def test_json_as_deep_as_it_likes_is_an_error_of_ours() -> None:
    with pytest.raises(HzlinkError, match="not a JSON object"):
        answers.items(EDGE, "[" * 200_000)


@given(st.text(max_size=40))
def test_no_event_controls_the_terminal(text: str) -> None:
    assert plain.line(Event(Mark.OK, text, text, reason=text)).isprintable()
