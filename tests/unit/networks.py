"""Skupper networks over other Sites: what each Site lists of it, and the Links in the observed namespaces."""

from __future__ import annotations

from typing import Any

from tests.unit.builders import CORE, EARLY, EDGE, Obj, World, converged, link, service, skupper_site, topology

HUB = skupper_site("hub", ours=False, host="203.0.113.1")


def theirs(name: str, **parts: Any) -> Obj:
    """The Site of that name, which hzlink did not make."""
    return skupper_site(name, ours=False, **parts)


def network(*entries: tuple[Obj, list[tuple[str, Obj, bool]]]) -> list[Obj]:
    """A Site's status.network: the Sites, and their Links with name, other end, and whether they work."""
    return [
        {
            "id": site["metadata"]["uid"],
            "name": site["metadata"]["name"],
            "namespace": "theirs",
            "links": [
                {"name": name, "remoteSiteId": to["metadata"]["uid"], "operational": works} for name, to, works in held
            ],
        }
        for site, held in entries
    ]


def over_hub(*, works: bool = True, known_to: tuple[str, ...] = ("oslo", "berlin"), direct: Obj | None = None) -> World:
    """Sites of others: berlin (edge) has a Link to hub; hub has one to oslo (core), which works or does not.

    `known_to`: the Sites that list the network. `direct`: a Link from berlin to oslo.
    """
    oslo, berlin = theirs("oslo", host="203.0.113.7"), theirs("berlin")
    listed = network((oslo, []), (berlin, [("up-link", HUB, True)]), (HUB, [("down-link", oslo, works)]))
    for site in (oslo, berlin):
        if site["metadata"]["name"] in known_to:
            site["status"]["network"] = listed
    world = converged(topology())
    for place, site in ((CORE, oslo), (EDGE, berlin)):
        world.drop(place, "Site")
        world.put(place, site)
        world.wanted[place] = [one for one in world.wanted[place] if one["kind"] != "Site"]
    world.drop(EDGE, "Link")
    world.put(EDGE, link("up-link", to=HUB, ours=False))
    if direct is not None:
        world.put(EDGE, direct)
    for number in range(3):
        world.put(EDGE, service(f"hazelcast-{number}", owner=berlin, created=EARLY))
    return world
