"""The hub of the last `up` is known until what hzlink made there is removed."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.config import former_hub
from tests.unit.config_folder import BOTH, ConfigFolder

RECORD: dict[str, Any] = {"client_ctx": ["edge"], "cluster_ctx": "core", "namespace": "hz"}
OVER_WEST = {**RECORD, "hub_ctx": "west", "hub_ns": "transit"}


def test_a_hub_that_is_left_out_is_the_former_one(config_folder: ConfigFolder) -> None:
    config_folder.record(**OVER_WEST)
    assert config_folder.resolve().topology.former_hub is None
    found = config_folder.resolve(hub_ctx="")
    former = found.topology.former_hub
    assert former is not None
    assert (former.context, former.namespace) == ("west", "transit")
    assert former not in found.topology.sites

    # A run that did not get there records it; the next one goes on.
    config_folder.record(**found.record)
    again = config_folder.resolve()
    assert (again.topology.hub, again.topology.former_hub) == (None, former)


def test_another_hub_replaces_it_and_the_same_hub_does_not(config_folder: ConfigFolder) -> None:
    config_folder.record(**OVER_WEST)
    for given in ({"hub_ctx": "other"}, {"hub_ns": "elsewhere"}):
        former = config_folder.resolve(**given).topology.former_hub
        assert former is not None
        assert (former.context, former.namespace) == ("west", "transit")
    assert config_folder.resolve(hub_ctx="west", hub_ns="transit").topology.former_hub is None


@pytest.mark.parametrize("given", [{"cluster_ctx": "other"}, {"cluster_ns": "other"}, {"name": "other"}])
def test_the_hub_of_another_topology_is_no_former_hub(config_folder: ConfigFolder, given: dict[str, Any]) -> None:
    config_folder.record(**OVER_WEST)
    assert config_folder.resolve(**{**BOTH, **given, "hub_ctx": ""}).topology.former_hub is None


def test_a_hub_whose_context_is_gone_is_forgotten(config_folder: ConfigFolder) -> None:
    config_folder.record(**{**OVER_WEST, "hub_ctx": "not-in-the-kubeconfig"})
    assert config_folder.resolve(hub_ctx="").topology.former_hub is None


def test_former_hub_in_a_record_of_any_shape() -> None:
    shapes: tuple[object, ...] = (None, "west", [], {}, {"hub_ctx": ""})
    for broken in shapes:
        assert former_hub.values({**RECORD, former_hub.KEY: broken}, RECORD) == {}
