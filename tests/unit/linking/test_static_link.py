"""The Links that hzlink makes itself, of an issuing Site's endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.linking import static_link
from tests.unit.builders import Obj, skupper_site


def site_with(*endpoints: tuple[str, str, str], access: str = "local") -> Obj:
    """A Site with endpoints of that name, host and group."""
    made = skupper_site("core", access=access)
    made["status"]["endpoints"] = [
        {"name": name, "host": host, "port": "55671", "group": group} for name, host, group in endpoints
    ]
    return made


def made(site: Obj) -> list[tuple[str, str, list[str]]]:
    """Each Link: its name, its credentials, and its endpoints' names."""
    found: list[Any] = list(static_link.links_to(site, "hazelcast-core", {"a": "b"}))
    return [
        (one["metadata"]["name"], one["spec"]["tlsCredentials"], [end["name"] for end in one["spec"]["endpoints"]])
        for one in found
    ]


def test_one_router() -> None:
    site = site_with(("inter-router", "x.hz", "skupper-router"), ("edge", "x.hz", "skupper-router"))
    assert made(site) == [("hazelcast-core", "hazelcast-core", ["inter-router", "edge"])]


def test_two_routers_as_with_ha() -> None:
    site = site_with(("inter-router", "x.hz", "skupper-router"), ("inter-router", "y.hz", "skupper-router-2"))
    assert made(site) == [
        ("hazelcast-core-1", "hazelcast-core", ["inter-router"]),
        ("hazelcast-core-2", "hazelcast-core", ["inter-router"]),
    ]


def test_other_endpoints_are_not_for_links() -> None:
    assert made(site_with(("amqp", "x.hz", "g"), ("inter-router", "", "g"))) == []


@pytest.mark.parametrize(("access", "fits"), [("local", True), ("default", False), ("loadbalancer", False)])
def test_it_is_for_sites_that_are_reached_inside_the_cluster(access: str, fits: bool) -> None:
    assert static_link.is_local(site_with(access=access)) is fits
    assert not static_link.is_local(None)
