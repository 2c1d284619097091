"""Contexts as EKS and GKE name them: short in tables, complete in documents, -o wide and commands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.fake_api import FakeApi
from tests.cli.program import User

EKS = "arn:aws:eks:eu-west-1:123456789012:cluster/edge"
GKE = "gke_my-project_europe-west1_core"
SITES = ("--client-ctx", EKS, "--cluster-ctx", GKE)


@pytest.fixture
def clouds(user: User, serve: Callable[[FakeApi], FakeApi]) -> User:
    """A user with contexts of EKS and GKE."""
    user.has_contexts(**{EKS: serve(FakeApi()).url, GKE: serve(FakeApi()).url})
    return user


def test_table_at_80_columns_has_short_names(clouds: User) -> None:
    table = clouds.hzlink("status", *SITES, COLUMNS="80").out.split("\n unhealthy")[0]
    assert "edge/hz" in table.split()
    assert "core/hz" in table.split()
    assert "arn:" not in table
    assert "gke_" not in table
    assert max(map(len, table.splitlines())) <= 80


def test_wide_and_documents_have_complete_contexts(clouds: User) -> None:
    wide = clouds.hzlink("status", *SITES, "-o", "wide", COLUMNS="80").out
    assert f" edge: context {EKS}\n" in wide
    assert f" core: context {GKE}\n" in wide
    sites = clouds.hzlink("status", *SITES, "-o", "json").document["sites"]
    assert [(site["name"], site["context"]) for site in sites] == [("core", GKE), ("edge", EKS)]


def test_command_has_the_complete_context(user: User, serve: Callable[[FakeApi], FakeApi]) -> None:
    user.has_contexts(**{EKS: serve(FakeApi(namespaces=())).url, GKE: serve(FakeApi()).url})
    error = user.hzlink("up", *SITES).err
    assert "there is no namespace hz in context edge" in error
    assert f"kubectl --context {EKS} create namespace hz" in error
