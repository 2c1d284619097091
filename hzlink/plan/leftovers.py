"""Finds tokens and grants of an interrupted run of hzlink. Pure.

Objects that hzlink makes itself have its labels. The skupper CLI chooses the name and labels of its AccessGrant, but
accepts any window: hzlink's window is a minute and a fraction of a second that is a hash of the topology and the
sites, so that it identifies the grant. The CLI takes the name of an AccessToken from the file, but not its labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

from hzlink.model import objects
from hzlink.model.objects import Object, Ref
from hzlink.model.topology import MANAGED_BY, MANAGER, Site, Topology
from hzlink.observe import links
from hzlink.observe.snapshot import Snapshot


def grant_window(topology_name: str, issuer: Site, redeemer: Site) -> str:
    """How long a token of this link can be redeemed, as a Go duration: 1m0.123456781s.

    The last digit is never 0, because Go would omit it.
    """
    digest = hashlib.sha256(f"{topology_name}/{issuer.name}/{redeemer.name}".encode()).hexdigest()
    return f"1m0.{int(digest, 16) % 10**8:08d}1s"


def grants(topology: Topology, snapshots: Iterable[Snapshot]) -> frozenset[str]:
    """The UIDs of hzlink's AccessGrants, which are the last part of the URLs of the tokens made from them."""
    found = set()
    for snapshot in snapshots:
        windows = {grant_window(topology.name, snapshot.site, other) for other in topology.sites}
        for item in snapshot.of("AccessGrant"):
            if objects.is_ours(item, topology.name) or has_window(item, windows):
                found.add(objects.uid(item))
    return frozenset(filter(None, found))


def _is_token(topology: Topology, item: Object, granted: Collection[str]) -> bool:
    """Whether an object is hzlink's AccessToken: labelled, or made from a grant of hzlink (`granted`)."""
    if item.get("kind") != "AccessToken":
        return False
    grant = str(objects.spec(item).get("url") or "").rpartition("/")[2]
    return objects.is_ours(item, topology.name) or grant in granted


def refs(
    topology: Topology, snapshot: Snapshot, names: Collection[str] = (), granted: Collection[str] = ()
) -> tuple[Ref, ...]:
    """The tokens and grants of hzlink at a site. Between runs there are none, unless a run was interrupted.

    `names`: the names that hzlink gives to Links. A token with such a name is hzlink's if the Link or the Site is.
    `granted`: the UIDs of hzlink's grants at all sites.
    """
    windows = {grant_window(topology.name, snapshot.site, other) for other in topology.sites}
    named = {links.token_of(link) for link in snapshot.of("Link") if objects.is_ours(link, topology.name)}
    if any(is_made_by_hzlink(site) for site in snapshot.of("Site")):
        named |= set(names)
    return tuple(
        objects.ref(item)
        for item in (*snapshot.of("AccessToken"), *snapshot.of("AccessGrant"))
        if objects.is_ours(item, topology.name)
        or has_window(item, windows)
        or _is_token(topology, item, granted)
        or (item["kind"] == "AccessToken" and objects.name(item) in named)
    )


def unmarked_links(
    topology: Topology, snapshot: Snapshot, names: Collection[str], granted: Collection[str] = ()
) -> tuple[Object, ...]:
    """Links that an interrupted run of hzlink made but did not label.

    Either hzlink's token of that name exists; or the Link has one of the names that hzlink gives (`names`), and Skupper
    made it for a Site of hzlink, which owns it. At a Site of others only the token shows it: the skupper CLI does not
    keep the token's labels, but its URL names the grant. `granted`: the UIDs of hzlink's grants at all sites.
    """
    tokens = {objects.name(item) for item in snapshot.of("AccessToken") if _is_token(topology, item, granted)}
    sites = [objects.uid(item) for item in snapshot.of("Site") if is_made_by_hzlink(item)]
    return tuple(
        link
        for link in snapshot.of("Link")
        # One with the label of another topology is shared with it.
        if not is_made_by_hzlink(link)
        and (
            links.token_of(link) in tokens
            or (links.token_of(link) in names and any(objects.is_owned_by(link, site) for site in sites))
        )
    )


def is_made_by_hzlink(item: Object) -> bool:
    """Whether hzlink made the object, for any topology."""
    return objects.labels(item).get(MANAGED_BY) == MANAGER


def has_window(item: Object, windows: set[str]) -> bool:
    """Whether an object is a grant with one of these windows, for one redemption."""
    wanted = objects.spec(item)
    return (
        item.get("kind") == "AccessGrant"
        and wanted.get("redemptionsAllowed") == 1
        and wanted.get("expirationWindow") in windows
    )
