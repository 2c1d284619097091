"""Finds the Links between sites, and Skupper's objects whose Site was deleted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hzlink.model import conditions, link_host, objects
from hzlink.model.objects import Object
from hzlink.model.topology import MANAGED_BY, MANAGER, Site
from hzlink.observe.snapshot import Snapshot, Snapshots


def between(snapshots: Snapshots, redeemer: Site, issuer: Site) -> Object | None:
    """The Link in the redeemer's namespace that leads to the issuer, made by any tool; a Ready one of several.

    A Link whose own Site was deleted does not count: the garbage collector will delete it.
    """
    peer = snapshots[issuer].skupper_site
    if peer is None:
        return None
    names = [objects.name(one.skupper_site) for one in snapshots.values() if one.skupper_site is not None]
    present = [link for link in snapshots[redeemer].of("Link") if not is_orphan(snapshots[redeemer], link)]
    found = [link for link in present if _leads_to(link, peer, names)]
    return max(found, key=lambda link: conditions.skupper(link).ok, default=None)


def all_between(snapshots: Snapshots, redeemer: Site, issuer: Site) -> list[Object]:
    """All Links from the token of the Link of `between`, by name: one for each router of a Site with `ha`."""
    link = between(snapshots, redeemer, issuer)
    return [] if link is None else of_token(snapshots[redeemer].of("Link"), token_of(link))


def name_for(topology_name: str, issuer: str) -> str:
    """The name that hzlink gives to a Link (and to its token and Secret) to the Site of that name."""
    return f"{topology_name}-{issuer}"


def token_of(link: Object) -> str:
    """The name of the token that a Link was made from, which is also the name of its Secret.

    Skupper 2.2 names the Link like the token, or NAME-1, NAME-2 if the issuing Site has several routers (tried).
    """
    return str(objects.spec(link).get("tlsCredentials") or objects.name(link))


def of_token(links: Iterable[Object], token: str) -> list[Object]:
    """The Links that were made from a token, by name."""
    return sorted((link for link in links if token_of(link) == token), key=objects.name)


def hosts(links: Iterable[Object]) -> list[str]:
    """The hosts that the Links connect to, each once, in their order."""
    return list(dict.fromkeys(host for link in links for host in conditions.link_hosts(link).values()))


def uncovered(links: Iterable[Object], peer: Object | None) -> dict[str, str]:
    """The addresses of the peer Site that none of the Links leads to, by the router's group.

    Empty if the Links have no endpoints, or lead to a --link-host. A Site's addresses change with its load balancers
    within a second, a Link's addresses never change; a Link made before `ha` has only the first router's (Skupper
    2.2.1, tried). Two routers may share one host, so the group counts, too, if the Link names it.
    """
    links = list(links)
    found = {pair for link in links for pair in conditions.link_hosts(link).items()}
    if any(map(link_host.of, links)):
        return {}
    addresses = conditions.addresses(peer)
    return {group: host for group, host in addresses.items() if found and not {(group, host), ("", host)} & found}


def are_outdated(links: Sequence[Object], peer: Object | None) -> bool:
    """Whether none of the Links' addresses (host and port) is a current address of the peer Site.

    False if a Link that hzlink did not make is Ready: it may use another name of the address; and if a Link leads to a
    --link-host.
    """
    if any(map(link_host.of, links)):
        return False
    if any(conditions.skupper(link).ok and objects.labels(link).get(MANAGED_BY) != MANAGER for link in links):
        return False
    found, current = _places_of(links), list(conditions.places(peer).values())
    return bool(found and current) and not any(_is_same(one, other) for one in found for other in current)


def former_and_present(links: Sequence[Object], peer: Object | None) -> tuple[str, str]:
    """The address that outdated Links lead to, and the peer Site's present address; with ports if the host is one."""
    found, current = _places_of(links)[:1], list(conditions.places(peer).values())[:1]
    same = bool(found and current) and found[0][0] == current[0][0]
    old, new = (":".join(place[0] if same else place[0][:1]) if place else "" for place in (found, current))
    return old, new


def _places_of(links: Iterable[Object]) -> list[tuple[str, str]]:
    """The places (host, port) of the routers that the Links lead to."""
    found = (conditions.routers_at(objects.spec(link).get("endpoints")) for link in links)
    return [place for one in found for place in one.values()]


def _is_same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two pairs of host and port are the same place. A node's host has a port for each Service (nodeport)."""
    return one[0] == other[0] and (one[1] == other[1] or not (one[1] and other[1]))


def _leads_to(link: Object, peer: Object, names: Sequence[str]) -> bool:
    status = objects.status(link)
    if status.get("remoteSiteId"):
        return bool(status["remoteSiteId"] == objects.uid(peer))
    remote = status.get("remoteSiteName")
    if not remote:
        # A new Link has only its name, which ends with the Site's name; the longer one of `edge` and `west-edge`.
        remote = max((name for name in names if token_of(link).endswith(f"-{name}")), key=len, default="")
    return bool(remote == objects.name(peer))


def is_orphan(snapshot: Snapshot, item: Object) -> bool:
    """Whether an object belongs to a Site that was deleted."""
    owners = objects.owner_uids(item, "Site")
    return bool(owners) and not owners & {objects.uid(site) for site in snapshot.of("Site")}
