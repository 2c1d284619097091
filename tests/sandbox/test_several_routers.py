"""A Site with `ha`: one token creates a Link to each of its two routers, and both Links are hzlink's."""

from __future__ import annotations

import json
from functools import partial

import pytest

from tests.sandbox.conftest import Hzlink, tokens_left
from tests.sandboxed import until

LINKS = "links.skupper.io"


def with_two_routers(hzlink: Hzlink, server: str = "cluster") -> None:
    hzlink.kubectl(server, "patch", "sites.skupper.io", server, "--type=merge", "-p", '{"spec":{"ha":true}}')
    until(lambda: len(_groups(hzlink, server)) == 2)


def _groups(hzlink: Hzlink, server: str) -> set[str]:
    site = hzlink.objects(server, "sites.skupper.io")[f"Site/{server}"]
    return {endpoint["group"] for endpoint in site["status"].get("endpoints") or []}


@pytest.mark.parametrize("via", ["kubectl", "skupper"])
def test_both_links_are_created_labelled_shown_and_removed(hzlink: Hzlink, via: str) -> None:
    hzlink.up("--via", via).ok()
    with_two_routers(hzlink)
    hzlink.kubectl("client", "delete", LINKS, "--all")

    document = hzlink("link", "--via", via, "-o", "json").ok().document

    found = hzlink.objects("client", LINKS)
    assert found.keys() == {"Link/hazelcast-cluster-1", "Link/hazelcast-cluster-2"}
    assert all(one["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "hzlink" for one in found.values())
    [link] = document["links"]
    assert [(one["name"], one["state"]) for one in link["routers"]] == [
        ("hazelcast-cluster-1", "ok"),
        ("hazelcast-cluster-2", "ok"),
    ]
    before = hzlink.writes()
    assert "already linked" in hzlink("link").ok().err
    assert hzlink.writes() == before
    assert tokens_left(hzlink) == []
    hzlink("down", "--yes").ok()
    assert hzlink.objects("client", LINKS) == {}
    assert "Secret/hazelcast-cluster" not in hzlink.objects("client", "secrets")


def test_one_router_down_is_a_warning_and_the_topology_stays_healthy(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    with_two_routers(hzlink)
    hzlink.kubectl("client", "delete", LINKS, "--all")
    hzlink("link").ok()

    hzlink.kubectl("cluster", "scale", "deployment", "skupper-router-2", "--replicas=0")
    until(partial(_one_is_down, hzlink))

    ran = hzlink("status", "-o", "json")
    assert ran.code == 0, ran.out
    told = [finding["message"] for finding in ran.document["findings"] if finding["about"] == "routers"]
    assert any("hazelcast-cluster-2" in text for text in told), told


def _one_is_down(hzlink: Hzlink) -> bool:
    links = hzlink.objects("client", LINKS)
    return str(links["Link/hazelcast-cluster-2"]["status"]["status"]) != "Ready"


def test_link_older_than_the_second_router_is_reported_and_completed(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    with_two_routers(hzlink)
    document = hzlink("status", "-o", "json").ok().document
    [told] = [finding["message"] for finding in document["findings"] if finding["about"] == "routers"]
    assert "leads to 1 of the 2 routers of cluster" in told
    assert "hzlink link --repair" in told
    before = json.dumps(hzlink.objects("client", LINKS)["Link/hazelcast-cluster"]["spec"])

    hzlink("link", "--repair").ok()

    found = hzlink.objects("client", LINKS)
    assert found.keys() == {"Link/hazelcast-cluster", "Link/hazelcast-cluster-2"}
    assert json.dumps(found["Link/hazelcast-cluster"]["spec"]) == before, "the link that was there goes on"
    assert hzlink("status", "-o", "json").ok().document["findings"] == []
    hzlink("down", "--yes").ok()
    assert hzlink.objects("client", LINKS) == {}
