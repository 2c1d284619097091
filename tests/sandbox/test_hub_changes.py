"""A working topology of several client sites gets a hub and leaves it again, with Links that need no grant server."""

from __future__ import annotations

from pathlib import Path

from tests.sandbox.conftest import Hzlink, tokens_left
from tests.sandboxed import Namespaces, Sandbox

LINKS, SITES = "links.skupper.io", "sites.skupper.io"


def test_a_topology_gets_a_hub_and_leaves_it(
    sandbox: Sandbox, hzlink: Hzlink, namespaces: Namespaces, tmp_path: Path
) -> None:
    west = Hzlink(sandbox, namespaces.make("none"), tmp_path / "west")
    hub = Hzlink(sandbox, namespaces.make("none"), tmp_path / "hub")
    ends = ((hzlink, "client"), (west, "client"), (hzlink, "cluster"))
    places = (
        *("--client-ctx", "client", "--client-ns", hzlink.namespace),
        *("--client-ctx", "client", "--client-ns", west.namespace),
        *("--cluster-ctx", "cluster", "--cluster-ns", hzlink.namespace),
        *("--via", "link", "--members", "1", "--no-mancenter"),
    )

    def links() -> list[str]:
        """The Sites that the Links of each end lead to."""
        return [
            " ".join(one["status"]["remoteSiteName"] for one in place.objects(context, LINKS).values())
            for place, context in ends
        ]

    def access() -> str:
        [site] = hzlink.objects("cluster", SITES).values()
        return str(site["spec"].get("linkAccess"))

    hzlink("up", *places).ok()
    [cluster] = {one for one in links() if one}
    ran = hzlink("up", "--hub-ctx", "cluster", "--hub-ns", hub.namespace).ok()
    # The new links come first.
    assert ran.err.index("Link") < ran.err.index("is no longer needed")
    [name] = [one["metadata"]["name"] for one in hub.objects("cluster", SITES).values()]
    assert links() == [name] * 3
    assert access() == "none"
    before = hzlink.writes()
    assert "nothing written" in hzlink("up").ok().err
    assert hzlink.writes() == before

    hzlink("up", "--hub-ctx", "").ok()
    assert links() == [cluster, cluster, ""]
    assert access() == "default"
    assert hub.objects("cluster", f"{SITES},leases,secrets") == {}
    before = hzlink.writes()
    assert "nothing written" in hzlink("up").ok().err
    assert hzlink.writes() == before

    hzlink("down", "--yes").ok()
    assert all(place.objects(context, f"{SITES},{LINKS}") == {} for place, context in ends)
    assert tokens_left(hzlink) + tokens_left(hub) == []
