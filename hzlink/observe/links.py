"""Which Link leads from one site to another, and which of Skupper's objects have lost their Site. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hzlink.model import conditions, objects
from hzlink.model.objects import Object
from hzlink.model.topology import MANAGED_BY, MANAGER, Site
from hzlink.observe.snapshot import Snapshot, Snapshots


def between(snapshots: Snapshots, redeemer: Site, issuer: Site) -> Object | None:
    """The Link in the redeemer's namespace that leads to the issuer, made by any tool; the healthiest of several.

    One whose own Site is no more does not count, whatever it says of itself: the garbage collector is on its way.
    """
    peer = snapshots[issuer].skupper_site
    if peer is None:
        return None
    names = [objects.name(one.skupper_site) for one in snapshots.values() if one.skupper_site is not None]
    there = [link for link in snapshots[redeemer].of("Link") if not is_orphan(snapshots[redeemer], link)]
    found = [link for link in there if _leads_to(link, peer, names)]
    return max(found, key=lambda link: conditions.skupper(link).ok, default=None)


def all_between(snapshots: Snapshots, redeemer: Site, issuer: Site) -> list[Object]:
    """The same with all Links that came from its token, by name: one for each router of a Site with `ha`."""
    link = between(snapshots, redeemer, issuer)
    return [] if link is None else of_token(snapshots[redeemer].of("Link"), token_of(link))


def token_of(link: Object) -> str:
    """The name of the token that a Link came from, which is that of its Secret, too.

    Skupper 2.2 names the Link after the token; where the issuing Site has several routers, NAME-1, NAME-2 (tried).
    """
    return str(objects.spec(link).get("tlsCredentials") or objects.name(link))


def of_token(links: Iterable[Object], token: str) -> list[Object]:
    """The Links that came from a token, by name."""
    return sorted((link for link in links if token_of(link) == token), key=objects.name)


def uncovered(links: Iterable[Object], peer: Object | None) -> dict[str, str]:
    """The addresses of the peer Site that none of the Links leads to, by the router's group.

    Empty where the Links do not say where they lead to. A Site's addresses follow its load balancers within a second,
    a Link's stay what they were; one made before `ha` leads to the first router only (Skupper 2.2.1, tried).
    """
    hosts = {host for link in links for host in conditions.link_hosts(link).values()}
    return {group: host for group, host in conditions.addresses(peer).items() if hosts and host not in hosts}


def have_moved(links: Sequence[Object], peer: Object | None) -> bool:
    """Whether the Links lead to no address that the peer Site still has.

    Not one of others that is Ready: it may go by a name of its own.
    """
    if any(conditions.skupper(link).ok and objects.labels(link).get(MANAGED_BY) != MANAGER for link in links):
        return False
    left = uncovered(links, peer)
    return bool(left) and left == conditions.addresses(peer)


def by_way_of(snapshots: Snapshots, one: Site, other: Site) -> list[str]:
    """The names of the Sites by way of which two others are in one network; empty where they are not.

    Both Sites have to know each other, and the Links on the way to be operational, by each Site's `status.network`.
    """
    near, far = snapshots[one].skupper_site, snapshots[other].skupper_site
    if near is None or far is None:
        return []
    first, last = objects.uid(near), objects.uid(far)
    ways = [_way(end, first, last) for end in (near, far)]
    return ways[0] if all(ways) else []


def _way(site: Object, first: str, last: str) -> list[str]:
    """The names of the Sites on the shortest way, of two Links or more, that the Site's network has."""
    entries = {str(entry.get("id")): entry for entry in objects.status(site).get("network") or []}
    pairs = {
        (uid, str(link.get("remoteSiteId")))
        for uid, entry in entries.items()
        for link in entry.get("links") or []
        if link.get("operational")
    }
    # The two ends' own Links are seen as objects, which are newer than any record.
    near = (pairs | {(there, here) for here, there in pairs}) - {(first, last), (last, first)}
    ways, seen = [[first]], {first}
    for way in ways:
        if way[-1] == last:
            return [str(entries[uid].get("name") or uid) for uid in way[1:-1]]
        for _, uid in sorted(pair for pair in near if pair[0] == way[-1] and pair[1] in entries):
            if uid not in seen:
                seen.add(uid)
                ways.append([*way, uid])
    return []


def _leads_to(link: Object, peer: Object, names: Sequence[str]) -> bool:
    status = objects.status(link)
    if status.get("remoteSiteId"):
        return bool(status["remoteSiteId"] == objects.uid(peer))
    remote = status.get("remoteSiteName")
    if not remote:
        # A new one has only its name, which ends in that of the Site; of `edge` and `west-edge` the longer.
        remote = max((name for name in names if token_of(link).endswith(f"-{name}")), key=len, default="")
    return bool(remote == objects.name(peer))


def is_orphan(snapshot: Snapshot, item: Object) -> bool:
    """Whether an object belongs to a Site that was deleted."""
    owners = objects.owner_uids(item, "Site")
    return bool(owners) and not owners & {objects.uid(site) for site in snapshot.of("Site")}
