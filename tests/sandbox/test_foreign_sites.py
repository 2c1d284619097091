"""Namespaces with Skupper Sites of others: used as they are, and left as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.conftest import Hzlink, tokens_left
from tests.sandboxed import until

SITES = {"client": "berlin", "cluster": "oslo"}
SKUPPER = "sites.skupper.io,links.skupper.io,listeners.skupper.io,connectors.skupper.io"


def _make_sites(hzlink: Hzlink, access: str) -> None:
    """The Sites `berlin` and `oslo`; oslo with that link access."""
    for context, name in SITES.items():
        spec = {"linkAccess": access} if context == "cluster" and access else {}
        site = {"apiVersion": "skupper.io/v2alpha1", "kind": "Site", "metadata": {"name": name}, "spec": spec}
        hzlink.kubectl(context, "create", "-f", "-", stdin=json.dumps(site))
    for context, name in SITES.items():
        hzlink.kubectl(context, "wait", "--for=condition=Ready", f"site.skupper.io/{name}", "--timeout=60s")


def _link_by_hand(hzlink: Hzlink) -> None:
    """With an AccessGrant and an AccessToken, as somebody does it without hzlink."""
    grant = {"apiVersion": "skupper.io/v2alpha1", "kind": "AccessGrant", "metadata": {"name": "by-hand"}, "spec": {}}
    hzlink.kubectl("cluster", "create", "-f", "-", stdin=json.dumps(grant))
    hzlink.kubectl("cluster", "wait", "--for=condition=Ready", "accessgrant.skupper.io/by-hand", "--timeout=60s")
    status = hzlink.objects("cluster", "accessgrants.skupper.io")["AccessGrant/by-hand"]["status"]
    spec = {key: status[key] for key in ("url", "code", "ca")}
    token = {**grant, "kind": "AccessToken", "spec": spec}
    hzlink.kubectl("client", "create", "-f", "-", stdin=json.dumps(token))
    until(lambda: "Link/by-hand" in hzlink.objects("client", "links.skupper.io"))
    hzlink.kubectl("client", "wait", "--for=condition=Ready", "link.skupper.io/by-hand", "--timeout=90s")


def _uids(hzlink: Hzlink) -> dict[str, tuple[str, Any]]:
    """What is there of Skupper's user-facing objects: their UIDs, specs and labels."""
    return {
        f"{context} {name}": (item["metadata"]["uid"], (item["spec"], item["metadata"].get("labels")))
        for context in SITES
        for name, item in hzlink.objects(context, SKUPPER).items()
    }


def test_sites_that_are_linked_by_hand(hzlink: Hzlink) -> None:
    _make_sites(hzlink, "default")
    _link_by_hand(hzlink)
    before = _uids(hzlink)

    contexts = ("--client-ctx", "client", "--cluster-ctx", "cluster", "-n", hzlink.namespace)
    found = hzlink("check", *contexts, "-o", "wide").ok().out
    assert "hzlink did not make Skupper Site oslo" in found
    assert "linked to oslo by Link by-hand" in found
    hzlink.up().ok()

    added = _uids(hzlink).keys() - before.keys()
    assert added == {"client Listener/hazelcast", "cluster Connector/hazelcast"}
    assert {name: one for name, one in _uids(hzlink).items() if name in before} == before
    shown = hzlink("status").ok().out
    assert "Site berlin" in shown
    assert "Site oslo" in shown
    assert "(not hzlink's)" in shown
    sites = hzlink("status", "-o", "json").ok().document["sites"]
    assert [(one["skupper"]["name"], one["skupper"]["managed"]) for one in sites] == [
        ("oslo", False),
        ("berlin", False),
    ]
    assert "nothing written" in hzlink.up().ok().err

    done = hzlink("down", "--yes").ok()
    assert "Skupper Site berlin and its own Links remain" in done.out
    assert _uids(hzlink) == before


@pytest.mark.parametrize("via", ["kubectl", "skupper"])
def test_sites_that_are_not_linked_yet(hzlink: Hzlink, via: str) -> None:
    _make_sites(hzlink, "default")
    before = _uids(hzlink)

    hzlink.up("--via", via).ok()

    assert _uids(hzlink).keys() - before.keys() == {
        "client Listener/hazelcast",
        "client Link/hazelcast-oslo",
        "cluster Connector/hazelcast",
    }
    assert tokens_left(hzlink) == []
    assert "nothing written" in hzlink.up("--via", via).ok().err
    hzlink("down", "--yes").ok()
    assert _uids(hzlink) == before
    assert "Secret/hazelcast-oslo" not in hzlink.objects("client", "secrets")


def test_sites_without_link_access(hzlink: Hzlink) -> None:
    """Nothing is written without consent. With it, `down` sets back what `up` changed."""
    _make_sites(hzlink, "")
    before, written = _uids(hzlink), hzlink.writes()
    refused = hzlink.up()
    assert refused.code == 3
    assert "--enable-link-access" in refused.err
    assert (_uids(hzlink), hzlink.writes()) == (before, written)

    hzlink.up("--enable-link-access").ok()
    site = hzlink.objects("cluster", "sites.skupper.io")["Site/oslo"]
    assert site["spec"]["linkAccess"] == "default"
    assert "hzlink.io/enabled-link-access" in site["metadata"]["annotations"]
    assert "nothing written" in hzlink.up().ok().err

    done = hzlink("down", "--yes").ok()
    assert "sites.skupper.io/oslo: linkAccess back to none" in done.out
    assert "delete routeraccesses.skupper.io/skupper-router" in done.out
    assert "RouterAccess/skupper-router" in hzlink.objects("cluster", "routeraccesses.skupper.io")
    assert _uids(hzlink) == before
    assert not hzlink.objects("cluster", "sites.skupper.io")["Site/oslo"]["metadata"].get("annotations")
