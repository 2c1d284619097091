"""Values of settings: which are accepted, and the errors for the others."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.model.choices import Expose, LinkAccess, LinkFrom, Mode, Via
from hzlink.model.errors import UsageError
from tests.unit.config_folder import BOTH, CONTEXTS, ConfigFolder


@pytest.mark.parametrize("context", CONTEXTS[1:])
def test_any_context_of_the_kubeconfig_is_accepted(config_folder: ConfigFolder, context: str) -> None:
    assert config_folder.resolve(client_ctx=[context], cluster_ctx="core").topology.clients[0].context == context


@pytest.mark.parametrize(
    ("flags", "missing"), [({}, "--client-ctx"), ({"client_ctx": ["edge"]}, "--cluster-ctx")], ids=["none", "one"]
)
def test_missing_context_is_a_usage_error(config_folder: ConfigFolder, flags: dict[str, Any], missing: str) -> None:
    with pytest.raises(UsageError, match=missing) as caught:
        config_folder.resolve(**flags)
    assert "hzlink up --client-ctx" in (caught.value.next_step or "")


def test_unknown_context_is_named_with_the_existing_ones(config_folder: ConfigFolder) -> None:
    with pytest.raises(UsageError, match="no context 'nope'") as caught:
        config_folder.resolve(client_ctx=["nope"], cluster_ctx="core")
    assert "edge" in (caught.value.said or "")


def test_missing_kubeconfig_is_an_unknown_context(config_folder: ConfigFolder) -> None:
    with pytest.raises(UsageError, match="no context 'core'") as caught:
        config_folder.resolve({"KUBECONFIG": str(config_folder.folder / "absent")}, **BOTH)
    assert "none" in (caught.value.said or "")


@pytest.mark.parametrize(
    "flags",
    [
        {"client_ctx": ["core"], "cluster_ctx": "core"},
        {"client_ctx": ["core"], "cluster_ctx": "core", "namespace": "hz"},
        {"client_ctx": ["edge", "edge"], "cluster_ctx": "core"},
        {"client_ctx": ["edge"], "cluster_ctx": "core", "client_ns": ["own-0"], "client_kubeconfig": "same-server"},
    ],
    ids=["both sides", "both sides, named", "two clients", "two contexts, one server"],
)
def test_same_namespace_for_two_sites_is_refused(config_folder: ConfigFolder, flags: dict[str, Any]) -> None:
    config_folder.kubeconfig("same-server", {"edge": "https://0.example"})
    with pytest.raises(UsageError, match="two sites are the same namespace"):
        config_folder.resolve(**flags)


def test_two_namespaces_of_one_context_are_two_sites(config_folder: ConfigFolder) -> None:
    topology = config_folder.resolve(client_ctx=["core"], cluster_ctx="core", client_ns=["hz2"]).topology
    assert topology.cluster != topology.clients[0]


@pytest.mark.parametrize(
    ("given", "expected"),
    [([], ["own-1", "own-2"]), (["hz"], ["hz", "hz"]), (["a", "b"], ["a", "b"])],
    ids=["none", "one for all", "one each"],
)
def test_client_namespaces_are_assigned_to_contexts(
    config_folder: ConfigFolder, given: list[str], expected: list[str]
) -> None:
    topology = config_folder.resolve(client_ctx=["edge", "west"], cluster_ctx="core", client_ns=given).topology
    assert [site.namespace for site in topology.clients] == expected


@pytest.mark.parametrize("given", [["a", "b"], ["a", "b", "c"]])
def test_wrong_number_of_client_namespaces_is_refused(config_folder: ConfigFolder, given: list[str]) -> None:
    with pytest.raises(UsageError, match=f"{len(given)} --client-ns for 1 --client-ctx"):
        config_folder.resolve(**BOTH, client_ns=given)


@pytest.mark.parametrize("namespace", ["Hz", "a_b", "-a", "a" * 64, "a b", "a/b", "hz\n"])
@pytest.mark.parametrize("key", ["namespace", "cluster_ns"])
def test_invalid_namespaces_are_refused(config_folder: ConfigFolder, namespace: str, key: str) -> None:
    with pytest.raises(UsageError, match="not a namespace's name"):
        config_folder.resolve(**(BOTH | {key: namespace}))


@pytest.mark.parametrize("name", ["Demo", "", "a" * 64, "demo\n"])
def test_invalid_topology_names_are_refused(config_folder: ConfigFolder, name: str) -> None:
    with pytest.raises(UsageError, match="the topology's name"):
        config_folder.resolve(**BOTH, name=name)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[("members", value) for value in (0, -1, 101, 2.5, "three", "nan", "inf", "")],
        *[("timeout", value) for value in (0, -1, 86401, "nan", "inf", "3min", "25h")],
        *[("address_timeout", value) for value in (-1, 86401, "x")],
        *[
            (key, value)
            for key in ("mode", "expose", "link_from", "link_access", "via")
            for value in ("nonsense", "SMART", "")
        ],
        *[(key, value) for key in ("image", "probe_image", "mancenter_image") for value in ("", " ", "a b", "a\n")],
    ],
)
def test_invalid_values_are_refused(config_folder: ConfigFolder, key: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"--{key.replace('_', '-')}"):
        config_folder.resolve(**(BOTH | {key: value}))


def test_values_are_parsed_from_variables(config_folder: ConfigFolder) -> None:
    environ = {
        "HZLINK_MEMBERS": "100",
        "HZLINK_TIMEOUT": "0.5e3",
        "HZLINK_ADDRESS_TIMEOUT": "0",
        "HZLINK_MODE": "unisocket",
        "HZLINK_EXPOSE": "loadbalancer",
        "HZLINK_LINK_FROM": "client",
        "HZLINK_LINK_ACCESS": "contour-http-proxy",
        "HZLINK_VIA": "kubectl",
        "HZLINK_IMAGE": "example.com:5000/hz@sha256:ab",
        "HZLINK_PROBE_IMAGE": "example.com:5000/python:3.12",
        "HZLINK_MANCENTER_IMAGE": "example.com/mc:5.6",
    }
    found = config_folder.resolve(environ, **BOTH)
    settings = found.topology.settings
    assert (found.timeout, settings.members, settings.address_timeout) == (500.0, 100, 0.0)
    assert (settings.mode, settings.expose) == (Mode.UNISOCKET, Expose.LOADBALANCER)
    assert (settings.link_from, settings.via) == (LinkFrom.CLIENT, Via.KUBECTL)
    assert settings.link_access is LinkAccess.CONTOUR_HTTP_PROXY
    assert settings.image == "example.com:5000/hz@sha256:ab"
    assert settings.probe_image == "example.com:5000/python:3.12"
    assert settings.mancenter_image == "example.com/mc:5.6"


@pytest.mark.parametrize("seconds", [1, 86400])
def test_smallest_and_largest_values_are_accepted(config_folder: ConfigFolder, seconds: int) -> None:
    assert config_folder.resolve(**BOTH, timeout=seconds, address_timeout=seconds - 1, members=1).timeout == seconds


def test_timeout_is_not_recorded(config_folder: ConfigFolder) -> None:
    assert "timeout" not in config_folder.resolve(**BOTH, timeout=5, members=2).record


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("hazelcast", "hazelcast")),
        ({"service": "orders"}, ("orders", "orders")),
        ({"name": "shop"}, ("shop", "hazelcast")),
        ({"name": "shop", "service": "orders"}, ("shop", "orders")),
    ],
)
def test_name_defaults_to_the_service(
    config_folder: ConfigFolder, given: dict[str, Any], expected: tuple[str, str]
) -> None:
    topology = config_folder.resolve(**BOTH, **given).topology
    assert (topology.name, topology.service) == expected
    assert topology.member_names[0] == f"{expected[1]}-0"


@pytest.mark.parametrize("service", ["Orders", "", "a" * 53, "0rders", "orders.shop", "-orders", "orders\n"])
def test_invalid_services_are_refused(config_folder: ConfigFolder, service: str) -> None:
    with pytest.raises(UsageError, match="is not a name for a Service"):
        config_folder.resolve(**BOTH, service=service)
