"""--app-namespace: what it accepts, where it holds, and how it is removed again."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.model.errors import UsageError
from tests.unit.config_folder import BOTH, ConfigFolder


def test_namespace_without_a_site_is_at_every_client_site(config_folder: ConfigFolder) -> None:
    topology = config_folder.resolve(**BOTH, app_namespace=["shop", "shop", "core/web", "edge/till"]).topology
    assert topology.app_namespaces(topology.clients[0]) == ("shop", "till")
    assert topology.app_namespaces(topology.cluster) == ("web",)


def test_namespace_of_the_cluster_site_is_accepted_there(config_folder: ConfigFolder) -> None:
    topology = config_folder.resolve(**BOTH, cluster_ns="hz", app_namespace=["core/hz"]).topology
    assert topology.app_namespaces(topology.cluster) == ("hz",)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"app_namespace": ["Shop"]}, "is not a namespace's name"),
        ({"app_namespace": ["edge/"]}, "is not a namespace's name"),
        ({"app_namespace": ["nowhere/shop"]}, "there is no site 'nowhere'"),
        ({"app_namespace": ["hz"], "client_ns": ["hz"]}, "it is the namespace of site edge"),
        ({"app_namespace": ["edge/hz"], "client_ns": ["hz"]}, "it is the namespace of site edge"),
        ({"app_namespace": ["shop"], "cluster_domain": "a..b"}, "is not a DNS domain"),
    ],
)
def test_other_values_are_usage_errors(config_folder: ConfigFolder, flags: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        config_folder.resolve(**BOTH, **flags)


def test_namespace_of_another_site_in_the_cluster_is_refused(config_folder: ConfigFolder) -> None:
    with pytest.raises(UsageError, match="it is the namespace of site"):
        config_folder.resolve(
            client_ctx=["core"], cluster_ctx="core", client_ns=["a"], cluster_ns="b", app_namespace=["b"]
        )


def test_one_namespace_cannot_have_the_names_of_two_sites_in_a_cluster(config_folder: ConfigFolder) -> None:
    flags = {"client_ctx": ["edge", "edge"], "cluster_ctx": "core", "client_ns": ["a", "b"]}
    with pytest.raises(UsageError, match="it cannot have the names of sites") as caught:
        config_folder.resolve(**flags, app_namespace=["shop"])
    one = (caught.value.next_step or "").rpartition(" ")[2]
    assert config_folder.resolve(**flags, app_namespace=[one]).topology.settings.app_namespaces == (one,)


def test_recorded_namespaces_hold_until_others_or_none_are_given(config_folder: ConfigFolder) -> None:
    config_folder.record(**config_folder.resolve(**BOTH, app_namespace=["shop"]).record)
    for flags, expected in (({}, ("shop",)), ({"app_namespace": ["web"]}, ("web",)), ({"app_namespace": [""]}, ())):
        assert config_folder.resolve(**flags).topology.settings.app_namespaces == expected
    file = config_folder.folder / "none.yaml"
    file.write_text("appNamespaces: []\n")
    assert config_folder.resolve(file=str(file)).topology.settings.app_namespaces == ()
