"""Finds the way between two Sites that are linked over other Sites, whoever linked them. Pure.

Skupper's routers forward traffic over any number of Sites. Each Site lists the Sites that it reaches, with their
Links, in `status.network`. The Links in observed namespaces are read as objects, which are more current.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from hzlink.model import conditions, objects
from hzlink.model.choices import Role
from hzlink.model.conditions import Condition, State
from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.observe import links
from hzlink.observe.snapshot import Snapshots

NOT_OPERATIONAL = "Not Operational"


@dataclass(frozen=True)
class WayLink:
    """One Link of a way. `near` and `far`: the Sites that it connects, in the direction of the way.

    `holder`: the one that has the Link object. A Site that is not part of the topology has no context.
    """

    name: str
    near: Site
    far: Site
    holder: Site
    condition: Condition
    since: datetime | None = None

    @property
    def ends(self) -> str:
        """Both Sites as text."""
        return f"{self.near.name} > {self.far.name}"


@dataclass(frozen=True)
class Way:
    """The way from one Site to another, with two or more Links.

    `problem`: why traffic does not flow although all its Links are operational; empty if it flows or a Link is down.
    """

    links: tuple[WayLink, ...]
    problem: str = ""

    @property
    def between(self) -> tuple[Site, ...]:
        """The Sites between both ends."""
        return tuple(link.far for link in self.links[:-1])

    @property
    def text(self) -> str:
        """The Sites of the way, from end to end: edge > hub > core."""
        return " > ".join((self.links[0].near.name, *(link.far.name for link in self.links)))

    @property
    def down(self) -> tuple[WayLink, ...]:
        """Its Links that are not operational."""
        return tuple(link for link in self.links if not link.condition.ok)

    @property
    def condition(self) -> Condition:
        """Whether traffic flows on it, and why not."""
        if self.down:
            first = self.down[0]
            said = f": {first.condition.text}" if first.condition.text else ""
            text = f"way {self.text}: Link {first.name} ({first.ends}) is down{said}"
            return Condition(first.condition.state, text)
        if self.problem:
            return Condition(State.WAITING, self.problem)
        return Condition(State.OK, f"through {', '.join(site.name for site in self.between)}")


def find(snapshots: Snapshots, one: Site, other: Site, ignored: Collection[str] = ()) -> Way | None:
    """The way over other Sites; None if there is none. A way without a broken Link is preferred, then a short one.

    The `status.network` of both Sites must contain a way that works: that of one may be outdated. Direct Links between
    both ends do not count, because `links.between` reads them. `ignored`: UIDs of Links that do not count.
    """
    ends = [snapshots[site].skupper_site for site in (one, other)]
    if ends[0] is None or ends[1] is None:
        return None
    first, last = (objects.uid(end or {}) for end in ends)
    observed = _observed(snapshots, ignored)
    views = [_View(end or {}, observed) for end in ends]
    graph = _Graph(snapshots, views, {first, last})
    path = graph.path(first, last)
    if path is None:
        return None
    found = Way(tuple(graph.links(path)))
    unlisted = [
        f"the Site of {site.name} does not list {graph.site(uid).name}"
        for site, view in zip((one, other), views, strict=True)
        for uid in path
        if uid not in view.entries
    ]
    if found.down or not unlisted:
        return found
    return Way(found.links, f"way {found.text}: {unlisted[0]} in its network")


def not_linked(snapshots: Snapshots, one: Site, other: Site) -> str:
    """That there is no way, with the other Sites that each of both ends reaches, if it reaches any.

    Skupper forgets a Link of a Site of others some time after the Site at its other end is out of reach.
    """
    found = {site: _reached(snapshots, site, (one, other)) for site in (one, other)}
    if not any(found.values()) or set(found[one]) & set(found[other]):
        # In the second case one of them is outdated.
        return "not linked"
    stated = [f"{site.name} reaches {', '.join(names) or 'no other Site'}" for site, names in found.items()]
    return f"not linked: {', '.join(stated)}"


def _reached(snapshots: Snapshots, site: Site, ends: Collection[Site]) -> list[str]:
    view = _View(snapshots[site].skupper_site or {}, {})
    known = {objects.uid(snapshots[end].skupper_site or {}) for end in ends}
    return sorted(_name(entry) for uid, entry in view.entries.items() if uid not in known)


@dataclass(frozen=True)
class _Edge:
    """A Link between two Sites, by their UIDs."""

    holder: str
    name: str
    peer: str
    condition: Condition
    since: datetime | None = None


def _observed(snapshots: Snapshots, ignored: Collection[str]) -> dict[str, list[_Edge]]:
    """The Links of the observed Sites, by the Site's UID."""
    found: dict[str, list[_Edge]] = {}
    for snapshot in snapshots.values():
        if snapshot.skupper_site is None:
            continue
        uid = objects.uid(snapshot.skupper_site)
        present = [link for link in snapshot.of("Link") if not links.is_orphan(snapshot, link)]
        found[uid] = [_edge(uid, link) for link in present if objects.uid(link) not in ignored]
    return found


