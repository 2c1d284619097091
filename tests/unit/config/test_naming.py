"""Site names made from contexts, which may contain any character."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hzlink.config import naming

NAMESPACES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
PLACES = st.tuples(st.text(max_size=80), NAMESPACES, st.none() | st.just("/tmp/kubeconfig"))  # noqa: S108


@given(st.text())
@example("arn:aws:eks:eu-central-1:123456789012:cluster/Prod_West")
@example("-n")
@example("--context=x")
@example("a 'quoted' \"name\"\nwith a second line")
@example("///")
@example("İ")
@example("x" * 300)
def test_slug_of_any_context_is_a_label(context: str) -> None:
    name = naming.slug(context)
    assert naming.is_label(name)
    assert len(name) <= naming.MAX_SITE_NAME == 40
    assert name == naming.slug(context)


@pytest.mark.parametrize(
    ("context", "name"),
    [
        ("core", "core"),
        ("arn:aws:eks:eu-central-1:123456789012:cluster/Prod_West", "prod-west"),
        ("gke_project_europe-west1_main", "gke-project-europe-west1-main"),
        ("default/api-example-com:6443/admin", "admin"),
        ("kind-a/", "kind-a"),
        ("-edge-", "edge"),
    ],
)
def test_slug_is_the_last_part_of_the_context(context: str, name: str) -> None:
    assert naming.slug(context) == name


@given(st.lists(PLACES, min_size=1, max_size=5, unique=True))
@example([("a/x", "hz", None), ("b/x", "hz", None)])
@example([("x", "hz", None), ("x", "hz2", None), ("x-hz", "default", None)])
@example([("x" * 60, "n" * 63, None), ("x" * 60, "n" * 62, None)])
@example([("x", "hz", None), ("x", "hz", "/tmp/kubeconfig")])  # noqa: S108
def test_site_names_are_unique(places: list[tuple[str, str, str | None]]) -> None:
    names = naming.site_names(places)
    assert len(set(names)) == len(places)
    assert all(naming.is_label(name) and len(name) <= naming.MAX_SITE_NAME for name in names)
    assert names == naming.site_names(places)


def test_site_names_of_equal_contexts_contain_the_namespace() -> None:
    assert naming.site_names([("x", "hz", None), ("x", "hz2", None), ("y", "hz", None)]) == ["x-hz", "x-hz2", "y"]


@pytest.mark.parametrize("text", ["", "-a", "a-", "A", "a.b", "a_b", "a" * 64, "hz\n", "hz ", "ä"])
def test_invalid_labels(text: str) -> None:
    assert not naming.is_label(text)


@pytest.mark.parametrize("text", ["a", "0", "a-b", "a" * 63])
def test_valid_labels(text: str) -> None:
    assert naming.is_label(text)


def test_slug_of_a_lone_surrogate_is_a_label() -> None:
    assert naming.is_label(naming.slug("\ud800"))
