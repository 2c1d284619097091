"""The simulated network: when traffic flows and when the network status changes. No clusters, no real time."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as some

from sandbox.skupper.controller.reconcile import Cycle, Timers
from sandbox.skupper.faults.delays import MEASURED
from sandbox.skupper.faults.faults import Faults
from sandbox.skupper.network.network import LinkState, Network, RouterAddress, Services, SiteState

MEMBERS = Services(connectors=(("hazelcast", ("10.0.0.1",)), ("hazelcast.hazelcast-0", ("10.0.0.1",))))
LISTENING = Services(listeners=(("hazelcast", ("listener/hazelcast",)),))


def a_site(
    uid: str,
    *links: LinkState,
    services: Services | None = None,
    ready: float | None = 0.0,
    local: bool = False,
    names: frozenset[str] | None = None,
    cluster: str = "",
) -> SiteState:
    return SiteState(
        uid=uid,
        name=f"site-{uid}",
        cluster=cluster or uid,
        namespace="hz",
        ready_since=ready,
        reports_from=0.0,
        access=(RouterAddress(f"at-{uid}", "55671", local, names),),
        ca=f"ca-{uid}",
        links=links,
        services=services or Services(),
    )


def to(uid: str, configured_at: float = 0.0, **changes: str) -> LinkState:
    where = {"host": f"at-{uid}", "port": "55671", "ca": f"ca-{uid}"} | changes
    return LinkState(name=f"to-{uid}", configured_at=configured_at, **where)


class Clock:
    """Runs the network's cycles at simulated times, as the controller does: at every time it requested."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.network = Network()
        self.now = 0.0
        self.faults = faults or Faults()
        self._timers = Timers()

    def cycle(self, *sites: SiteState) -> float:
        """Runs one cycle now; returns when the next is due."""
        current = Cycle(self.now, MEASURED, self.faults, self._timers)
        self.network.step(current, sites)
        self._timers.sweep()
        return current.next_at

    def until(self, moment: float, *sites: SiteState) -> None:
        while (due := self.cycle(*sites)) <= moment:
            self.now = due
        self.now = moment

    def flows(self, one: str, other: str) -> bool:
        return other in self.network.reachable(one)

    def knows(self, one: str, other: str) -> bool:
        return other in {record.uid for record in self.network.network_status(one) or []}

    def operational(self, uid: str) -> list[bool]:
        records = self.network.network_status(uid) or []
        return [link.operational for record in records if record.uid == uid for link in record.links]


CLIENT, CLUSTER = a_site("client", to("cluster", 20.0), services=LISTENING), a_site("cluster", services=MEMBERS)


def test_traffic_flows_before_the_network_status_is_updated() -> None:
    clock = Clock()
    clock.until(20.5, CLIENT, CLUSTER)
    assert not clock.flows("client", "cluster")
    clock.until(23.0, CLIENT, CLUSTER)
    assert clock.flows("client", "cluster")
    assert clock.flows("cluster", "client")
    clock.until(31.5, CLIENT, CLUSTER)
    assert not clock.knows("client", "cluster")
    assert clock.operational("client") == []
    clock.until(36.5, CLIENT, CLUSTER)
    assert clock.knows("client", "cluster")
    assert clock.knows("cluster", "client")
    assert clock.operational("client") == [True]


def test_new_routers_forward_traffic_after_a_delay() -> None:
    clock = Clock()
    late = replace(CLUSTER, ready_since=30.0)
    clock.until(30.0, CLIENT, replace(CLUSTER, ready_since=None))
    clock.until(30.0 + MEASURED.router_settle.low - 0.5, CLIENT, late)
    assert not clock.flows("client", "cluster")
    clock.until(30.0 + MEASURED.router_settle.high + 0.5, CLIENT, late)
    assert clock.flows("client", "cluster")


def test_a_deleted_site_stays_in_the_network_status_for_a_while() -> None:
    clock = Clock()
    clock.until(40.0, CLIENT, CLUSTER)
    clock.until(40.0, CLIENT)
    assert not clock.flows("client", "cluster")
    clock.until(42.5, CLIENT)
    assert clock.operational("client") == [False]
    clock.until(51.5, CLIENT)
    assert clock.knows("client", "cluster")
    clock.until(72.5, CLIENT)
    assert not clock.knows("client", "cluster")
    assert clock.operational("client") == []


