"""Skupper Sites that hzlink did not make. hzlink uses them, and never removes them. Pure.

It changes one only with consent, see consent.py.
"""

from __future__ import annotations

import json
from shlex import quote

from hzlink.model import conditions, objects
from hzlink.model.choices import Role
from hzlink.model.errors import PrerequisiteError
from hzlink.model.objects import Object
from hzlink.model.topology import MANAGED_BY, MANAGER, PART_OF, Topology
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import consent
from hzlink.programs import hints


def is_foreign(topology: Topology, site: Object | None) -> bool:
    """Whether there is a Skupper Site and hzlink did not make it for this topology."""
    return site is not None and not objects.is_ours(site, topology.name)


def other_topology(topology: Topology, site: Object | None) -> str:
    """The name of another topology for which hzlink made the Site; empty if there is none.

    Then both topologies use the Site (sharing.py).
    """
    marks = objects.labels(site or {})
    part = marks.get(PART_OF, "") if marks.get(MANAGED_BY) == MANAGER else ""
    return part if part != topology.name else ""


def made_by(topology: Topology, site: Object | None) -> str:
    """Who made a foreign Site, as a relative clause."""
    other = other_topology(topology, site)
    return f"which hzlink made for topology {other}" if other else "which hzlink did not make"


def can_issue(topology: Topology, snapshot: Snapshot) -> bool:
    """Whether other sites can link to this site, now or after hzlink has made them able to."""
    site = snapshot.skupper_site
    if not is_foreign(topology, site) or topology.settings.link_host is not None:
        return True
    return bool(conditions.address(site)) or objects.spec(site or {}).get("linkAccess") not in (None, "", "none")


def no_link_access_error(topology: Topology, snapshot: Snapshot) -> PrerequisiteError:
    """The error for a Site without link access that would have to issue. Only its owner may change its link access."""
    site, found = snapshot.site, snapshot.skupper_site or {}
    name = objects.name(found)
    new = consent.value(topology)
    allow = json.dumps({"spec": {"linkAccess": new}}, separators=(",", ":"))
    enable = hints.kubectl(site, f"patch sites.skupper.io {quote(name)} --type merge -p '{allow}'")
    option = hints.hzlink("up --enable-link-access")
    other = "client" if site.role is Role.CLUSTER else "cluster"
    otherwise = (
        "use another namespace of the hub: --hub-ns"
        if site.role is Role.HUB
        else f"let the other side issue: {hints.hzlink(f'up --link-from {other}')}"
    )
    return PrerequisiteError(
        f"{site.name} cannot issue a token: others cannot link to its Skupper Site, {made_by(topology, found)}",
        site=site.name,
        subject=f"Site {name}",
        said=f"linkAccess {objects.spec(found).get('linkAccess') or 'none'}, no address; it would have to be {new}",
        next_step=f"{option}   (sets that, and `down` sets it back; or do it yourself: {enable}; or {otherwise})",
    )
