"""The rights that are optional: told in one line of `check`, never a warning."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.checks import gather, rights
from hzlink.checks.records import Outcome
from tests.unit.builders import EDGE, topology
from tests.unit.checking import answers

NEEDED = gather.needed_rights(topology())
EVENTS = {"apiGroups": [""], "resources": ["events"], "verbs": ["list"]}
LOGS = {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}
PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]}
LINKS = {"apiGroups": ["skupper.io"], "resources": ["links"], "verbs": ["create"]}


def told(*rules: dict[str, Any], **more: Any) -> list[str]:
    review = {"resourceRules": list(rules), **more}
    found = rights.optional_at_site(EDGE, answers(review=review), NEEDED)
    assert all(one.outcome is Outcome.PASSED and one.check.informs for one in found)
    return [one.text for one in found]


def test_what_is_missing_is_told_with_its_purpose_and_role() -> None:
    assert told() == [
        "you may not, which is optional: for explanations of failures: list events; get pods/log "
        "(manifests/rbac/explain); for --repair: delete pods; create links.skupper.io (manifests/rbac/repair)"
    ]
    assert told(EVENTS, LOGS) == [
        "you may not, which is optional: for --repair: delete pods; create links.skupper.io (manifests/rbac/repair)"
    ]


@pytest.mark.parametrize("more", [{}, {"incomplete": True}])
def test_nothing_is_told_if_nothing_is_known_to_be_missing(more: dict[str, Any]) -> None:
    assert told(EVENTS, LOGS, PODS, LINKS, **more) == []
    if more:
        assert told(**more) == []
