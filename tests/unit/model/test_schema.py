"""Malformed objects cause no exception; well-formed objects are not changed."""

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
    """A snapshot of these items, read from JSON as kubectl prints it."""
    return Snapshot(site, tuple(answers.items(site, json.dumps({"items": items}))))


@given(LISTS, LISTS)
def test_any_objects_are_planned_and_shown_without_an_error(core: list[Any], edge: list[Any]) -> None:
    shape = topology()
    snapshots = {CORE: snapshot(CORE, core), EDGE: snapshot(EDGE, edge)}
    shown = result.verdict("status", report.make(shape, snapshots))
    planner.make(shape, {CORE: [], EDGE: []}, snapshots)
    for site in snapshots.values():
        # No object without hzlink's labels is removed.
        assert not teardown.make(shape, site).refs
    for text in (structured.as_json(shown), structured.as_yaml(shown)):
        assert text.replace("\n", "").isprintable()
    for part in table.render(shown, wide=True):
        cells = [part] if not hasattr(part, "columns") else [c for column in part.columns for c in column.cells]
        for cell in cells:
            assert str(cell).replace("\n", "").isprintable()


@pytest.mark.parametrize("good", [skupper_site("core", host="h"), link("l"), item("Pod", "p", labels={"app": "x"})])
def test_well_formed_object_is_not_changed(good: dict[str, Any]) -> None:
    assert schema.fitted(good) == good


@pytest.mark.parametrize("bad", [None, [], "Pod", 3, {}, {"kind": 3}, {"kind": None}])
def test_value_that_is_not_an_object_is_dropped(bad: Any) -> None:
    assert schema.fitted(bad) is None


def test_field_of_a_wrong_type_is_dropped() -> None:
    bad = item("Pod", "p", status={"conditions": {"type": "Ready"}, "other": [1]}, spec={"replicas": 10**30})
    bad["metadata"]["labels"] = {"app": 3, "tier": "x"}
    found = schema.fitted(bad)
    assert found is not None
    assert found["status"] == {"conditions": [], "other": [1]}
    assert (found["spec"], found["metadata"]["labels"]) == ({}, {"tier": "x"})


@given(st.text(alphabet='{}[]":,0123\x1b\ud800 ane', max_size=60))
def test_truncated_json_is_an_hzlink_error(text: str) -> None:
    said: list[str] = []
    try:
        answers.items(EDGE, text)
    except HzlinkError as error:
        said = plain.error_lines(error)
    assert all(line.isprintable() for line in said)


def test_deeply_nested_json_is_an_hzlink_error() -> None:
    with pytest.raises(HzlinkError, match="not a JSON object"):
        answers.items(EDGE, "[" * 200_000)


@given(st.text(max_size=40))
def test_event_line_has_no_control_characters(text: str) -> None:
    assert plain.line(Event(Mark.OK, text, text, reason=text)).isprintable()