def test_a_link_is_reported_as_down_before_its_site_is_removed() -> None:
    clock = Clock()
    clock.until(40.0, CLIENT, CLUSTER)
    clock.cycle(CLIENT)
    clock.now = 100.0
    due = clock.cycle(CLIENT)
    assert (clock.operational("client"), clock.knows("client", "cluster")) == ([False], True)
    clock.now = due
    clock.cycle(CLIENT)
    assert (clock.operational("client"), clock.knows("client", "cluster")) == ([], False)


def test_the_fault_network_keeps_deleted_sites() -> None:
    clock = Clock(Faults({"network": "stale"}))
    clock.until(40.0, CLIENT, CLUSTER)
    clock.until(200.0, CLIENT)
    assert clock.knows("client", "cluster")


def test_a_link_needs_the_right_address_and_ca() -> None:
    for wrong in (to("cluster", host="elsewhere"), to("cluster", ca="ca-of-before"), to("cluster", port="1")):
        clock = Clock()
        clock.until(60.0, a_site("client", wrong), CLUSTER)
        assert not clock.flows("client", "cluster"), wrong
    clock = Clock(Faults({"link": {"client/hz": "never"}}))
    clock.until(60.0, CLIENT, CLUSTER)
    assert not clock.flows("client", "cluster")


def test_client_sites_reach_each_other_through_the_cluster_site() -> None:
    clock = Clock()
    clock.until(60.0, CLIENT, CLUSTER, a_site("third", to("cluster")))
    assert clock.flows("client", "third")
    assert clock.knows("client", "third")
    assert len(clock.network.network_status("cluster") or []) == 3


def test_a_site_reports_only_when_it_is_the_leader() -> None:
    clock = Clock()
    held_up = replace(CLIENT, reports_from=15.0)
    clock.until(14.0, held_up)
    assert clock.network.network_status("client") is None
    clock.until(15.5, held_up)
    assert clock.knows("client", "client")


def test_changes_of_services_are_reported_after_a_delay() -> None:
    clock = Clock()
    clock.until(60.0, CLIENT, CLUSTER)
    less = replace(CLUSTER, services=Services())
    clock.until(60.5, CLIENT, less)
    assert {r.uid: r.services for r in clock.network.network_status("client") or []}["cluster"] == MEMBERS
    clock.until(62.5, CLIENT, less)
    assert {r.uid: r.services for r in clock.network.network_status("client") or []}["cluster"] == Services()


SITES = some.lists(
    some.tuples(some.sampled_from("abcd"), some.sets(some.sampled_from("abcd")), some.booleans()),
    unique_by=lambda entry: entry[0],
)


@settings(max_examples=60, deadline=None)
@given(some.lists(SITES, min_size=1, max_size=6))
def test_traffic_is_always_mutual_and_only_between_ready_sites(
    course: list[list[tuple[str, set[str], bool]]],
) -> None:
    clock = Clock()
    moment = 0.0
    for situation in course:
        sites = [
            a_site(uid, *(to(other) for other in sorted(links)), ready=0.0 if ready else None)
            for uid, links, ready in situation
        ]
        moment += 17.0
        clock.until(moment, *sites)
        clock.until(moment, *sites)
        ready = {site.uid for site in sites if site.ready_since is not None}
        for site in sites:
            reached = clock.network.reachable(site.uid)
            assert reached <= ready
            assert all(site.uid in clock.network.reachable(other) for other in reached)
            assert site.uid in reached or site.uid not in ready
            records = clock.network.network_status(site.uid)
            assert records is None or site.uid in {record.uid for record in records}


def test_certificate_has_to_name_the_host() -> None:
    client, clock = a_site("client", to("cluster")), Clock()
    wrong = a_site("cluster", services=MEMBERS, names=frozenset({"other"}))
    clock.until(60.0, client, wrong)
    assert not clock.flows("client", "cluster")
    assert clock.network.refused == {("client", "to-cluster")}
    clock.until(120.0, client, a_site("cluster", services=MEMBERS, names=frozenset({"at-cluster"})))
    assert clock.flows("client", "cluster")
    assert clock.network.refused == set()


def test_local_access_is_for_sites_of_the_same_cluster() -> None:
    local = a_site("cluster", services=MEMBERS, local=True, cluster="one")
    clock = Clock()
    clock.until(60.0, a_site("client", to("cluster", 20.0), cluster="other"), local)
    assert not clock.flows("client", "cluster")
    clock.until(120.0, a_site("client", to("cluster", 20.0), cluster="one"), local)
    assert clock.flows("client", "cluster")
