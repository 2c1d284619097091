"""The path of each client site: states, evidence and ages of its hops, and the first broken hop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hzlink.model.conditions import State
from hzlink.report import report
from hzlink.report.hops import CLIENT, CLIENT_ROUTER, CLUSTER_ROUTER, CONNECTOR, LINK, LISTENER, MEMBERS, Path
from hzlink.report.report import Report
from tests.unit.builders import (
    CORE,
    EDGE,
    LATE,
    NOON,
    WEST,
    Obj,
    World,
    converged,
    deployment,
    item,
    link,
    offer,
    pod,
    service,
    skupper_site,
    status_conditions,
    topology,
)

NOW = datetime.fromisoformat(NOON.replace("Z", "+00:00")) + timedelta(seconds=90)
ROUTER = {"skupper.io/component": "router"}


def report_of(world: World, at: datetime | None = NOW) -> Report:
    return report.make(world.topology, {site: replace(one, at=at) for site, one in world.snapshots().items()})


def path_of(world: World, at: datetime | None = NOW) -> Path:
    return report_of(world, at).paths[0]


def test_healthy_path_has_all_hops_in_order() -> None:
    path = path_of(converged())
    assert path.picture == "Management Center > Listener > router > Link > router > Connector > members"
    assert [hop.condition.state for hop in path.hops] == [State.OK] * 7
    assert [hop.site for hop in path.hops] == [EDGE, EDGE, EDGE, EDGE, CORE, CORE, CORE]
    assert [hop.subject for hop in path.hops] == [
        *("Deployment hazelcast-mancenter", "Listener hazelcast", "Site edge", "Link hazelcast-core"),
        *("Site core", "Connector hazelcast", "StatefulSet hazelcast"),
    ]
    assert [(part.name, part.condition.state) for part in path.hops[MEMBERS].parts] == [
        (f"hazelcast-{number}", State.OK) for number in range(3)
    ]
    assert path.first_broken is None


def test_unisocket_path_starts_at_the_client() -> None:
    world = converged(topology(mode="unisocket"))
    world.put(CORE, offer("Connector", by_name=False))
    world.drop(EDGE, "Deployment")
    path = path_of(world)
    assert path.picture.startswith("client > Listener > ")
    assert path.hops[CLIENT].subject == "Service hazelcast"
    world.drop(EDGE, "Service", "hazelcast")
    path = path_of(world)
    assert path.picture.startswith("[client] > ")
    assert path.hops[CLIENT].condition.text == "no Service hazelcast for clients to connect to"


def without_mancenter(*, mancenter: bool = True) -> World:
    world = converged(topology(mancenter=mancenter))
    world.drop(EDGE, "Deployment")
    return world


def test_path_without_management_center_by_choice_starts_at_the_client() -> None:
    world = without_mancenter()
    world.find(EDGE, "Listener")["metadata"]["annotations"] = {"hzlink.io/management-center": "none"}
    path = path_of(world)
    assert path.picture.startswith("client > Listener > ")
    assert path.first_broken is None
    assert path.hops[CLIENT].subject == "Service hazelcast"
    assert path.hops[CLIENT].condition.text == "clients connect to it (Management Center is left out)"


def test_management_center_that_the_listener_expects_is_missed_whatever_the_settings_are() -> None:
    assert path_of(without_mancenter(mancenter=False)).picture.startswith("[Management Center] > ")


def test_settings_decide_on_management_center_where_there_is_no_listener() -> None:
    world = without_mancenter(mancenter=False)
    world.drop(EDGE, "Listener")
    assert path_of(world).picture.startswith("client > [Listener] > ")


Change = Callable[[World], None]


def _no_match(world: World) -> None:
    wrong = offer("Connector", False)
    wrong["status"] |= {"status": "Error", "message": "No matches for selector"}
    wrong["status"]["conditions"] = status_conditions(Configured=False, Matched=False)
    world.put(CORE, wrong)
    world.put(EDGE, offer("Listener", False))
    for number in range(3):
        world.drop(EDGE, "Service", f"hazelcast-{number}")


def _router_pod(world: World) -> None:
    world.put(EDGE, pod("skupper-router-1", "x", ready=False, waiting="CrashLoopBackOff", labels=ROUTER))


BREAKS: list[tuple[str, Change, int, State, str]] = [
    (
        "member without a pod",
        lambda w: w.drop(CORE, "Pod", "hazelcast-1"),
        MEMBERS,
        State.BROKEN,
        "hazelcast-1: no pod",
    ),
    (
        "no Site at core",
        lambda w: w.drop(CORE, "Site"),
        CLUSTER_ROUTER,
        State.BROKEN,
        "the namespace has no Skupper Site",
    ),
    (
        "Site pending",
        lambda w: w.put(EDGE, skupper_site("edge", "Pending", "waits")),
        CLIENT_ROUTER,
        State.WAITING,
        "waits",
    ),
    (
        "router crashes",
        _router_pod,
        CLIENT_ROUTER,
        State.BROKEN,
        "the Site says Ready, but pod skupper-router-1: CrashLoopBackOff",
    ),
    (
        "router without pods",
        lambda w: w.put(CORE, item("Deployment", "skupper-router")),
        CLUSTER_ROUTER,
        State.WAITING,
        "the Site says Ready, but Deployment skupper-router has no pod",
    ),
    ("not linked", lambda w: w.drop(EDGE, "Link"), LINK, State.BROKEN, "not linked"),
    ("Connector's selector", _no_match, CONNECTOR, State.BROKEN, "No matches for selector"),
    ("no Connector", lambda w: w.drop(CORE, "Connector"), CONNECTOR, State.BROKEN, "not found"),
    ("no Listener", lambda w: w.drop(EDGE, "Listener"), LISTENER, State.BROKEN, "not found"),
    (
        "a name missing",
        lambda w: w.drop(EDGE, "Service", "hazelcast-2"),
        LISTENER,
        State.BROKEN,
        "no Service for hazelcast-2",
    ),
    ("Management Center", lambda w: w.put(EDGE, deployment(ready=0)), CLIENT, State.WAITING, "0/1 ready"),
]


@pytest.mark.parametrize(
    ("change", "place", "state", "says"), [one[1:] for one in BREAKS], ids=[one[0] for one in BREAKS]
)
def test_first_broken_hop_is_marked(change: Change, place: int, state: State, says: str) -> None:
    world = converged()
    change(world)
    found = report_of(world)
    path = found.paths[0]
    place %= len(path.hops)
    assert path.broken == place
    hop = path.hops[place]
    assert (hop.condition.state, says in hop.condition.text) == (state, True), hop.condition.text
    assert hop.next_step
    assert path.picture.split(" > ")[place] == f"[{hop.stage}]"
    assert (found.blame, found.blamed) == (hop, path)


def test_down_members_are_blamed_before_the_connector() -> None:
    world = converged()
    _no_match(world)
    for number in range(3):
        world.put(CORE, pod(f"hazelcast-{number}", ready=False))
    path = path_of(world)
    assert path.first_broken is path.hops[MEMBERS]
    assert path.hops[CONNECTOR].condition.state is State.BROKEN
    assert [part.condition.state for part in path.hops[MEMBERS].parts] == [State.WAITING] * 3


def test_listener_is_blamed_before_an_unmatched_connector() -> None:
    world = converged()
    world.put(CORE, offer("Connector", False))
    world.put(EDGE, offer("Listener", False))
    world.drop(EDGE, "Service", "hazelcast-0")
    path = path_of(world)
    assert path.broken == LISTENER
    assert not path.hops[CONNECTOR].lag


@pytest.mark.parametrize(("kind", "place"), [("Listener", LISTENER), ("Connector", CONNECTOR)])
def test_lagging_condition_is_shown_and_not_blamed(kind: str, place: int) -> None:
    world = converged()
    world.put(EDGE if kind == "Listener" else CORE, offer(kind, False))
    path = path_of(world)
    assert path.broken is None
    assert (path.hops[place].condition.state, path.hops[place].lag) == (State.WAITING, True)
    assert path.hops[place].condition.text == f"No matching {kind.lower()}s"


def test_nothing_lags_while_the_link_is_down() -> None:
    world = converged()
    world.put(EDGE, offer("Listener", False))
    world.put(EDGE, link("hazelcast-core", "Pending", "Not Operational", to=world.find(CORE, "Site")))
    path = path_of(world)
    assert path.broken == LINK
    assert not path.hops[LISTENER].lag


def test_one_ready_router_pod_of_two_is_enough() -> None:
    world = converged()
    _router_pod(world)
    world.put(EDGE, pod("skupper-router-2", "x", labels=ROUTER))
    assert path_of(world).broken is None


def test_each_client_site_has_its_own_path_and_the_earliest_cause_is_blamed() -> None:
    world = converged(topology(EDGE, WEST))
    world.put(EDGE, deployment(ready=0))
    world.drop(WEST, "Link")
    found = report_of(world)
    assert [path.broken for path in found.paths] == [CLIENT, LINK]
    assert found.blame is not None
    assert (found.blame.name, found.blame.site) == ("Link", WEST)


def test_broken_cluster_site_breaks_every_path() -> None:
    world = converged(topology(EDGE, WEST))
    world.drop(CORE, "Pod", "hazelcast-0")
    assert [path.first_broken is path.hops[MEMBERS] for path in report_of(world).paths] == [True, True]


# Ages


def _since(moment: str, made: Obj, *types: str) -> Obj:
    for entry in made["status"]["conditions"]:
        if entry["type"] in types:
            entry["lastTransitionTime"] = moment
    return made


def test_age_of_a_site_comes_from_its_ready_condition() -> None:
    """The Site has been Ready for 30 s; other conditions, such as Resolved, do not matter."""
    ready = (NOW - timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    world = converged()
    site = _since(ready, skupper_site("edge"), "Ready")
    _since(NOON, site, "Running", "Resolved")
    world.put(EDGE, site)
    assert path_of(world).hops[CLIENT_ROUTER].age == 30


def test_age_of_an_unready_link_comes_from_its_false_condition() -> None:
    cut = (NOW - timedelta(seconds=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    world = converged()
    broken = link("hazelcast-core", "Pending", "Not Operational", to=world.find(CORE, "Site"))
    broken["status"]["conditions"] = status_conditions(Configured=True, Operational=False, Ready=False)
    world.put(EDGE, _since(cut, _since(NOON, broken, "Configured"), "Operational", "Ready"))
    assert path_of(world).hops[LINK].age == 7


def test_age_without_conditions_comes_from_the_object() -> None:
    assert [hop.age for hop in path_of(converged()).hops] == [90.0] * 7


def test_missing_object_has_no_age() -> None:
    world = converged()
    world.drop(EDGE, "Link")
    assert path_of(world).hops[LINK].age is None
    assert [hop.age for hop in path_of(converged(), at=None).hops] == [None] * 7


def test_age_is_never_negative() -> None:
    world = converged()
    world.put(EDGE, offer("Listener", created=LATE))
    assert path_of(world).hops[LISTENER].age == 0


def test_age_of_the_members_comes_from_the_last_failed_one() -> None:
    world = converged()
    for number, seconds in ((0, 20), (1, 50)):
        failed = (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        world.put(CORE, _since(failed, pod(f"hazelcast-{number}", ready=False), "Ready"))
    hop = path_of(world).hops[MEMBERS]
    assert (hop.age, [part.age for part in hop.parts]) == (20, [20, 50, 90])


def test_report_time_is_that_of_the_last_observation() -> None:
    found = report_of(converged())
    assert found.at == NOW
    assert report_of(converged(), at=None).at is None


# Evidence


def test_evidence_names_object_context_and_namespace() -> None:
    world = converged()
    world.drop(EDGE, "Link")
    world.live[CORE].append(link("hazelcast-edge", "Pending", "Not Operational", to=world.find(EDGE, "Site")))
    hop = path_of(world).hops[LINK]
    assert hop.site == EDGE
    assert hop.evidence == "Link hazelcast-edge (core-ctx/hz): Not Operational"


def test_timestamp_without_a_zone_is_utc() -> None:
    made = service("hazelcast", created="2026-01-01T12:00:00")
    world = converged(topology(mode="unisocket"))
    world.put(CORE, offer("Connector", by_name=False))
    world.put(EDGE, made)
    assert path_of(world).hops[CLIENT].age == (NOW - datetime(2026, 1, 1, 12, tzinfo=UTC)).total_seconds()
