"""Facts out of objects as kubectl prints them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.model import objects
from hzlink.model.objects import RESOURCES, Ref
from hzlink.model.topology import labels
from hzlink.plan import manifests
from tests.unit.builders import item, status_conditions


def test_a_versioned_type_has_the_version_of_what_is_applied() -> None:
    seen = set()
    for path in manifests.folder().glob("c*/*.yaml"):
        for one in manifests.parse(path.read_text(encoding="utf-8")):
            if (resource := RESOURCES.get(one.get("kind"))) is not None:
                plural, _, group = resource.partition(".")
                version = one["apiVersion"].rpartition("/")[2]
                assert objects.versioned(resource) == (f"{plural}.{version}.{group}" if group else plural)
                seen.add(one["kind"])
    assert seen > {"Site", "StatefulSet", "PodDisruptionBudget", "Service"}


@pytest.mark.parametrize(
    ("kind", "version", "ref"),
    [
        ("Site", "skupper.io/v2alpha1", "sites.skupper.io/x"),
        ("Pod", "v1", "pods/x"),
        ("StatefulSet", "apps/v1", "statefulsets.apps/x"),
        ("Ingress", "networking.k8s.io/v1", "Ingress.v1.networking.k8s.io/x"),
        ("Widget", "v1", "Widget/x"),
    ],
)
def test_a_reference_is_what_kubectl_takes(kind: str, version: str, ref: str) -> None:
    assert str(objects.ref(item(kind, "x", apiVersion=version))) == ref


def test_references_are_records() -> None:
    assert sorted({Ref("b", "1"), Ref("a", "2"), Ref("a", "2")}) == [Ref("a", "2"), Ref("b", "1")]


@pytest.mark.parametrize(
    ("marks", "ours"),
    [
        (labels("hazelcast"), True),
        (labels("other"), False),
        ({"app.kubernetes.io/managed-by": "hzlink"}, False),
        ({"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/part-of": "hazelcast"}, False),
        ({}, False),
    ],
)
def test_ours_carries_both_labels(marks: dict[str, str], ours: bool) -> None:
    assert objects.is_ours(item("Site", "x", labels=marks), "hazelcast") is ours


def test_the_collector_takes_what_has_the_owner() -> None:
    owned = item("Secret", "x", owner=item("Site", "s", uid="uid-1"))
    assert objects.is_owned_by(owned, "uid-1")
    assert not objects.is_owned_by(owned, "uid-2")
    assert objects.owner_uids(owned, "Site") == {"uid-1"}
    assert objects.owner_uids(owned, "Pod") == objects.owner_uids(item("Secret", "x"), "Site") == set()
    assert not objects.is_owned_by(item("Secret", "x"), "")
    assert not objects.is_owned_by({"metadata": {"ownerReferences": [{"kind": "Site"}]}}, "")


def test_conditions() -> None:
    site = item("Site", "x", status={"conditions": status_conditions(Ready=True, Running=False)})
    assert objects.holds(site, "Ready")
    assert not objects.holds(site, "Running")
    assert not objects.holds(site, "Resolved")
    assert objects.condition(site, "Resolved") == {}


@pytest.mark.parametrize(
    ("text", "year"),
    [("2026-01-01T10:00:00Z", 2026), ("2026-01-01T10:00:00.123456Z", 2026), (None, None), ("soon", None), ("", None)],
)
def test_moments(text: Any, year: int | None) -> None:
    moment = objects.moment(text)
    assert (moment.year if moment else None) == year
    assert moment is None or moment.tzinfo is not None


@given(st.sampled_from([{}, {"metadata": None}, {"status": None}, {"spec": None, "metadata": {"labels": None}}]))
def test_an_object_may_lack_anything(bare: dict[str, Any]) -> None:
    assert (objects.name(bare), objects.uid(bare), objects.created(bare)) == ("", "", None)
    assert (dict(objects.labels(bare)), dict(objects.spec(bare)), dict(objects.status(bare))) == ({}, {}, {})
    assert not objects.is_being_deleted(bare)
    assert not objects.holds(bare, "Ready")
