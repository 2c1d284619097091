"""The values of --members-from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.model import existing_members as existing
from hzlink.model.existing_members import SourceKind

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "title", "written"),
    [
        ("statefulset/prod-hazelcast", "StatefulSet prod-hazelcast", "statefulset/prod-hazelcast"),
        ("sts/prod", "StatefulSet prod", "statefulset/prod"),
        ("statefulsets.apps/prod", "StatefulSet prod", "statefulset/prod"),
        ("deployment/cache.v1", "Deployment cache.v1", "deployment/cache.v1"),
        ("deploy/cache", "Deployment cache", "deployment/cache"),
        ("selector/app=shop,role=cache", "pods with app=shop,role=cache", "selector/app=shop,role=cache"),
        ("selector/example.com/app=shop", "pods with example.com/app=shop", "selector/example.com/app=shop"),
    ],
)
def test_forms(text: str, title: str, written: str) -> None:
    source = existing.parse(text)
    assert (source.title, str(source)) == (title, written)
    assert existing.parse(str(source)) == source


@given(st.sampled_from(["statefulset", "deployment"]), NAMES)
def test_a_workload_keeps_its_name(kind: str, name: str) -> None:
    source = existing.parse(f"{kind}/{name}")
    assert (source.kind, source.name) == (SourceKind(kind), name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "statefulset/NAME"),
        ("prod-hazelcast", "statefulset/NAME"),
        ("pod/hazelcast-0", "statefulset/NAME"),
        ("StatefulSet/prod", "statefulset/NAME"),
        ("statefulset/", "not the name of a statefulset"),
        ("statefulset/Prod", "not the name of a statefulset"),
        ("statefulset/a/b", "not the name of a statefulset"),
        ("deployment/a b", "not the name of a deployment"),
        ("selector/", "not a label selector"),
        ("selector/app=a b", "not a label selector"),
    ],
)
def test_other_texts_are_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        existing.parse(text)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        source = existing.parse(text)
    except ValueError:
        return
    assert existing.parse(str(source)) == source
