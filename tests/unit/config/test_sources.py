"""Precedence of settings: flags, variables, the file, the last run's record, defaults."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hzlink.model.choices import Role
from hzlink.model.errors import UsageError
from tests.unit.config_folder import BOTH, ConfigFolder


def test_defaults_apply_when_only_contexts_are_given(config_folder: ConfigFolder) -> None:
    found = config_folder.resolve(**BOTH)
    topology = found.topology
    assert (topology.cluster.context, topology.cluster.namespace) == ("core", "own-0")
    assert [(site.context, site.namespace) for site in topology.clients] == [("edge", "own-1")]
    assert (topology.name, found.timeout, topology.settings.members) == ("hazelcast", 180.0, 3)
    assert topology.cluster.kubeconfig is None


@pytest.mark.parametrize("present", range(5))
def test_source_with_the_highest_precedence_wins(config_folder: ConfigFolder, present: int) -> None:
    """The first `present` of flag, variable, file and record are left out."""
    flags: dict[str, Any] = {**BOTH}
    environ = {}
    if present <= 0:
        flags["members"] = 1
    if present <= 1:
        environ["HZLINK_MEMBERS"] = "2"
    if present <= 2:
        config_folder.file(members=4)
    if present <= 3:
        config_folder.record(client_ctx=["edge"], cluster_ctx="core", members=5)
    expected = [1, 2, 4, 5, 3][present]
    settings = config_folder.resolve(environ, **flags).topology.settings
    assert settings.members == expected
    # A recorded number of members is not requested by this run: the current number of members outranks it.
    assert settings.members_given is (present < 3)


def test_contexts_are_read_from_variables_one_per_line(config_folder: ConfigFolder) -> None:
    environ = {"HZLINK_CLUSTER_CTX": "core", "HZLINK_CLIENT_CTX": "edge\ntwo words\n\u2028\n"}
    assert [site.context for site in config_folder.resolve(environ).topology.clients] == ["edge", "two words", "\u2028"]


def test_recorded_contexts_and_settings_are_used(config_folder: ConfigFolder) -> None:
    config_folder.record(client_ctx=["edge", "west"], cluster_ctx="core", client_ns=["a", "b"], name="demo", members=2)
    topology = config_folder.resolve().topology
    assert [site.namespace for site in topology.sites] == ["own-0", "a", "b"]
    assert (topology.name, topology.settings.members) == ("demo", 2)


def test_recorded_topology_does_not_depend_on_the_working_folder(
    config_folder: ConfigFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_folder.kubeconfig("mine", {"core": "https://x", "edge": "https://y"})
    first = config_folder.resolve(**BOTH, kubeconfig="mine", namespace="hz", members=2, expose="nodeport")
    config_folder.record(**first.record)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = config_folder.resolve().topology
    # A recorded number of members does not replace one that others have set since.
    assert again.settings == replace(first.topology.settings, members_given=False)
    assert [(site.context, site.namespace) for site in again.sites] == [("core", "hz"), ("edge", "hz")]
    assert {site.kubeconfig for site in again.sites} == {str(tmp_path / "mine")}


def test_settings_recorded_for_other_contexts_are_ignored(config_folder: ConfigFolder) -> None:
    config_folder.record(client_ctx=["edge"], cluster_ctx="core", members=5, name="demo", namespace="hz")
    topology = config_folder.resolve(client_ctx=["west"], cluster_ctx="other").topology
    assert (topology.name, topology.settings.members, topology.cluster.namespace) == ("hazelcast", 3, "own-3")


def test_recorded_namespace_applies_only_to_its_context(config_folder: ConfigFolder) -> None:
    config_folder.record(client_ctx=["edge"], cluster_ctx="core", cluster_ns="hz")
    topology = config_folder.resolve(client_ctx=["edge"], cluster_ctx="other").topology
    assert topology.cluster.namespace == "own-3"


def test_given_context_is_not_combined_with_a_recorded_one(config_folder: ConfigFolder) -> None:
    """Otherwise `hzlink down --cluster-ctx other` would remove a client site that was not given."""
    config_folder.record(client_ctx=["edge"], cluster_ctx="core")
    with pytest.raises(UsageError, match="no --client-ctx"):
        config_folder.resolve(cluster_ctx="other")
    with pytest.raises(UsageError, match="no --cluster-ctx"):
        config_folder.resolve(client_ctx=["west"])


def test_recorded_namespace_applies_when_the_same_contexts_are_given(config_folder: ConfigFolder) -> None:
    config_folder.record(client_ctx=["edge"], cluster_ctx="core", cluster_ns="hz", client_ns=["hz2"])
    assert [site.namespace for site in config_folder.resolve(**BOTH).topology.sites] == ["hz", "hz2"]


def test_namespace_from_a_variable_applies_to_a_given_context(config_folder: ConfigFolder) -> None:
    assert config_folder.resolve({"HZLINK_CLUSTER_NS": "hz"}, **BOTH).topology.cluster.namespace == "hz"


def test_namespace_from_the_file_applies_only_to_its_context(config_folder: ConfigFolder) -> None:
    config_folder.file(clusterContext="core", clusterNamespace="hz", clientContexts=["edge"])
    assert config_folder.resolve(cluster_ctx="other").topology.cluster.namespace == "own-3"


def test_namespace_flag_outranks_a_sides_namespace_in_the_file(config_folder: ConfigFolder) -> None:
    config_folder.file(clusterContext="core", clusterNamespace="hz", clientContexts=["edge"])
    assert [site.namespace for site in config_folder.resolve(namespace="typed").topology.sites] == ["typed", "typed"]


def test_sides_namespace_outranks_the_common_one_of_the_same_source(config_folder: ConfigFolder) -> None:
    topology = config_folder.resolve(**BOTH, namespace="all", cluster_ns="one").topology
    assert [site.namespace for site in topology.sites] == ["one", "all"]


def test_file_given_by_flag_or_variable_must_exist(config_folder: ConfigFolder) -> None:
    sources: list[tuple[dict[str, str], dict[str, str]]] = [({}, {"file": "no.yaml"}), ({"HZLINK_FILE": "no.yaml"}, {})]
    for environ, flags in sources:
        with pytest.raises(UsageError, match=r"no\.yaml"):
            config_folder.resolve(environ, **(BOTH | flags))


def test_each_side_has_its_own_kubeconfig(config_folder: ConfigFolder) -> None:
    one, two = (
        config_folder.kubeconfig("one", {"core": "https://x"}),
        config_folder.kubeconfig("two", {"core": "https://y"}),
    )
    topology = config_folder.resolve(
        client_ctx=["core"], cluster_ctx="core", client_kubeconfig=one, cluster_kubeconfig=two
    ).topology
    assert [site.kubeconfig for site in topology.sites] == [two, one]
    assert len({site.name for site in topology.sites}) == 2


def test_tilde_in_a_kubeconfig_path_is_expanded(config_folder: ConfigFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """No shell expands it in hzlink.yaml or in `--kubeconfig=~/x`."""
    monkeypatch.setenv("HOME", str(config_folder.folder))
    found = config_folder.resolve(**BOTH, kubeconfig="~/kubeconfig")
    assert found.topology.cluster.kubeconfig == str(config_folder.folder / "kubeconfig")


@pytest.mark.parametrize("other", [{"service": "sessions"}, {"name": "sessions"}])
def test_settings_recorded_for_another_topology_are_ignored(config_folder: ConfigFolder, other: dict[str, str]) -> None:
    config_folder.record(client_ctx=["edge"], cluster_ctx="core", namespace="hz", service="orders", members=5)
    topology = config_folder.resolve(**other).topology
    assert (topology.name, topology.settings.members, topology.cluster.namespace) == ("sessions", 3, "hz")


def test_recorded_service_is_used(config_folder: ConfigFolder) -> None:
    config_folder.record(client_ctx=["edge"], cluster_ctx="core", service="orders", members=5)
    for given in ({}, {"service": "orders"}, {"name": "orders"}):
        topology = config_folder.resolve(**given).topology
        assert (topology.name, topology.service, topology.settings.members) == ("orders", "orders", 5)


def _two_records(folder: ConfigFolder) -> None:
    folder.record(**BOTH, namespace="shop", service="orders", members=2)
    folder.record(**BOTH, namespace="shop", service="sessions", members=5)


def test_last_record_is_the_default(config_folder: ConfigFolder) -> None:
    _two_records(config_folder)
    for given in ({}, BOTH, {**BOTH, "namespace": "shop"}):
        found = config_folder.resolve(**given).topology
        assert (found.name, found.settings.members) == ("sessions", 5)


@pytest.mark.parametrize("given", [{"name": "orders"}, {"service": "orders"}])
def test_earlier_record_is_used_by_its_name(config_folder: ConfigFolder, given: dict[str, Any]) -> None:
    _two_records(config_folder)
    found = config_folder.resolve(**given).topology
    assert (found.name, found.service, found.settings.members) == ("orders", "orders", 2)
    assert found.cluster.namespace == "shop"


def test_earlier_record_is_used_by_its_sites(config_folder: ConfigFolder) -> None:
    config_folder.record(**BOTH, namespace="shop", service="orders")
    config_folder.record(client_ctx=["west"], cluster_ctx="core", service="sessions")
    config_folder.record(**BOTH, namespace="lab", service="trials")
    assert config_folder.resolve(client_ctx=["west"]).topology.name == "sessions"
    assert config_folder.resolve(namespace="shop").topology.name == "orders"
    assert config_folder.resolve(**BOTH, namespace="shop").topology.name == "orders"


def test_another_name_uses_the_sites_of_the_last_record(config_folder: ConfigFolder) -> None:
    _two_records(config_folder)
    found = config_folder.resolve(name="new", service="new").topology
    assert (found.name, found.cluster.namespace, found.settings.members) == ("new", "shop", 3)


HUB = {**BOTH, "hub_ctx": "west"}


def test_a_hub_is_the_last_site_and_is_recorded(config_folder: ConfigFolder) -> None:
    first = config_folder.resolve(**HUB, hub_ns="transit")
    assert [site.role for site in first.topology.sites] == [Role.CLUSTER, Role.CLIENT, Role.HUB]
    config_folder.record(**first.record)
    hub = config_folder.resolve().topology.hub
    assert hub is not None
    assert (hub.context, hub.namespace) == ("west", "transit")
    assert config_folder.resolve(**BOTH).topology.hub == hub


def test_a_repeated_namespace_keeps_the_recorded_one_of_the_hub(config_folder: ConfigFolder) -> None:
    config_folder.record(client_ctx=["edge"], cluster_ctx="core", hub_ctx="edge", hub_ns="transit", namespace="hz")
    again = config_folder.resolve(**BOTH, namespace="hz").topology
    assert [site.namespace for site in again.sites] == ["hz", "hz", "transit"]
    other = config_folder.resolve(**BOTH, namespace="shop", hub_ctx="west").topology
    assert [site.namespace for site in other.sites] == ["shop", "shop", "shop"]


def test_an_empty_hub_context_goes_back_to_a_direct_link(config_folder: ConfigFolder) -> None:
    config_folder.record(client_ctx=["edge"], cluster_ctx="core", hub_ctx="west", hub_ns="transit", namespace="hz")
    direct = config_folder.resolve(hub_ctx="")
    assert direct.topology.hub is None
    assert [site.namespace for site in direct.topology.sites] == ["hz", "hz"]
    assert not any(key.startswith("hub") for key in direct.record)


def test_the_hub_has_settings_of_its_own_in_the_file(config_folder: ConfigFolder) -> None:
    config_folder.file(
        clusterContext="core", clientContexts=["edge"], hubContext="west", hubNamespace="transit", namespace="hz"
    )
    assert [site.namespace for site in config_folder.resolve().topology.sites] == ["hz", "hz", "transit"]
    other = config_folder.resolve(hub_ctx="other").topology.hub
    assert other is not None
    assert other.namespace == "hz"


def test_a_hub_is_refused_where_it_makes_no_sense(config_folder: ConfigFolder) -> None:
    with pytest.raises(UsageError, match="no --hub-ctx given"):
        config_folder.resolve(**BOTH, hub_ns="transit")
    with pytest.raises(UsageError, match="the hub issues"):
        config_folder.resolve(**HUB, link_from="client")
    with pytest.raises(UsageError, match="two sites are the same namespace") as refused:
        config_folder.resolve(**BOTH, hub_ctx="core", cluster_ns="hz", hub_ns="hz")
    assert "--hub-ns" in (refused.value.next_step or "")
