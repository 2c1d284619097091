"""Leftover tokens and grants: which are hzlink's, and which steps remove them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from hzlink.model.choices import Role
from hzlink.model.topology import Site
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import leftovers, planner, teardown
from hzlink.plan.leftovers import grant_window
from hzlink.plan.planner import Action
from sandbox.skupper import durations
from tests.unit.builders import CORE, EDGE, WEST, Obj, converged, item, link, topology

names = st.text(min_size=1, max_size=40)


def grant(name: str, window: str, uses: int = 1, *, ours: bool = False) -> Obj:
    return item("AccessGrant", name, spec={"redemptionsAllowed": uses, "expirationWindow": window}, ours=ours)


OURS = grant_window("hazelcast", CORE, EDGE)


@given(names, names, names)
def test_grant_window_survives_gos_duration_format(topology_name: str, issuer: str, redeemer: str) -> None:
    ends = (Site(name, Role.CLIENT, "ctx", "ns") for name in (issuer, redeemer))
    window = grant_window(topology_name, *ends)
    assert 60 < durations.parse(window) < 61, "the CLI takes no less than a minute"
    assert re.fullmatch(r"1m0\.\d{8}1s", window)
    assert durations.show(durations.parse(window)) == window


def test_each_link_has_its_own_grant_window() -> None:
    pairs = [(CORE, EDGE), (EDGE, CORE), (CORE, WEST), (WEST, CORE)]
    windows = {grant_window(name, *pair) for pair in pairs for name in ("hazelcast", "other")}
    assert len(windows) == 8


def test_only_hzlinks_tokens_and_grants_are_found() -> None:
    there = [
        grant("core-1234", OURS),
        grant("labelled", "15m0s", ours=True),
        item("AccessToken", "hazelcast-core", ours=True),
        # Similar objects that are not hzlink's.
        grant("core-5678", "1m0s"),
        grant("core-9999", OURS, uses=2),
        grant("core-0000", grant_window("other", CORE, EDGE)),
        item("AccessToken", "core-1234"),
        item("ConfigMap", "core-1234", spec={"redemptionsAllowed": 1, "expirationWindow": OURS}),
    ]
    found = leftovers.refs(topology(), Snapshot(CORE, tuple(there)))
    assert [str(ref) for ref in found] == [
        "accesstokens.skupper.io/hazelcast-core",
        "accessgrants.skupper.io/core-1234",
        "accessgrants.skupper.io/labelled",
    ]


def test_token_without_labels_is_hzlinks_if_its_link_or_site_is() -> None:
    token, names = item("AccessToken", "hazelcast-core"), {"hazelcast-core"}

    def found(*there: Obj) -> list[str]:
        return [ref.name for ref in leftovers.refs(topology(), Snapshot(EDGE, (token, *there)), names)]

    assert found(link("hazelcast-core", ours=True)) == ["hazelcast-core"]
    assert found(item("Site", "edge", ours=True)) == ["hazelcast-core"]
    assert found(item("Site", "edge"), item("Link", "hazelcast-core")) == []
    other = Snapshot(EDGE, (item("AccessToken", "x"), item("Site", "edge", ours=True)))
    assert leftovers.refs(topology(), other, names) == ()


def test_working_topology_with_leftovers_needs_only_tidy() -> None:
    world = converged()
    world.live[CORE].append(grant("core-1234", OURS))
    [step] = planner.make(world.topology, world.wanted, world.snapshots())
    assert (step.action, step.site, [ref.name for ref in step.refs]) == (Action.CLEAN_UP, CORE, ["core-1234"])
    assert step.writes


def test_link_without_labels_is_labelled() -> None:
    world = converged()
    made = world.find(EDGE, "Link")
    del made["metadata"]["labels"]
    [step] = planner.make(world.topology, world.wanted, world.snapshots())
    assert (step.action, step.site, step.items, step.refs) == (Action.CLEAN_UP, EDGE, (made,), ())


def test_foreign_link_is_not_labelled() -> None:
    world = converged()
    world.put(EDGE, link("by-hand", owner=world.find(EDGE, "Site"), ours=False))
    made = world.find(EDGE, "Link", "hazelcast-core")
    del made["metadata"]["labels"]
    del made["metadata"]["ownerReferences"]
    assert planner.make(world.topology, world.wanted, world.snapshots()) == []
    # Its token shows that it is hzlink's.
    world.live[EDGE].append(item("AccessToken", "hazelcast-core", ours=True))
    [step] = planner.make(world.topology, world.wanted, world.snapshots())
    assert (step.items, [ref.name for ref in step.refs]) == ((made,), ["hazelcast-core"])


def test_link_at_a_site_of_others_is_found_by_the_grant_of_its_token() -> None:
    """The skupper CLI made the token: it has no labels. hzlink was killed before it labelled the Link."""
    world = converged()
    site = world.find(EDGE, "Site")
    del site["metadata"]["labels"]
    made = link("hazelcast-core", owner=site, ours=False, to=world.find(CORE, "Site"))
    world.put(EDGE, made)
    world.live[CORE].append(grant("core-1234", OURS))
    url = "https://203.0.113.7:9090/uid-AccessGrant-core-1234"
    world.live[EDGE].append(item("AccessToken", "hazelcast-core", spec={"url": url}))
    # A Link of others with a token of theirs.
    world.live[EDGE].append(item("AccessToken", "by-hand", spec={"url": "https://203.0.113.7:9090/uid-other"}))
    world.live[EDGE].append(link("by-hand", owner=site, ours=False))

    steps = planner.leftover_steps(world.topology, world.snapshots())

    at_edge = next(step for step in steps if step.site == EDGE)
    assert (at_edge.items, [ref.name for ref in at_edge.refs]) == ((made,), ["hazelcast-core"])
    snapshots = world.snapshots()
    granted = leftovers.grants(world.topology, snapshots.values())
    removed = [str(ref) for ref in teardown.make(world.topology, snapshots[EDGE], granted=granted).refs]
    assert removed.index("accesstokens.skupper.io/hazelcast-core") < removed.index("links.skupper.io/hazelcast-core")
    assert not any("by-hand" in ref for ref in removed)
    assert "sites.skupper.io/edge" not in removed
    # Without the grant nothing shows that they are hzlink's.
    left = teardown.make(world.topology, snapshots[EDGE]).refs
    assert not any(ref.name == "hazelcast-core" for ref in left)


def test_tidy_runs_before_link() -> None:
    world = converged()
    world.drop(EDGE, "Link")
    world.live[CORE].append(grant("core-1234", OURS))
    world.live[EDGE].append(item("AccessToken", "hazelcast-core", ours=True))
    steps = {step.key: step for step in planner.make(world.topology, world.wanted, world.snapshots())}
    assert {"core/tidy", "edge/tidy"} <= steps["edge/link"].needs


def test_down_removes_the_grant_that_the_cli_left() -> None:
    found = teardown.make(topology(), Snapshot(CORE, (grant("core-1234", OURS), grant("core-5678", "1m0s"))))
    assert [str(ref) for ref in found.refs] == ["accessgrants.skupper.io/core-1234"]
