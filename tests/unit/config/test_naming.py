"""Site names made from contexts, which may contain any character."""

from __future__ import annotations

from random import Random

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


EKS = "arn:aws:eks:eu-west-1:123456789012:cluster/edge"
EKS_US = "arn:aws:eks:us-east-1:123456789012:cluster/edge"
GKE = "gke_my-project_europe-west1_core"
OPENSHIFT = "hz/api-{}-example-com:6443/admin"


@pytest.mark.parametrize(
    ("contexts", "short"),
    [
        ([EKS, GKE], ["edge", "core"]),
        ([EKS, EKS_US], ["edge-eu-west-1", "edge-us-east-1"]),
        ([EKS, EKS_US, GKE], ["edge-eu-west-1", "edge-us-east-1", "core"]),
        ([EKS, EKS.replace("1234", "9876")], ["edge-123456789012", "edge-987656789012"]),
        ([EKS, "edge"], ["edge-eu-west-1", "edge"]),
        ([EKS, EKS], ["edge", "edge"]),
        ([GKE, GKE.replace("my-", "our-")], ["core-my-project", "core-our-project"]),
        ([OPENSHIFT.format("core"), OPENSHIFT.format("edge")], ["core-example-com", "edge-example-com"]),
        (["ann@edge.eu-west-1.eksctl.io", "ann@core.eu-west-1.eksctl.io"], ["edge", "core"]),
        (["kubernetes-admin@production-core", "kubernetes-admin@edge"], ["production-core", "edge"]),
        (["teleport.example.com-core", "teleport.example.com-edge"], ["teleport-com-core", "teleport-com-edge"]),
        (["vcluster_edge_team-a_kind-host", "kind-host"], ["edge", "kind-host"]),
        (["https://10.20.30.40:6443", "https://10.20.30.41:6443"], ["10.20.30.40", "10.20.30.41"]),
        (["core", "Prod West", "kind-edge"], ["core", "Prod West", "kind-edge"]),
        (["a-context-of-one-long-word", "core"], ["a-context-of-one-long-word", "core"]),
    ],
)
def test_short_names_of_contexts(contexts: list[str], short: list[str]) -> None:
    assert naming.short_contexts(contexts) == short


# Names that are alike, so that they clash.
PIECES = st.lists(st.sampled_from(["edge", "core", "a", "cluster", "7", "eu-west-1", ""]), max_size=6)
ALIKE = st.builds(lambda pieces, by: by.join(pieces), PIECES, st.sampled_from(list("/:@_.-")))
CONTEXTS = st.lists(st.text(max_size=60) | ALIKE | ALIKE.map(lambda name: f"gke_{name}_edge"), min_size=1, max_size=6)


@given(CONTEXTS)
def test_a_short_name_is_never_that_of_another_context(contexts: list[str]) -> None:
    short = dict(zip(contexts, naming.short_contexts(contexts), strict=True))
    assert len(set(short.values())) == len(short)
    for context, name in short.items():
        assert len(name) <= len(context)
        assert name == context or name not in short, "nobody may take it for a context of that name"
        assert name.startswith((context, naming.parts(context)[0] if naming.parts(context) else context))


@given(CONTEXTS, st.randoms(use_true_random=False))
def test_short_names_do_not_depend_on_the_order(contexts: list[str], random: Random) -> None:
    shuffled = random.sample(contexts, len(contexts))
    before = dict(zip(contexts, naming.short_contexts(contexts), strict=True))
    assert dict(zip(shuffled, naming.short_contexts(shuffled), strict=True)) == before


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
