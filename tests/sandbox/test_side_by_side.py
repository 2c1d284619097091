"""Two topologies between the same namespaces: they share the Skupper Sites and the Link."""

from __future__ import annotations

from tests.sandbox.conftest import Hzlink, tokens_left

SHARED = "sites.skupper.io,links.skupper.io"
OWN = (
    "sites.skupper.io,links.skupper.io,listeners.skupper.io,connectors.skupper.io,"
    "statefulsets,deployments,services,configmaps,leases"
)


def _shared(hzlink: Hzlink) -> dict[str, str]:
    """The UIDs of the Sites and of the Link."""
    return {
        f"{context} {name}": item["metadata"]["uid"]
        for context in ("client", "cluster")
        for name, item in hzlink.objects(context, SHARED).items()
    }


def _left(hzlink: Hzlink) -> list[str]:
    label = "app.kubernetes.io/managed-by=hzlink"
    return [hzlink.kubectl(context, "get", OWN, "-l", label, "-o", "name") for context in ("client", "cluster")]


def test_orders_and_sessions(real_hzlink: Hzlink) -> None:
    hzlink = real_hzlink
    hzlink.up("--service", "orders", "--members", "1").ok()
    shared = _shared(hzlink)
    hzlink.up("--service", "sessions", "--members", "1").ok()
    assert _shared(hzlink) == shared
    assert len([name for name in shared if "Link/" in name]) == 1

    shown = hzlink("status").ok().out
    assert shown.index("topology orders") < shown.index("topology sessions")
    document = hzlink("status", "-o", "json").ok().document
    assert [(one["topology"], one["healthy"]) for one in document["topologies"]] == [
        ("orders", True),
        ("sessions", True),
    ]
    for name in ("orders", "sessions"):
        hzlink("verify", "--name", name).ok()

    refused = hzlink("down", "--yes")
    assert refused.code == 2
    assert "hzlink down --name orders" in refused.err
    removed = hzlink("down", "--name", "orders", "--yes").ok().out
    assert "client: Skupper Site client remains for topology sessions" in removed
    assert _shared(hzlink) == shared
    hzlink("verify").ok()
    assert "Listener/orders" not in hzlink.objects("client", "listeners.skupper.io")

    before = hzlink.writes()
    assert "nothing written" in hzlink.up("--service", "sessions", "--members", "1").ok().err
    assert hzlink.writes() == before

    hzlink("down", "--yes").ok()
    assert _shared(hzlink) == {}
    assert _left(hzlink) == ["", ""]
    assert tokens_left(hzlink) == []
