"""A topology that gets, leaves or changes its hub: which Links it no longer has. Pure.

The new Links are made first, so that traffic always has a way. hub_steps.py plans what follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from hzlink.model import conditions, objects
from hzlink.model.errors import PrerequisiteError
from hzlink.model.objects import Object
from hzlink.model.topology import Site, Topology
from hzlink.observe import links
from hzlink.observe.snapshot import Snapshots
from hzlink.plan import sharing
from hzlink.programs import hints


def replaced_links(topology: Topology, snapshots: Snapshots) -> dict[Site, list[Object]]:
    """hzlink's Links of this topology that it no longer has, by the site that holds them.

    Direct ones if it has a hub, and those to its former hub.
    """
    return _by_site((site, link) for site, _, link in _replaced(topology, snapshots))


def removable_links(topology: Topology, snapshots: Snapshots) -> dict[Site, list[Object]]:
    """The same, without those that another topology uses: it has both their ends."""
    users = sharing.users(topology, snapshots)
    found = _replaced(topology, snapshots)
    return _by_site((site, link) for site, peer, link in found if not users.get(site, set()) & users.get(peer, set()))


def replaced_uids(topology: Topology, snapshots: Snapshots) -> frozenset[str]:
    """The UIDs of the replaced Links. A way that has one of them does not count: it will not exist any more."""
    return frozenset(objects.uid(link) for found in replaced_links(topology, snapshots).values() for link in found)


def _replaced(topology: Topology, snapshots: Snapshots) -> Iterator[tuple[Site, Site, Object]]:
    """The replaced Links, with the site that holds them and the site that they lead to."""
    ends = (topology.cluster, *topology.clients)
    pairs = list(permutations(ends, 2)) if topology.hub is not None else []
    found = [(site, peer, link) for site, peer in pairs for link in links.all_between(snapshots, site, peer)]
    if (former := topology.former_hub) is not None:
        found += [(site, former, link) for site in ends for link in _to_former_hub(topology, former, snapshots, site)]
    return ((site, peer, link) for site, peer, link in found if objects.is_ours(link, topology.name))


def _to_former_hub(topology: Topology, former: Site, snapshots: Snapshots, site: Site) -> list[Object]:
    """The Links to the former hub; by their name if its Site cannot be read or no longer exists."""
    if former in snapshots and (found := links.all_between(snapshots, site, former)):
        return found
    current = {objects.uid(link) for link in links.all_between(snapshots, site, topology.target)}
    named = links.of_token(snapshots[site].of("Link"), links.name_for(topology.name, former.name))
    return [link for link in named if objects.uid(link) not in current]


def _by_site(found: Iterator[tuple[Site, Object]]) -> dict[Site, list[Object]]:
    result: dict[Site, list[Object]] = {}
    for site, link in found:
        result.setdefault(site, []).append(link)
    return result


def unknown_hub_errors(topology: Topology, snapshots: Snapshots) -> list[PrerequisiteError]:
    """An error for each working Link of hzlink to a hub that this machine has no record of.

    Without its place, that hub's Site would remain, and so would the Links to it.
    """
    if topology.hub is not None:
        return []
    sites = [snapshot.skupper_site or {} for snapshot in snapshots.values()]
    names = {links.name_for(topology.name, objects.name(site)) for site in sites}
    known = replaced_uids(topology, snapshots)
    next_step = (
        f"{hints.hzlink('up --hub-ctx HUB')}   (with that hub; writes nothing, and records it; then `hzlink up "
        "--hub-ctx ''` leaves it)"
    )
    return [
        _error("the sites are linked over a hub, and this machine does not know which", site, link, next_step)
        for site, snapshot in snapshots.items()
        for link in snapshot.of("Link")
        # Not a Link to a former Site of the same name, which is repaired.
        if objects.is_ours(link, topology.name) and conditions.skupper(link).ok and objects.uid(link) not in known
        if links.token_of(link) not in names and _remote(link) not in {"", *map(objects.uid, sites)}
    ]


def switch_errors(topology: Topology, snapshots: Snapshots) -> list[PrerequisiteError]:
    """An error for each Link that only `up` replaces, because that changes the Sites, too."""
    next_step = f"{hints.hzlink('up')}   (makes the new links first, then removes this one)"
    how = "the sites are linked directly" if topology.hub is not None else "the sites are linked over their former hub"
    replaced = replaced_links(topology, snapshots)
    found = [_error(how, site, link, next_step) for site, present in replaced.items() for link in present]
    return found + unknown_hub_errors(topology, snapshots)


def _remote(link: Object) -> str:
    return str(objects.status(link).get("remoteSiteId") or "")


def _error(how: str, site: Site, link: Object, next_step: str) -> PrerequisiteError:
    remote = objects.status(link).get("remoteSiteName") or "another Site"
    return PrerequisiteError(
        how,
        site=site.name,
        subject=f"Link {objects.name(link)}",
        said=f"hzlink made it, and it leads to {remote}",
        next_step=next_step,
    )
