"""The rights that a site's user needs, and those that a rules review does not grant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.checks import gather
from hzlink.checks.needed_rights import Right, missing, needed
from hzlink.model.choices import LinkAccess, LinkFrom, Role, Via
from hzlink.model.link_host import LinkHost
from hzlink.model.topology import Settings, Topology
from tests.unit.builders import topology

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
def test_right_is_written_as_kubectl_auth_can_i_takes_it(right: Right, reads: str) -> None:
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
def test_needed_rights_come_from_the_bundled_role(role: Role, with_it: Right, without_it: Right) -> None:
    rights = needed(role)
    assert with_it in rights
    assert without_it not in rights
    assert len(set(rights)) == len(rights)


@pytest.mark.parametrize("role", [Role.CLUSTER, Role.CLIENT])
def test_needed_rights_have_no_wildcard_and_no_write_access_to_secrets(role: Role) -> None:
    for right in needed(role):
        assert "*" not in (right.group, right.resource, right.verb)
        assert right.resource != "secrets" or right.verb in ("get", "delete")


@pytest.mark.parametrize("role", [Role.CLUSTER, Role.CLIENT])
def test_needed_rights_are_granted_by_the_role(role: Role) -> None:
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
        # Two rules do not add up to one right.
        (False, [rule(["apps"], ["deployments/scale"], ["get"]), rule([""], ["*"], ["patch"])]),
        # A rule for named objects does not cover all objects.
        (False, [rule(["apps"], ["*"], ["*"], resourceNames=["web"])]),
    ],
)
def test_rules_match_as_they_do_in_kubernetes(granted: bool, rules: list[Any]) -> None:
    assert missing([ONE], status(*rules)) == (() if granted else (ONE,))


@pytest.mark.parametrize(
    ("granted", "names"),
    [(True, [["a", "b"]]), (True, [["a"], ["b"]]), (True, [[]]), (True, [["a"], None]), (False, [["a"], ["c"]])],
)
def test_rights_on_named_objects(granted: bool, names: list[Any]) -> None:
    right = Right("", "leases", "get", ("a", "b"))
    rules = [rule([""], ["leases"], ["get"], resourceNames=listed) for listed in names]
    assert missing([right], status(*rules)) == (() if granted else (right,))


def test_rights_missing_from_an_incomplete_review_are_missing() -> None:
    assert missing([ONE], status(incomplete=True)) == (ONE,)


@given(st.lists(RIGHTS), st.lists(RIGHTS))
def test_missing_rights_are_the_ones_that_are_not_granted(wanted: list[Right], granted: list[Right]) -> None:
    review = status(*(rule([right.group], [right.resource], [right.verb]) for right in granted))
    assert missing(wanted, review) == tuple(right for right in wanted if right not in granted)


@given(st.lists(RIGHTS), st.lists(RIGHTS), st.lists(RIGHTS))
def test_additional_rule_never_removes_a_right(wanted: list[Right], some: list[Right], more: list[Right]) -> None:
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


HOST = LinkHost("front.example")


def topology_with(settings: Settings) -> Topology:
    return replace(topology(), settings=settings)


@given(st.fixed_dictionaries({}, optional={"resourceRules": JSON, "incomplete": JSON}))
def test_malformed_review_is_read_without_an_error(review: dict[str, Any]) -> None:
    assert set(missing([ONE], review)) <= {ONE}


@pytest.mark.parametrize(
    ("settings", "more"),
    [
        (Settings(), False),
        (Settings(via=Via.KUBECTL), False),
        (Settings(via=Via.LINK), True),
        (Settings(link_access=LinkAccess.LOCAL), True),
        (Settings(link_host=HOST), True),
    ],
)
def test_linking_without_a_token_needs_more_rights(settings: Settings, more: bool) -> None:
    found = gather.needed_rights(topology_with(settings))
    for role in (Role.CLUSTER, Role.CLIENT):
        assert (Right("skupper.io", "certificates", "create") in found[role]) is more
        assert (Right("", "secrets", "create") in found[role]) is more


@pytest.mark.parametrize(("link_from", "issuing"), [(LinkFrom.AUTO, Role.CLUSTER), (LinkFrom.CLIENT, Role.CLIENT)])
def test_only_the_side_that_issues_needs_the_rights_of_link_host(link_from: LinkFrom, issuing: Role) -> None:
    found = gather.needed_rights(topology_with(Settings(link_host=HOST, link_from=link_from)))
    for role in (Role.CLUSTER, Role.CLIENT):
        assert (Right("skupper.io", "routeraccesses", "patch") in found[role]) is (role is issuing)
