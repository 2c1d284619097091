"""Sites that others have linked over a third Site: used as they are, with every Link of the way shown."""

from __future__ import annotations

from tests.sandbox.conftest import Hzlink
from tests.sandbox.networks import Namespace, link
from tests.sandboxed import Namespaces, until


def test_a_network_over_a_hub_of_others(real_hzlink: Hzlink, namespaces: Namespaces) -> None:
    """With real members. edge and core each have a Link to a Site of others."""
    hzlink, sandbox = real_hzlink, real_hzlink.sandbox
    edge, core = (Namespace(sandbox, context, hzlink.namespace) for context in ("client", "cluster"))
    hub = Namespace(sandbox, "cluster", namespaces.make("none"))
    sites = {"berlin": edge, "oslo": core, "transit": hub}
    for name, place in sites.items():
        place.site(name, "default" if place is hub else "")
    for name, place in sites.items():
        place.ready(f"site.skupper.io/{name}")
    link(edge, hub, "up-link")
    link(core, hub, "down-link")
    for place, name in ((edge, "up-link"), (core, "down-link")):
        place.ready(f"link.skupper.io/{name}")
    until(lambda: len(edge.objects()["Site/berlin"]["status"].get("network", [])) == 3)
    until(lambda: len(core.objects()["Site/oslo"]["status"].get("network", [])) == 3)
    before = {name: place.seen() for name, place in sites.items()}

    hzlink.up("--verify").ok()
    after = {name: place.seen() for name, place in sites.items()}
    added = {name: after[name].keys() - before[name].keys() for name in sites}
    assert added == {"berlin": {"Listener/hazelcast"}, "oslo": {"Connector/hazelcast"}, "transit": set()}

    [shown] = hzlink("status", "-o", "json").ok().document["links"]
    assert [(one["name"], one["from"], one["to"], one["state"]) for one in shown["way"]] == [
        ("up-link", "client", "transit", "ok"),
        ("down-link", "transit", "cluster", "ok"),
    ]
    tree = hzlink("status", "-o", "tree").ok().out
    assert "Link down-link: transit > cluster" in tree
    assert "nothing written" in hzlink.up().ok().err

    sandbox.set_faults({"link": {f"cluster/{core.name}": "down"}})
    try:
        until(lambda: "first broken hop is the Link of cluster" in hzlink("status").out)
        broken = hzlink("status", "-o", "json").document["firstBrokenHop"]
    finally:
        sandbox.set_faults({})
    assert (broken["object"], broken["state"]) == ("Link down-link", "waiting")
    assert "describe links.skupper.io down-link   (or hzlink link" in broken["next"]
    until(lambda: hzlink("status").code == 0)

    hzlink("down", "--yes").ok()
    assert {name: place.seen() for name, place in sites.items()} == before
