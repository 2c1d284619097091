"""Label selectors: what is read is what is written, and matching is Kubernetes'."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.model import selectors
from hzlink.model.selectors import DOES_NOT_EXIST, EXISTS, IN, NOT_IN, Requirement, Selector

NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,20}[A-Za-z0-9])?", fullmatch=True)
KEYS = st.builds(lambda prefix, name: f"{prefix}{name}", st.sampled_from(["", "example.com/"]), NAMES)
VALUES = st.one_of(st.just(""), NAMES)
REQUIREMENTS = st.one_of(
    st.builds(Requirement, KEYS, st.sampled_from([EXISTS, DOES_NOT_EXIST])),
    st.builds(Requirement, KEYS, st.sampled_from([IN, NOT_IN]), st.lists(VALUES, min_size=1, max_size=3).map(tuple)),
)
SELECTORS = st.lists(REQUIREMENTS, min_size=1, max_size=4).map(lambda listed: Selector(tuple(listed)))


@given(SELECTORS)
def test_a_selector_is_read_as_it_was_written(selector: Selector) -> None:
    assert selectors.parse(str(selector)) == selector


@given(SELECTORS, st.dictionaries(KEYS, VALUES, max_size=4))
def test_a_selector_matches_as_its_text_does(selector: Selector, labels: dict[str, str]) -> None:
    assert selectors.parse(str(selector)).matches(labels) == selector.matches(labels)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), st.dictionaries(KEYS, VALUES, max_size=2))
def test_match_labels_match_every_pod_that_has_them(wanted: dict[str, str], more: dict[str, str]) -> None:
    selector = selectors.of_workload({"spec": {"selector": {"matchLabels": wanted}}})
    assert selector.matches({**more, **wanted})
    assert not selector.matches({})


@pytest.mark.parametrize(
    ("text", "matching", "other"),
    [
        ("app=hazelcast", {"app": "hazelcast", "tier": "cache"}, {"app": "web"}),
        ("app==hazelcast , tier!=test", {"app": "hazelcast"}, {"app": "hazelcast", "tier": "test"}),
        ("app in (one, two)", {"app": "two"}, {"app": "three"}),
        ("app notin (one,two),role", {"role": ""}, {"app": "one", "role": ""}),
        ("!old", {}, {"old": ""}),
        ("app.kubernetes.io/name=hazelcast", {"app.kubernetes.io/name": "hazelcast"}, {"name": "hazelcast"}),
    ],
)
def test_the_grammar_of_kubernetes(text: str, matching: dict[str, str], other: dict[str, str]) -> None:
    selector = selectors.parse(text)
    assert selector.matches(matching)
    assert not selector.matches(other)


@pytest.mark.parametrize(
    "text", ["", "=", "a=b=c", "a b", "a in b", "a in (b", "-a=b", "a=b,", "a;b", "a=$(x)", "a in (-)"]
)
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a label selector"):
        selectors.parse(text)


@pytest.mark.parametrize("workload", [None, {}, {"spec": {}}, {"spec": {"selector": {"matchLabels": {}}}}])
def test_an_empty_selector_matches_nothing(workload: Any) -> None:
    """In Kubernetes it matches everything: then every pod of the namespace would be a member."""
    assert not selectors.of_workload(workload).matches({"app": "hazelcast"})


def test_match_expressions() -> None:
    expressions = [
        {"key": "role", "operator": "In", "values": ["member", "lite"]},
        {"key": "app", "operator": "NotIn", "values": ["mancenter"]},
        {"key": "zone", "operator": "Exists"},
        {"key": "old", "operator": "DoesNotExist"},
    ]
    selector = selectors.of_workload({"spec": {"selector": {"matchExpressions": expressions}}})
    assert str(selector) == "role in (member,lite),app!=mancenter,zone,!old"
    assert selector.matches({"role": "lite", "zone": "a"})
