"""Differences between desired and live objects."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hzlink.plan.drift import drift

SCALARS = st.integers(-5, 5) | st.booleans() | st.sampled_from(["", "a", "b", "500m", "1Gi", "NaN", "sNaN", "inf"])
TREES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda some: (
        st.lists(some, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "port", "spec", "x"]), some, max_size=3)
        | st.lists(st.fixed_dictionaries({"name": st.sampled_from("abc"), "x": some}), max_size=3)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(["kind", "metadata", "spec", "data"]), TREES, max_size=4)


@given(OBJECTS)
def test_equal_objects_have_no_drift(item: dict[str, Any]) -> None:
    assert drift(item, deepcopy(item)) == []


@given(OBJECTS, OBJECTS)
@example({"spec": "sNaN"}, {"spec": "1"})
@example({"spec": [{"name": "a"}]}, {"spec": [{"name": {}}]})
@example({"spec": [{"name": {}}]}, {"spec": [{"name": "a"}]})
def test_any_two_objects_are_compared_without_an_error(wanted: dict[str, Any], live: dict[str, Any]) -> None:
    assert all(isinstance(path, str) for path in drift(wanted, live))


@given(OBJECTS, TREES)
def test_fields_added_by_others_are_ignored(item: dict[str, Any], added: Any) -> None:
    assert drift(item, {**deepcopy(item), "status": added}) == []


@given(OBJECTS, st.data())
def test_any_changed_value_is_found(item: dict[str, Any], data: st.DataObject) -> None:
    leaves = list(_leaves(item))
    if not leaves:
        return
    live = deepcopy(item)
    path = data.draw(st.sampled_from(leaves))
    inner: Any = live
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = "changed"
    assert drift(item, live) != []


DNS = [{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Any:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, (dict, list)):
        yield path
    for key, inner in entries:
        yield from _leaves(inner, (*path, key))


def test_missing_object_is_drift() -> None:
    assert drift({"kind": "Site"}, None) == ["not found"]


@pytest.mark.parametrize(
    ("wanted", "live", "paths"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b"]),
        ({"a": {"b": 1}}, {"a": {}}, ["a.b"]),
        ({"a": {"b": 1}}, {}, ["a"]),
        ({"a": {}}, {}, []),
        ({"a": []}, {}, []),
        ({"a": None}, {}, []),
        ({"a": {"b": 1}}, {"a": "text"}, ["a"]),
        ({"a": 1, "b": 1}, {"a": 2, "b": 2}, ["a", "b"]),
        ({"a": True}, {"a": "True"}, ["a"]),
        ({"a": "x"}, {"a": None}, ["a"]),
    ],
)
def test_only_desired_fields_are_compared(wanted: dict[str, Any], live: dict[str, Any], paths: list[str]) -> None:
    assert drift(wanted, live) == paths


@pytest.mark.parametrize(
    ("wanted", "live"),
    [
        *[(f"1{unit}i", f"{2**power}") for unit, power in (("K", 10), ("M", 20), ("G", 30), ("T", 40))],
        *[(f"1{unit}", f"{10**power}") for unit, power in (("k", 3), ("M", 6), ("G", 9), ("T", 12))],
        ("0.5", "500m"),
        (1, "1"),
        ("1Gi", "1024Mi"),
        ("1", "1000m"),
        ("2k", 2000),
        ("1e3", "1k"),
        ("0.1", "100m"),
    ],
)
def test_equal_quantities_have_no_drift(wanted: object, live: object) -> None:
    assert drift({"cpu": wanted}, {"cpu": live}) == []


@pytest.mark.parametrize(
    ("wanted", "live"), [("1G", "1Gi"), ("500m", "0.6"), ("1", True), ("m", "0.001"), ("5.5.0", "5.5"), ("a", "b")]
)
def test_different_quantities_and_texts_are_drift(wanted: object, live: object) -> None:
    assert drift({"cpu": wanted}, {"cpu": live}) == ["cpu"]


@pytest.mark.parametrize(
    ("wanted", "live", "paths"),
    [
        ([{"name": "a", "x": 1}], [{"name": "a", "x": 1, "default": True}], []),
        ([{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a"}], []),
        ([{"name": "a", "x": 1}, {"name": "b"}], [{"name": "b"}, {"name": "a", "x": 2}], ["l[a].x"]),
        ([{"name": "a"}], [{"name": "b"}], ["l[a]"]),
        ([{"name": "a"}], [{"name": "a"}, {"name": "b"}], ["l"]),
        ([{"containerPort": 1, "x": 1}], [{"containerPort": 1, "x": 2}], ["l[1].x"]),
        ([{"mountPath": "/a"}], [{"mountPath": "/b"}], ["l[/a]"]),
        (["a", "b"], ["b", "a"], ["l[0]", "l[1]"]),
        (["a"], [], ["l"]),
        (["a"], None, ["l"]),
        (["a"], "a", ["l"]),
        # Two items with one key, such as a port for TCP and UDP: compared by position.
        (
            [{"port": 53, "p": "TCP"}, {"port": 53, "p": "UDP"}],
            [{"port": 53, "p": "TCP"}, {"port": 53, "p": "UDP"}],
            [],
        ),
    ],
)
def test_list_items_are_matched_by_their_key(wanted: Any, live: Any, paths: list[str]) -> None:
    assert drift({"l": wanted}, {"l": live}) == paths


def managed(*fields: str) -> list[dict[str, Any]]:
    """managedFields of an object with a list `env`: hzlink has set these items, another manager all of them."""
    ours: dict[str, Any] = {f'k:{{"name":"{name}"}}': {".": {}, "f:name": {}, "f:value": {}} for name in fields}
    return [
        {"manager": "policy", "operation": "Update", "fieldsV1": {"f:env": {'k:{"name":"b"}': {}}}},
        {"manager": "hzlink", "operation": "Update", "fieldsV1": {"f:env": {'k:{"name":"b"}': {}}}},
        *([{"manager": "hzlink", "operation": "Apply", "fieldsV1": {"f:env": ours}}] if fields else []),
    ]


@pytest.mark.parametrize(
    ("fields", "paths"),
    [(["a"], []), ([], []), (["a", "b"], ["env"])],
    ids=["owned by another manager", "no record of hzlink", "owned by hzlink"],
)
def test_additional_item_is_drift_only_if_hzlink_owns_it(fields: list[str], paths: list[str]) -> None:
    wanted = {"env": [{"name": "a", "value": "1"}]}
    env = [{"name": "b"}, {"name": "a", "value": "1"}]
    live = {"metadata": {"managedFields": managed(*fields)}, "env": env}
    assert drift(wanted, live) == paths
    env[1]["value"] = "2"
    assert drift(wanted, live) == (paths or ["env[a].value"])


def test_atomic_list_is_compared_as_a_whole() -> None:
    fields: dict[str, Any] = {"f:x": {"f:env": {}}}
    live = {
        "metadata": {"managedFields": [{"manager": "hzlink", "operation": "Apply", "fieldsV1": fields}]},
        "x": {"env": [{"name": "a"}, {"name": "b"}]},
    }
    assert drift({"x": {"env": [{"name": "a"}]}}, live) == ["x.env"]


RECORDS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.sampled_from(["hzlink", "Apply", "x"]) | st.integers(),
    lambda some: (
        st.lists(some, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "manager",
                    "operation",
                    "fieldsV1",
                    "f:spec",
                    "f:data",
                    'k:{"name":"a"}',
                    "k:[1]",
                    "k:{",
                    "k:" + "[" * 9,
                ]
            ),
            some,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(OBJECTS, OBJECTS, RECORDS | st.lists(RECORDS, max_size=3))
def test_malformed_managed_fields_are_read_without_an_error(
    wanted: dict[str, Any], live: dict[str, Any], record: Any
) -> None:
    assert all(isinstance(path, str) for path in drift(wanted, {**live, "metadata": {"managedFields": record}}))


# What an admission plugin made of an object that hzlink applied, and the API server's record of it.
APPLIED: Any = {
    "f:metadata": {"f:annotations": {"f:hzlink.io/fingerprint": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:tolerations": {},
        "f:resources": {"f:requests": {"f:memory": {}}},
        "f:containers": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:image": {}, "f:args": {}}},
    },
}
WANTED: Any = {
    "metadata": {"annotations": {"hzlink.io/fingerprint": "x"}},
    "spec": {
        "replicas": 3,
        "tolerations": [{"key": "a"}],
        "resources": {"requests": {"memory": "1Gi"}},
        "containers": [{"name": "a", "image": "hz:1", "args": ["x"]}],
    },
}


def admitted(mark: str = "x", manager: str = "hzlink", **spec: Any) -> dict[str, Any]:
    """The live object; `spec` has what admission changed."""
    live = deepcopy(WANTED)
    live["metadata"]["annotations"]["hzlink.io/fingerprint"] = mark
    live["metadata"]["managedFields"] = [{"manager": manager, "operation": "Apply", "fieldsV1": APPLIED}]
    live["spec"] |= spec
    return cast("dict[str, Any]", live)


ADMITTED = [
    {"containers": [{"name": "a", "image": "registry.example/hz:1", "args": ["x"]}]},
    {"containers": [{"name": "a", "image": "hz:1", "args": ["x", "y"]}]},
    {"containers": [{"name": "proxy"}, {"name": "a", "image": "hz:1", "args": ["x"]}]},
    {"containers": []},
    {"tolerations": [{"key": "a"}, {"key": "b"}]},
    {"tolerations": None},
    {"resources": {"requests": {"memory": "2Gi"}}},
    {"resources": {}},
]


@pytest.mark.parametrize("changed", ADMITTED, ids=str)
def test_what_admission_changed_is_no_difference(changed: dict[str, Any]) -> None:
    assert drift(WANTED, admitted(**changed)) == []


@pytest.mark.parametrize("changed", ADMITTED, ids=str)
def test_what_differs_from_an_earlier_apply_is_one(changed: dict[str, Any]) -> None:
    assert drift(WANTED, admitted(mark="earlier", **changed)) != []


def test_what_another_manager_took_over_is_one() -> None:
    live = admitted(containers=[{"name": "a", "image": "theirs", "args": ["x"]}])
    fields = deepcopy(APPLIED)
    del fields["f:spec"]["f:containers"]['k:{"name":"a"}']["f:image"]
    live["metadata"]["managedFields"][0]["fieldsV1"] = fields
    assert drift(WANTED, live) == ["spec.containers[a].image"]


def test_another_number_of_members_is_one() -> None:
    """It is left out of the fingerprint."""
    assert drift(WANTED, admitted(replicas=4)) == ["spec.replicas"]


def test_without_a_record_of_hzlinks_all_differences_count() -> None:
    changed: dict[str, Any] = {"containers": [{"name": "a", "image": "other", "args": ["x"]}]}
    assert drift(WANTED, admitted(manager="helm", **changed)) != []
    live = admitted(**changed)
    del live["metadata"]["managedFields"]
    assert drift(WANTED, live) != []
