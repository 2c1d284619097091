"""Checks whether Management Center supports the members' version. Pure.

It supports members of its own minor version and of the previous one (documentation of Management Center, on rolling
upgrades).
"""

from __future__ import annotations

from collections.abc import Mapping

from hzlink.checks.records import Check, Finding, Severity
from hzlink.model import versions
from hzlink.model.choices import Mode, Role
from hzlink.model.topology import Site, Topology
from hzlink.model.versions import Version
from hzlink.observe import membership
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import upgrade
from hzlink.programs import hints

# The images of the bundled manifests; a test compares them.
MEMBER_IMAGE = "hazelcast/hazelcast:5.5.0"
MANCENTER_IMAGE = "hazelcast/management-center:5.5.2"
_CONTAINER = "mancenter"
MANCENTER_VERSION = Check(
    "mancenter-version",
    "Management Center supports the members' version",
    "use a Management Center of the members' minor version",
    Severity.WARNING,
)


def at_site(topology: Topology, snapshots: Mapping[Site, Snapshot], site: Site) -> list[Finding]:
    """The finding at a client site, if both versions are known: the members' wanted one, and Management Center's."""
    if site.role is not Role.CLIENT or topology.settings.mode is Mode.UNISOCKET:
        return []
    members = versions.parse(_members_version(topology, snapshots))
    deployed = upgrade.image_of(snapshots[site].get("Deployment", topology.mancenter), _CONTAINER)
    chosen = topology.settings.mancenter_image or deployed or MANCENTER_IMAGE
    center = versions.parse(versions.of_image(chosen))
    if members is None or center is None:
        return []
    if fits(center, members):
        return [MANCENTER_VERSION.passed(site, f"Management Center {center}, members {members}")]
    return [
        MANCENTER_VERSION.failed(
            site,
            f"Management Center {center} may not support members of version {members}",
            subject=f"Deployment {topology.mancenter}",
            said="it supports members of its own minor version and of the previous one",
            then=hints.hzlink("up --mancenter-image IMAGE"),
        )
    ]


def _members_version(topology: Topology, snapshots: Mapping[Site, Snapshot]) -> str:
    """The version of the wanted members, or of those that hzlink did not deploy, as their logs say."""
    if topology.found is None:
        return versions.of_image(topology.settings.image or MEMBER_IMAGE)
    found = membership.identities(snapshots[topology.cluster].member_log or "")
    return next((identity.version for identity in found.values()), "")


def fits(center: Version, members: Version) -> bool:
    """Whether that version of Management Center supports these members."""
    return center.major == members.major and 0 <= center.minor - members.minor <= 1