def _edge(holder: str, link: Object) -> _Edge:
    peer = str(objects.status(link).get("remoteSiteId") or "")
    return _Edge(holder, objects.name(link), peer, conditions.skupper(link), conditions.since(link))


class _View:
    """What a Site says of its network: its entries by UID, and their Links."""

    def __init__(self, site: Object, observed: Mapping[str, list[_Edge]]) -> None:
        listed = objects.status(site).get("network")
        mappings = [one for one in (listed if isinstance(listed, list) else []) if isinstance(one, Mapping)]
        self.entries = {str(entry.get("id")): entry for entry in mappings}
        recorded = [edge for uid, entry in self.entries.items() if uid not in observed for edge in _records(uid, entry)]
        self.edges = [*recorded, *(edge for edges in observed.values() for edge in edges)]


def _records(uid: str, entry: Mapping[str, Any]) -> Iterator[_Edge]:
    for link in entry.get("links") or []:
        good = bool(link.get("operational"))
        condition = Condition(State.OK) if good else Condition(State.BROKEN, NOT_OPERATIONAL)
        yield _Edge(uid, _name(link), str(link.get("remoteSiteId") or ""), condition)


def _name(entry: Mapping[str, Any]) -> str:
    """The name in an entry. A Site of others reports it, so it may contain anything."""
    return re.sub(r"[^A-Za-z0-9.-]", "?", str(entry.get("name") or ""))


class _Graph:
    """The Sites and Links that both ends know."""

    def __init__(self, snapshots: Snapshots, views: list[_View], ends: set[str]) -> None:
        self._sites = {
            objects.uid(snapshot.skupper_site): site
            for site, snapshot in snapshots.items()
            if snapshot.skupper_site is not None
        }
        self._entries = {uid: entry for view in views for uid, entry in view.entries.items()}
        self._best: dict[frozenset[str], _Edge] = {}
        for edge in _merged(views):
            pair = frozenset((edge.holder, edge.peer))
            known = edge.peer in self._sites or edge.peer in self._entries
            if len(pair) < 2 or pair == ends or not known:
                continue
            if pair not in self._best or (edge.condition.ok and not self._best[pair].condition.ok):
                self._best[pair] = edge

    def site(self, uid: str) -> Site:
        """The topology's site; for another Site one without context, with its Skupper name."""
        entry = self._entries.get(uid) or {}
        return self._sites.get(uid) or Site(_name(entry) or uid, Role.HUB, "", str(entry.get("namespace") or ""))

    def path(self, first: str, last: str) -> list[str] | None:
        """The UIDs on the way with the fewest broken Links, then the fewest Links."""
        costs = {first: (0, 0)}
        paths = {first: [first]}
        todo = [first]
        while todo:
            here = min(todo, key=lambda uid: (costs[uid], uid))
            todo.remove(here)
            if here == last:
                return paths[here]
            for pair, edge in sorted(self._best.items(), key=lambda item: sorted(item[0])):
                if here not in pair:
                    continue
                [there] = pair - {here}
                cost = (costs[here][0] + (not edge.condition.ok), costs[here][1] + 1)
                if there not in costs or cost < costs[there]:
                    costs[there], paths[there] = cost, [*paths[here], there]
                    todo.append(there)
        return None

    def links(self, path: list[str]) -> Iterator[WayLink]:
        """The Links on a path."""
        for near, far in pairwise(path):
            edge = self._best[frozenset((near, far))]
            yield WayLink(
                edge.name, self.site(near), self.site(far), self.site(edge.holder), edge.condition, edge.since
            )


def _merged(views: list[_View]) -> list[_Edge]:
    """The Links of all views, each once: one that a view says is down is down."""
    found: dict[tuple[str, str, str], _Edge] = {}
    for edge in (edge for view in views for edge in view.edges):
        key = (edge.holder, edge.name, edge.peer)
        if key not in found or (found[key].condition.ok and not edge.condition.ok):
            found[key] = edge
    return list(found.values())
