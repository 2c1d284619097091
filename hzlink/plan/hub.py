"""A topology with a hub: its direct Links, and Links to a former hub, are not replaced in one run. Pure."""

from __future__ import annotations

from itertools import permutations

from hzlink.model import conditions, objects
from hzlink.model.errors import PrerequisiteError
from hzlink.model.objects import Object
from hzlink.model.topology import Site, Topology
from hzlink.observe import links
from hzlink.observe.snapshot import Snapshots
from hzlink.plan import planner
from hzlink.programs import hints


def switch_errors(topology: Topology, snapshots: Snapshots) -> list[PrerequisiteError]:
    """An error for each Link of hzlink that another kind of topology needs: a direct one, or one to a former hub.

    Without this, the former Links would remain beside the new ones, and a former hub's Site would not be removed.
    """
    if topology.hub is not None:
        pairs = permutations((topology.cluster, *topology.clients), 2)
        found = [(pair[0], link) for pair in pairs if (link := links.between(snapshots, *pair)) is not None]
        direct, first = "the sites are linked directly, without a hub", f"{hints.hzlink('down')}   (without a hub"
        return [_error(site, link, direct, first) for site, link in found if objects.is_ours(link, topology.name)]
    sites = [snapshot.skupper_site or {} for snapshot in snapshots.values()]
    names = {planner.link_name(topology, objects.name(site)) for site in sites}
    over, first = "the sites are linked over a hub", f"{hints.hzlink('down')}   (with that hub: --hub-ctx"
    return [
        _error(site, link, over, first)
        for site, snapshot in snapshots.items()
        for link in snapshot.of("Link")
        # Not a Link to a former Site of the same name, which is repaired.
        if objects.is_ours(link, topology.name) and conditions.skupper(link).ok
        if links.token_of(link) not in names and _remote(link) not in {"", *map(objects.uid, sites)}
    ]


def _remote(link: Object) -> str:
    return str(objects.status(link).get("remoteSiteId") or "")


def _error(site: Site, link: Object, how: str, first: str) -> PrerequisiteError:
    remote = objects.status(link).get("remoteSiteName") or "another Site"
    return PrerequisiteError(
        f"{how}: hzlink does not change that in one run",
        site=site.name,
        subject=f"Link {objects.name(link)}",
        said=f"hzlink made it, and it leads to {remote}",
        next_step=f"{first}, then `hzlink up`; the members' data is lost)",
    )
