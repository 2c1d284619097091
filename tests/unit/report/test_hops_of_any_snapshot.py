"""For any objects at the sites: no exception, at most one first broken hop, healthy only if every hop is good."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hzlink.model.choices import Goal
from hzlink.model.conditions import State
from hzlink.model.topology import Topology
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.programs.refusals import explain
from hzlink.render import mermaid, svg
from hzlink.report import document, report, wait_conditions
from tests.unit.builders import EARLY, EDGE, LATE, NOON, WEST, Obj, converged, item, topology

words = st.sampled_from([None, "Ready", "Pending", "Error", "Odd"])
moments = st.sampled_from([None, "", "no time", EARLY, NOON, LATE, "2026-01-01T12:00:00"])
messages = st.sampled_from([None, "", "OK", "No matching connectors", "No matches for selector", "\x1b[2J<b>&\n"])
types = st.sampled_from(
    ["Configured", "Running", "Resolved", "Matched", "Operational", "Ready", "Available", "PodScheduled"]
)
condition = st.fixed_dictionaries(
    {"type": types, "status": st.sampled_from(["True", "False", "Unknown"])}, optional={"lastTransitionTime": moments}
)
uids = st.sampled_from(["uid-Site-core", "uid-Site-edge", "uid-Site-west", "uid-of-nobody"])
names = st.sampled_from(["core", "edge", "west"])
network = st.lists(
    st.fixed_dictionaries(
        {"id": uids, "name": names, "namespace": st.sampled_from(["hz", "hz2"])},
        optional={
            "links": st.lists(
                st.fixed_dictionaries(
                    {"name": st.sampled_from(["hazelcast-core", "hazelcast-edge"])},
                    optional={"operational": st.booleans()},
                ),
                max_size=2,
            )
        },
    ),
    max_size=3,
)
statuses = st.fixed_dictionaries(
    {},
    optional={
        "status": words,
        "message": messages,
        "conditions": st.none() | st.lists(condition, max_size=4),
        "network": st.none() | network,
        "remoteSiteId": uids,
        "remoteSiteName": names,
        "replicas": st.integers(0, 3),
        "readyReplicas": st.integers(0, 3),
        "updatedReplicas": st.integers(0, 3),
        "containerStatuses": st.lists(
            st.fixed_dictionaries({"state": st.sampled_from([{}, None, {"waiting": {"reason": "ErrImagePull"}}])}),
            max_size=2,
        ),
    },
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "exposePodsByName": st.booleans(),
        "replicas": st.integers(0, 3),
        "linkAccess": st.sampled_from(["none", "default", ""]),
        "type": st.sampled_from(["ClusterIP", "LoadBalancer"]),
    },
)
NAMED = {
    "Site": ["core", "edge", "west"],
    "Link": ["hazelcast-core", "hazelcast-edge", "other"],
    "Listener": ["hazelcast", "other"],
    "Connector": ["hazelcast"],
    "StatefulSet": ["hazelcast"],
    "Deployment": ["hazelcast-mancenter", "skupper-router"],
    "Service": ["hazelcast", "hazelcast-0", "hazelcast-1", "hazelcast-7", "hazelcast-mancenter"],
    "Pod": ["hazelcast-0", "hazelcast-1", "hazelcast-9", "skupper-router-1"],
}
LABELS = [
    {},
    {"app": "hazelcast"},
    {"skupper.io/component": "router"},
    {"internal.skupper.io/listener": "hazelcast"},
]


@st.composite
def objects(draw: st.DrawFn) -> Obj:
    kind = draw(st.sampled_from(sorted(NAMED)))
    made: dict[str, Any] = {"labels": draw(st.sampled_from(LABELS)), "going": draw(st.booleans())}
    for part, values in (("status", st.none() | statuses), ("spec", specs)):
        made[part] = draw(values)
    return item(kind, draw(st.sampled_from(NAMED[kind])), ours=draw(st.booleans()), **made)


@st.composite
def observed_sites(draw: st.DrawFn) -> tuple[Topology, Snapshots]:
    """A working topology with some objects removed, replaced or added, or with an unreadable site."""
    topo = topology(*draw(st.sampled_from([(EDGE,), (EDGE, WEST)])), members=draw(st.integers(1, 3)))
    world = converged(topo)
    for _ in range(draw(st.integers(0, 3))):
        site = draw(st.sampled_from(topo.sites))
        losable: list[Obj | None] = [*world.live[site]] or [None]
        lost = draw(st.sampled_from(losable))
        world.live[site] = [one for one in world.live[site] if one is not lost]
    for _ in range(draw(st.integers(0, 3))):
        world.put(draw(st.sampled_from(topo.sites)), draw(objects()))
    at = draw(st.sampled_from([None, datetime(2026, 1, 1, 13, tzinfo=UTC)]))
    found = {site: replace(one, at=at) for site, one in world.snapshots().items()}
    unread = draw(st.sampled_from([None, None, None, None, *topo.sites]))
    if unread is not None:
        said = draw(st.sampled_from(["Unauthorized", 'namespaces "hz" not found', "i/o timeout", "whatever"]))
        found[unread] = Snapshot(unread, error=explain(unread, "read objects", said))
    return topo, found


@given(observed_sites())
def test_paths_of_any_objects_are_consistent(observed: tuple[Topology, Snapshots]) -> None:
    topo, found = observed
    made = report.make(topo, found)
    assert [path.client for path in made.paths] == [*topo.clients]
    for path in made.paths:
        assert len(path.hops) == 7
        bad = [hop for hop in path.hops if not hop.good]
        assert (path.broken is None) == (not bad)
        assert path.first_broken is None or path.first_broken in bad
        assert path.picture.count("[") == (path.broken is not None)
        for hop in path.hops:
            assert hop.condition.state is not State.ABSENT
            assert not hop.lag or hop.condition.state is State.WAITING
            assert hop.age is None or hop.age >= 0
            assert hop.good or hop.next_step
    assert made.healthy == all(hop.good for path in made.paths for hop in path.hops)
    if made.blamed is not None:
        assert made.blamed in made.paths
        assert made.blame == made.blamed.first_broken


@given(observed_sites())
def test_any_report_can_be_rendered(observed: tuple[Topology, Snapshots]) -> None:
    topo, found = observed
    made = report.make(topo, found)
    json.dumps(document.to_dict(made))
    assert document.without_volatile(made) == document.without_volatile(report.make(topo, found))
    for picture in (svg.draw(made), mermaid.draw(made)):
        assert [c for c in picture if not (c.isprintable() or c == "\n")] == []
    for goal in Goal:
        assert wait_conditions.condition(goal, made, found).ok or wait_conditions.condition(goal, made, found).text
    assert wait_conditions.condition(Goal.HEALTHY, made, found).ok == made.healthy
