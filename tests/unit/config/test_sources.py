"""Where each setting comes from: flags before variables before the file before the last run's record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hzlink.model.errors import UsageError
from tests.unit.configuring import BOTH, Bench


def test_with_contexts_alone_everything_else_is_the_default(bench: Bench) -> None:
    found = bench.resolve(**BOTH)
    topology = found.topology
    assert (topology.cluster.context, topology.cluster.namespace) == ("core", "own-0")
    assert [(site.context, site.namespace) for site in topology.clients] == [("edge", "own-1")]
    assert (topology.name, found.timeout, topology.settings.members) == ("hazelcast", 180.0, 3)
    assert topology.cluster.kubeconfig is None


@pytest.mark.parametrize("present", range(5))
def test_the_first_source_that_has_a_value_gives_it(bench: Bench, present: int) -> None:
    """Of flag, variable, file and record, the first `present` are taken away."""
    flags: dict[str, Any] = {**BOTH}
    environ = {}
    if present <= 0:
        flags["members"] = 1
    if present <= 1:
        environ["HZLINK_MEMBERS"] = "2"
    if present <= 2:
        bench.file(members=4)
    if present <= 3:
        bench.record(client_ctx=["edge"], cluster_ctx="core", members=5)
    expected = [1, 2, 4, 5, 3][present]
    settings = bench.resolve(environ, **flags).topology.settings
    assert settings.members == expected
    # What the last run had is no wish of this one: the number at which the members stand goes before it.
    assert settings.members_given is (present < 3)


def test_contexts_come_from_variables_too_one_in_a_line(bench: Bench) -> None:
    environ = {"HZLINK_CLUSTER_CTX": "core", "HZLINK_CLIENT_CTX": "edge\ntwo words\n\u2028\n"}
    assert [site.context for site in bench.resolve(environ).topology.clients] == ["edge", "two words", "\u2028"]


def test_a_record_is_enough(bench: Bench) -> None:
    bench.record(client_ctx=["edge", "west"], cluster_ctx="core", client_ns=["a", "b"], name="demo", members=2)
    topology = bench.resolve().topology
    assert [site.namespace for site in topology.sites] == ["own-0", "a", "b"]
    assert (topology.name, topology.settings.members) == ("demo", 2)


def test_what_is_recorded_gives_the_same_topology_from_any_folder(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.kubeconfig("mine", {"core": "https://x", "edge": "https://y"})
    first = bench.resolve(**BOTH, kubeconfig="mine", namespace="hz", members=2, expose="nodeport")
    bench.record(**first.record)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = bench.resolve().topology
    # A number of members that is only recorded does not replace one that others set since.
    assert again.settings == replace(first.topology.settings, members_given=False)
    assert [(site.context, site.namespace) for site in again.sites] == [("core", "hz"), ("edge", "hz")]
    assert {site.kubeconfig for site in again.sites} == {str(tmp_path / "mine")}


def test_settings_recorded_for_other_contexts_do_not_count(bench: Bench) -> None:
    bench.record(client_ctx=["edge"], cluster_ctx="core", members=5, name="demo", namespace="hz")
    topology = bench.resolve(client_ctx=["west"], cluster_ctx="other").topology
    assert (topology.name, topology.settings.members, topology.cluster.namespace) == ("hazelcast", 3, "own-3")


def test_a_recorded_namespace_goes_with_its_own_context_only(bench: Bench) -> None:
    bench.record(client_ctx=["edge"], cluster_ctx="core", cluster_ns="hz")
    topology = bench.resolve(client_ctx=["edge"], cluster_ctx="other").topology
    assert topology.cluster.namespace == "own-3"


def test_one_context_typed_and_the_other_from_another_topologys_record_is_refused(bench: Bench) -> None:
    """Else `hzlink down --cluster-ctx other` would take down a client site that it was not told of."""
    bench.record(client_ctx=["edge"], cluster_ctx="core")
    with pytest.raises(UsageError, match="no --client-ctx"):
        bench.resolve(cluster_ctx="other")
    with pytest.raises(UsageError, match="no --cluster-ctx"):
        bench.resolve(client_ctx=["west"])


def test_the_recorded_namespace_counts_when_the_same_contexts_are_typed(bench: Bench) -> None:
    bench.record(client_ctx=["edge"], cluster_ctx="core", cluster_ns="hz", client_ns=["hz2"])
    assert [site.namespace for site in bench.resolve(**BOTH).topology.sites] == ["hz", "hz2"]


def test_a_variable_names_the_namespace_of_a_typed_context(bench: Bench) -> None:
    assert bench.resolve({"HZLINK_CLUSTER_NS": "hz"}, **BOTH).topology.cluster.namespace == "hz"


def test_a_files_namespace_does_not_go_with_another_context(bench: Bench) -> None:
    bench.file(clusterContext="core", clusterNamespace="hz", clientContexts=["edge"])
    assert bench.resolve(cluster_ctx="other").topology.cluster.namespace == "own-3"


def test_a_typed_namespace_for_all_outranks_a_files_for_one(bench: Bench) -> None:
    bench.file(clusterContext="core", clusterNamespace="hz", clientContexts=["edge"])
    assert [site.namespace for site in bench.resolve(namespace="typed").topology.sites] == ["typed", "typed"]


def test_a_sides_own_namespace_outranks_the_one_for_all_of_the_same_source(bench: Bench) -> None:
    topology = bench.resolve(**BOTH, namespace="all", cluster_ns="one").topology
    assert [site.namespace for site in topology.sites] == ["one", "all"]


def test_a_file_named_by_flag_or_variable_must_be_there(bench: Bench) -> None:
    sources: list[tuple[dict[str, str], dict[str, str]]] = [({}, {"file": "no.yaml"}), ({"HZLINK_FILE": "no.yaml"}, {})]
    for environ, flags in sources:
        with pytest.raises(UsageError, match=r"no\.yaml"):
            bench.resolve(environ, **(BOTH | flags))


def test_kubeconfigs_by_side(bench: Bench) -> None:
    one, two = bench.kubeconfig("one", {"core": "https://x"}), bench.kubeconfig("two", {"core": "https://y"})
    topology = bench.resolve(
        client_ctx=["core"], cluster_ctx="core", client_kubeconfig=one, cluster_kubeconfig=two
    ).topology
    assert [site.kubeconfig for site in topology.sites] == [two, one]
    assert len({site.name for site in topology.sites}) == 2


def test_a_kubeconfig_in_the_home_folder_is_given_to_kubectl_as_a_path(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No shell expands the tilde of a value from hzlink.yaml or of `--kubeconfig=~/x`."""
    monkeypatch.setenv("HOME", str(bench.folder))
    found = bench.resolve(**BOTH, kubeconfig="~/kubeconfig")
    assert found.topology.cluster.kubeconfig == str(bench.folder / "kubeconfig")
