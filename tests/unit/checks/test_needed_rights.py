"""What a site's user must be allowed, and what of it a review does not grant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.checks.needed_rights import Right, missing, needed
from hzlink.model.choices import Role

GROUPS = ("", "apps", "skupper.io")
RESOURCES = ("pods", "pods/log", "deployments", "deployments/scale", "sites")
VERBS = ("get", "list", "create")
RIGHTS = st.builds(Right, st.sampled_from(GROUPS), st.sampled_from(RESOURCES), st.sampled_from(VERBS))


def rule(groups: Any, resources: Any, verbs: Any, **more: Any) -> dict[str, Any]:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs, **more}


def status(*rules: Any, **more: Any) -> dict[str, Any]:
    return {"resourceRules": list(rules), "nonResourceRules": [], "incomplete": False, **more}


@pytest.mark.parametrize(
    ("right", "reads"),
    [
        (Right("skupper.io", "accessgrants", "create"), "create accessgrants.skupper.io"),
        (Right("", "pods", "list"), "list pods"),
        (Right("", "pods/log", "get"), "get pods/log"),
        (Right("apps", "deployments/scale", "patch"), "patch deployments.apps/scale"),
        (Right("coordination.k8s.io", "leases", "get", ("a", "b")), "get leases.coordination.k8s.io a, b"),
    ],
)
def test_a_right_reads_like_what_is_asked_of_kubectl(right: Right, reads: str) -> None:
    assert str(right) == reads


@pytest.mark.parametrize(
    ("role", "with_it", "without_it"),
    [
        (Role.CLUSTER, Right("skupper.io", "accessgrants", "create"), Right("apps", "deployments", "create")),
        (Role.CLUSTER, Right("", "pods/log", "get"), Right("", "secrets", "list")),
        (Role.CLIENT, Right("apps", "deployments", "create"), Right("apps", "statefulsets", "create")),
        (Role.CLIENT, Right("skupper.io", "accesstokens", "create"), Right("", "pods/log", "get")),
    ],
)
def test_the_bundled_role_is_what_is_needed(role: Role, with_it: Right, without_it: Right) -> None:
    rights = needed(role)
    assert with_it in rights
    assert without_it not in rights
    assert len(set(rights)) == len(rights)


@pytest.mark.parametrize("role", Role)
def test_what_is_needed_has_no_wildcard_and_writes_no_secret(role: Role) -> None:
    for right in needed(role):
        assert "*" not in (right.group, right.resource, right.verb)
        assert right.resource != "secrets" or right.verb in ("get", "delete")


@pytest.mark.parametrize("role", Role)
def test_the_role_itself_grants_all_that_is_needed(role: Role) -> None:
    rules = [
        rule([right.group], [right.resource], [right.verb], resourceNames=list(right.names)) for right in needed(role)
    ]
    assert missing(needed(role), status(*rules)) == ()
    assert missing(needed(role), status()) == needed(role)


ONE = Right("apps", "deployments/scale", "patch")


@pytest.mark.parametrize(
    ("granted", "rules"),
    [
        (True, [rule(["*"], ["*"], ["*"])]),
        (True, [rule(["apps"], ["*/scale"], ["patch"])]),
        (True, [rule(["batch", "apps"], ["jobs", "deployments/scale"], ["get", "patch"])]),
        (False, [rule(["apps"], ["deployments"], ["*"])]),
        (False, [rule(["apps"], ["deployments/*"], ["*"])]),
        (False, [rule(["apps"], ["*/status"], ["patch"])]),
        (False, [rule([""], ["deployments/scale"], ["patch"])]),
        # What one rule lacks, another one does not add.
        (False, [rule(["apps"], ["deployments/scale"], ["get"]), rule([""], ["*"], ["patch"])]),
        # Only for some of them is not for all.
        (False, [rule(["apps"], ["*"], ["*"], resourceNames=["web"])]),
    ],
)
def test_rules_match_as_they_do_in_kubernetes(granted: bool, rules: list[Any]) -> None:
    assert missing([ONE], status(*rules)) == (() if granted else (ONE,))


@pytest.mark.parametrize(
    ("granted", "names"),
    [(True, [["a", "b"]]), (True, [["a"], ["b"]]), (True, [[]]), (True, [["a"], None]), (False, [["a"], ["c"]])],
)
def test_named_objects(granted: bool, names: list[Any]) -> None:
    right = Right("", "leases", "get", ("a", "b"))
    rules = [rule([""], ["leases"], ["get"], resourceNames=listed) for listed in names]
    assert missing([right], status(*rules)) == (() if granted else (right,))


def test_an_incomplete_review_still_says_what_it_does_not_grant() -> None:
    assert missing([ONE], status(incomplete=True)) == (ONE,)


@given(st.lists(RIGHTS), st.lists(RIGHTS))
def test_exactly_what_is_not_granted_is_missing(wanted: list[Right], granted: list[Right]) -> None:
    review = status(*(rule([right.group], [right.resource], [right.verb]) for right in granted))
    assert missing(wanted, review) == tuple(right for right in wanted if right not in granted)


@given(st.lists(RIGHTS), st.lists(RIGHTS), st.lists(RIGHTS))
def test_another_rule_never_takes_anything_away(wanted: list[Right], some: list[Right], more: list[Right]) -> None:
    rules = [rule([right.group], [right.resource], [right.verb]) for right in (*some, *more)]
    assert set(missing(wanted, status(*rules))) <= set(missing(wanted, status(*rules[: len(some)])))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["*", "apps", "get"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["apiGroups", "resources", "verbs", "resourceNames", "x"]), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(st.fixed_dictionaries({}, optional={"resourceRules": JSON, "incomplete": JSON}))
def test_a_review_of_any_form_is_read(review: dict[str, Any]) -> None:
    assert set(missing([ONE], review)) <= {ONE}
