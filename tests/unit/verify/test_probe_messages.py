"""The plan that is sent to the probe's pod, and the verdict that it returns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.model.errors import HzlinkError
from hzlink.model.events import Event, Mark
from hzlink.verify import latency, probe_messages
from hzlink.verify.probe_messages import PREFIX, InvalidMessage, Verdict, read_plan, read_verdict, verdict_line
from hzlink.verify.proof import Member, NameProof, Outcome, SiteProof
from hzlink.verify.site_proof import Plan
from tests.unit.builders import EDGE

NAMES = ("hazelcast-0", "hazelcast-1")
PLAN = Plan(EDGE, True, NAMES, frozenset(NAMES), 2, "dev")
TEXTS = st.text(max_size=40)
MEMBERS = st.builds(Member, TEXTS, TEXTS)
SECONDS = st.floats(0, 100)
LATENCIES = st.none() | st.lists(SECONDS, min_size=1, max_size=5).map(latency.of)
WHERE = {Outcome.NO_SERVICE: st.none(), Outcome.UNREACHABLE: st.none()}


@st.composite
def proofs(draw: st.DrawFn) -> SiteProof:
    def one(name: str) -> NameProof:
        outcome = draw(st.sampled_from(Outcome))
        return NameProof(name, outcome, draw(TEXTS), draw(WHERE.get(outcome, MEMBERS)), draw(LATENCIES))

    return SiteProof(
        EDGE,
        True,
        tuple(map(one, NAMES)),
        tuple(draw(st.lists(MEMBERS))),
        tuple(draw(st.lists(TEXTS))),
        inside=True,
    )


NOTES = st.builds(Event, st.sampled_from(Mark), TEXTS, st.just(EDGE.name))


@given(proofs(), st.lists(NOTES))
def test_verdict_is_read_as_written(proof: SiteProof, notes: list[Event]) -> None:
    log = f"Traceback\n{verdict_line(Verdict(proof, None, tuple(notes)))}\nbye\n"
    assert read_verdict(PLAN, log) == Verdict(proof, None, tuple(notes))


@given(TEXTS, TEXTS)
def test_error_is_read_as_written(message: str, said: str) -> None:
    found = read_verdict(PLAN, verdict_line(Verdict(None, HzlinkError(message, said=said))))
    assert found is not None
    assert found.proof is None
    assert found.error is not None
    assert (found.error.message, found.error.said, found.error.site) == (message, said or None, EDGE.name)


@given(st.booleans(), st.lists(TEXTS), st.sets(TEXTS), st.integers(0, 100), TEXTS)
def test_plan_is_read_as_written(smart: bool, names: list[str], services: set[str], wanted: int, cluster: str) -> None:
    plan = Plan(EDGE, smart, tuple(names), frozenset(services), wanted, cluster, "orders")
    found = read_plan(probe_messages.plan_text(plan))
    assert (found.smart, found.names, found.services) == (smart, tuple(names), frozenset(services))
    assert (found.wanted, found.cluster_name, found.site.name) == (wanted, cluster, EDGE.name)
    assert (found.site.context, found.service) == ("", "orders")


def test_log_without_a_verdict_has_none() -> None:
    assert read_verdict(PLAN, f"Traceback\n  {PREFIX}\n") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
GOOD: dict[str, Any] = json.loads(
    verdict_line(
        Verdict(
            SiteProof(EDGE, True, tuple(NameProof(name, Outcome.OK, "", Member(name, name)) for name in NAMES)), None
        )
    ).removeprefix(PREFIX)
)


@given(st.text() | JSON.map(json.dumps))
def test_invalid_verdict_is_refused(text: str) -> None:
    with pytest.raises(InvalidMessage):
        read_verdict(PLAN, PREFIX + text.replace("\n", " ").replace("\r", " "))


@given(st.data(), JSON)
def test_malformed_part_of_a_verdict_is_refused_or_ignored(data: st.DataObject, other: object) -> None:
    """Any part may be replaced: the result is a proof of the planned names, or an error."""
    body = json.loads(json.dumps(GOOD))
    place: Any = body
    while True:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(keys)) if keys else None
        if key is None or not isinstance(place[key], (dict, list)) or data.draw(st.booleans()):
            break
        place = place[key]
    if key is not None:
        place[key] = other
    try:
        found = read_verdict(PLAN, PREFIX + json.dumps(body))
    except InvalidMessage:
        return
    assert found is not None
    assert found.proof is not None
    assert tuple(one.name for one in found.proof.names) == NAMES


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("outcome", "unreachable"),
        ("outcome", "very ok"),
        ("answeredBy", None),
        ("name", "hazelcast-7"),
        ("text", "x" * 10_000),
        ("text", "\ud800"),
        ("latency", [0, 1.0, 1.0, 1.0]),
        ("latency", [1, float("nan"), 1.0, 1.0]),
        ("latency", [1, 10**400, 1.0, 1.0]),
        ("latency", [True, 1.0, 1.0, 1.0]),
        ("latency", [1, 1.0]),
    ],
)
def test_inconsistent_verdict_is_refused(field: str, value: object) -> None:
    body = json.loads(json.dumps(GOOD))
    body["proof"]["names"][1][field] = value
    with pytest.raises(InvalidMessage):
        read_verdict(PLAN, PREFIX + json.dumps(body))


def test_unisocket_verdict_has_one_service() -> None:
    plan = Plan(EDGE, False, NAMES, frozenset({"hazelcast"}), 2, "dev")
    proof = SiteProof(EDGE, False, (NameProof("hazelcast", Outcome.OK, "", Member("u", "a")),), inside=True)
    assert read_verdict(plan, verdict_line(Verdict(proof, None))) == Verdict(proof, None)
