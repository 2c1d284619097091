"""Faults where the sites are linked over another Site, and in application namespaces."""

from __future__ import annotations

from sandbox.api import kinds
from sandbox.skupper.controller import kinds as skupper_kinds
from tests.faults.fault import Fault, Part, Where
from tests.faults.world import World
from tests.sandbox.networks import Namespace, link
from tests.sandboxed import Namespaces

STATUS = ("status", "--timeout", "30")
FEW = ("--members", "1", "--no-mancenter")


def _namespace(world: World) -> str:
    """Another namespace, until the row ends."""
    spaces = Namespaces(world.sandbox)
    world.closing.append(spaces.empty)
    return spaces.make("none")


def link_to_hub_drops(world: World) -> None:
    world.up("--hub-ctx", "client", "--hub-ns", _namespace(world), *FEW)
    _cut(world, "hazelcast-client")


def link_of_others_drops(world: World) -> None:
    """Sites of others that are linked over a third one."""
    places = {
        "oslo": Namespace(world.sandbox, "cluster", world.namespace),
        "berlin": Namespace(world.sandbox, "client", world.namespace),
        "transit": Namespace(world.sandbox, "client", _namespace(world)),
    }
    for name, place in places.items():
        place.site(name, "default" if name == "transit" else "")
    for name, place in places.items():
        place.ready(f"site.skupper.io/{name}")
    for name, made in (("oslo", "down-link"), ("berlin", "up-link")):
        link(places[name], places["transit"], made)
        places[name].ready(f"link.skupper.io/{made}")
    ends = [(places[name], f"Site/{name}") for name in ("oslo", "berlin")]
    world.wait(lambda: all(len(one.objects()[name]["status"].get("network", [])) == 3 for one, name in ends))
    world.up(*FEW)
    for server, name, made in (("cluster", "oslo", "down-link"), ("client", "berlin", "up-link")):
        world.planted += [(server, skupper_kinds.SITES, name), (server, skupper_kinds.LINKS, made)]
        world.planted.append((server, skupper_kinds.TOKENS, made))
    _cut(world, "down-link")


def _cut(world: World, prefix: str) -> None:
    """Cuts the Links of the cluster site, and waits until the one with that name says so."""
    world.fault("link", "cluster", "down")

    def is_down() -> bool:
        found = [one for one in world.items("cluster", skupper_kinds.LINKS) if _name(one).startswith(prefix)]
        return [(one.get("status") or {}).get("status") for one in found] == ["Pending"]

    world.wait(is_down)


def _name(item: kinds.Obj) -> str:
    return str(item["metadata"]["name"])


def app_name_deleted(world: World) -> None:
    namespace = _namespace(world)
    world.up("--app-namespace", namespace, *FEW)
    world.sandbox.kube("client").delete(kinds.SERVICES, namespace, "hazelcast-0")


def app_name_taken(world: World) -> None:
    """A Service of others, made after hzlink's was deleted."""
    namespace = _namespace(world)
    world.up("--app-namespace", namespace, *FEW)
    kube = world.sandbox.kube("client")
    kube.delete(kinds.SERVICES, namespace, "hazelcast-0")
    metadata = {"name": "hazelcast-0", "namespace": namespace}
    kube.create(kinds.SERVICES, {"metadata": metadata, "spec": {"ports": [{"port": 5701}]}})


ROWS = [
    Fault(
        Part.LINKS, "link-to-hub-drops", "a link to the hub goes down", "> cluster: Not ",
        "Traffic between the sites passes the hub. The routers of this site and of the hub are disconnected.",
        "Check whether this site still reaches the hub. `hzlink link` repairs or replaces the link.",
        link_to_hub_drops, 1, command=STATUS, where=Where.HOP, site="cluster", subject="Link", next="hzlink link",
    ),
    Fault(
        Part.LINKS, "link-on-the-way-drops", "a link on the way over other Sites goes down", "transit > cluster: Not ",
        "The sites are linked over Sites of others, and a Link between them is down. hzlink does not change it.",
        "Its owner repairs it. `hzlink link` links the sites directly instead, if they reach each other.",
        link_of_others_drops, 1, command=STATUS, where=Where.HOP, site="cluster", subject="Link",
        next="describe links.skupper.io down-link",
    ),
    Fault(
        Part.LINKS, "app-name-deleted", "a name in an application namespace was deleted", "no Service hazelcast-0",
        "Applications in that namespace (--app-namespace) cannot resolve the member's name.",
        "Run `hzlink up`: it creates the Service.", app_name_deleted, 1, command=STATUS, where=Where.HOP,
        site="client", subject="application namespace", next="hzlink up",
    ),
    Fault(
        Part.LINKS, "app-name-taken", "a name in an application namespace is of others",
        "Service hazelcast-0 is not hzlink's",
        "Applications in that namespace reach another Service under the member's name. hzlink does not change it.",
        "Rename that Service, or leave the namespace out of --app-namespace.", app_name_taken, 1, command=STATUS,
        where=Where.HOP, site="client", subject="application namespace", next="get service hazelcast-0",
    ),
]  # fmt: skip
