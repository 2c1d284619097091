"""The steps of --link-host: what is applied, when the Link is made again, and what prevents it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from hzlink.model import link_host
from hzlink.model.choices import LinkAccess, LinkFrom
from hzlink.model.link_host import ACCESS, LinkHost
from hzlink.model.topology import labels
from hzlink.observe import links
from hzlink.plan import link_host as plan
from hzlink.plan import link_host_steps as steps
from hzlink.plan import planner, sharing, teardown
from hzlink.plan.manifests import stamped
from hzlink.plan.planner import Action, Step
from hzlink.report import way_hops
from hzlink.report.site_status import link_of
from tests.unit import builders as make
from tests.unit.builders import CORE, EDGE, Obj, World, converged, item, link, skupper_site, topology

HOST = LinkHost("front.example", 443)
OTHER = LinkHost("192.0.2.9", 31999)


def to_host(host: LinkHost | None, word: str = "Ready", **parts: Any) -> Obj:
    """Edge's Link; `host` None: to the Site's own address."""
    made = link("hazelcast-core", word, to=skupper_site("core"), **parts)
    where = {"name": "inter-router", "host": "203.0.113.7", "port": "55671"} if host is None else host.endpoint
    made["spec"]["endpoints"] = [where]
    if host is not None:
        made["metadata"]["annotations"] = {link_host.ANNOTATION: str(host)}
    return made


def access(host: LinkHost = HOST, *, name: str = "hazelcast", port: int = 55672) -> list[Obj]:
    """The applied objects of a topology."""
    of = make.topology(name=name, link_host=host)
    return [dict(stamped(one)) for one in plan.wanted(of, CORE, port)]


def router_access(name: str, *ports: int) -> Obj:
    return item("RouterAccess", name, spec={"roles": [{"name": "inter-router", "port": port} for port in ports]})


def world(linked_to: LinkHost | None = HOST, wanted: LinkHost | None = HOST, **settings: Any) -> World:
    """A working topology whose Link leads to a host, and whose objects for that host exist."""
    made = converged(topology(link_host=wanted, **settings))
    made.put(EDGE, to_host(linked_to, owner=make.skupper_site("edge")))
    if linked_to is not None:
        site = skupper_site("core", host=f"{ACCESS}.hz", access="none")
        made.put(CORE, site)
        for one in access(linked_to):
            made.put(CORE, one)
    return made


def planned(of: World) -> list[Step]:
    found = planner.make(of.topology, of.wanted, of.snapshots())
    return steps.added(of.topology, of.snapshots(), found)


def by_action(of: World) -> dict[Action, Step]:
    return {step.action: step for step in planned(of)}


def test_first_up_makes_the_access_before_the_link() -> None:
    fresh = World(topology(link_host=HOST), {CORE: [], EDGE: []}, {CORE: [], EDGE: []})
    found = by_action(fresh)
    certificate, access_ = found[Action.LINK_HOST].items
    assert certificate["spec"]["hosts"] == ["front.example", "hzlink-router", "hzlink-router.hz"]
    assert certificate["metadata"]["annotations"][link_host.ANNOTATION] == "front.example:443"
    assert access_["spec"]["roles"] == [{"name": "inter-router", "port": 55672}]
    assert access_["spec"]["tlsCredentials"] == certificate["metadata"]["name"]
    assert found[Action.LINK_HOST].site == CORE
    assert found[Action.LINK_HOST].needs == {"core/site"}
    assert found[Action.LINK_HOST].key in found[Action.LINK].needs


def test_a_second_up_plans_nothing() -> None:
    of = world()
    site = next(one for one in of.wanted[CORE] if one["kind"] == "Site")
    site["spec"] = {"linkAccess": "none"}
    assert planned(of) == []


@pytest.mark.parametrize("linked_to", [None, OTHER])
def test_a_changed_host_renews_certificate_and_link(linked_to: LinkHost | None) -> None:
    found = by_action(world(linked_to))
    assert "Certificate" in {one["kind"] for one in found[Action.LINK_HOST].items}
    assert "not to front.example:443" in found[Action.LINK].why


def test_without_a_host_the_access_is_removed_before_the_link_is_made_again() -> None:
    found = by_action(world(HOST, None))
    assert {ref.name for ref in found[Action.LINK_HOST].refs} == {ACCESS}
    assert found[Action.LINK].why == "its link leads to front.example:443, as --link-host said before"
    assert found[Action.LINK_HOST].key in found[Action.LINK].needs


def test_access_that_another_topology_may_use_is_not_removed() -> None:
    of = world(HOST, None)
    other = make.item("Connector", "sessions", labels=labels("sessions"))
    of.live[CORE].append(other)
    assert Action.LINK_HOST not in by_action(of)


@pytest.mark.parametrize("settings", [{"link_host_given": True}, {"link_access": LinkAccess.NODEPORT}])
def test_present_host_is_kept_unless_the_user_says_otherwise(settings: dict[str, Any]) -> None:
    of = world(HOST, None)
    assert plan.with_current(of.topology, of.snapshots()).settings.link_host == HOST
    said = topology(**settings)
    assert plan.with_current(said, of.snapshots()).settings.link_host is None
    # `hzlink link` reads no Certificates.
    of.drop(CORE, "Certificate")
    assert plan.with_current(of.topology, of.snapshots()).settings.link_host == HOST


@pytest.mark.parametrize(
    ("others", "port"),
    [
        ([], 55672),
        ([router_access("skupper-router", 55671, 45671)], 55672),
        ([router_access("theirs", 55672)], 55673),
        ([router_access(ACCESS, 55680)], 55680),
        ([router_access(ACCESS, 55680), router_access("theirs", 55680)], 55681),
        ([item("RouterAccess", "broken", spec={"roles": None})], 55672),
    ],
)
def test_no_two_accesses_have_one_port(others: list[Obj], port: int) -> None:
    of = World(topology(), {CORE: others})
    assert plan.port(of.snapshots()[CORE]) == port


@pytest.mark.parametrize("kind", ["RouterAccess", "Certificate", "Service"])
def test_name_that_others_use_is_refused(kind: str) -> None:
    of = world(None)
    of.put(CORE, item(kind, ACCESS))
    [error] = steps.errors(of.topology, of.snapshots())
    assert f"needs the name {ACCESS} at core" in error.message


def test_host_of_another_topology() -> None:
    of = world(None)
    for one in access(OTHER, name="sessions"):
        of.put(CORE, one)
    [error] = steps.errors(of.topology, of.snapshots())
    assert error.said == "it names 192.0.2.9:31999, not front.example"
    for one in access(HOST, name="sessions"):
        of.put(CORE, one)
    assert steps.errors(of.topology, of.snapshots()) == []
    assert Action.LINK_HOST not in by_action(of), "the other topology's objects are used as they are"


def test_site_of_others_with_link_access_is_refused() -> None:
    of = world(None)
    of.put(CORE, skupper_site("core", host="203.0.113.7", ours=False))
    [error] = steps.errors(of.topology, of.snapshots())
    assert "has link access default" in error.message
    of.put(CORE, skupper_site("core", ours=False))
    assert steps.errors(of.topology, of.snapshots()) == [], "without link access, the Site is not changed by it"
    assert planner.unable_issuers(of.topology, of.snapshots()) == []


def test_links_of_others_are_used_as_they_are() -> None:
    of = world(None)
    of.put(EDGE, to_host(None, ours=False))
    assert steps.used_at(of.topology, of.snapshots()) == []
    assert Action.LINK_HOST not in by_action(of)
    assert "is not used" in steps.notes(of.topology, of.snapshots(), [])[0]


def test_what_has_to_be_in_front_is_said_once() -> None:
    of = world(None)
    [said] = steps.notes(of.topology, of.snapshots(), planned(of))
    assert "front.example:443 has to lead to Service hzlink-router, port 55672, in namespace hz of core-ctx" in said
    assert steps.notes(of.topology, of.snapshots(), []) == ()
    of.put(CORE, router_access("skupper-router", 55671))
    assert "delete routeraccesses.skupper.io skupper-router" in steps.notes(of.topology, of.snapshots(), planned(of))[1]


@pytest.mark.parametrize(("link_from", "issuer"), [(LinkFrom.AUTO, CORE), (LinkFrom.CLIENT, EDGE)])
def test_issuing_side(link_from: LinkFrom, issuer: Any) -> None:
    """With --link-host, a client site with an address does not issue by itself."""
    of = World(topology(link_host=HOST, link_from=link_from), {CORE: [], EDGE: [skupper_site("edge", host="x")]})
    assert planner.issuers(of.topology, of.snapshots()) == {EDGE: issuer}


def test_link_to_the_host_is_not_outdated() -> None:
    of = world()
    peer = of.find(CORE, "Site")
    found = [of.find(EDGE, "Link")]
    assert not links.are_outdated(found, peer)
    assert links.uncovered(found, peer) == {}


def test_down_removes_the_access_and_what_skupper_made_from_it() -> None:
    of = world()
    access_ = of.find(CORE, "RouterAccess")
    access_["metadata"]["uid"] = "uid-access"
    secured = item("SecuredAccess", ACCESS, owner=access_)
    of.live[CORE] += [secured, item("Service", ACCESS, owner=secured)]
    plan_ = teardown.make(of.topology, of.snapshots()[CORE])
    order = [ref.resource.partition(".")[0] for ref in plan_.refs]
    assert order.index("routeraccesses") < order.index("certificates") < order.index("sites")
    derived = {f"securedaccesses.skupper.io/{ACCESS}", f"services/{ACCESS}"}
    assert {str(ref) for ref in plan_.derived} == derived
    of.drop(CORE, "RouterAccess")
    interrupted = teardown.make(of.topology, of.snapshots()[CORE])
    assert {str(ref) for ref in interrupted.derived} == derived
    of.put(CORE, item("RouterAccess", ACCESS))
    assert teardown.make(of.topology, of.snapshots()[CORE]).derived == (), "it is another tool's"


def test_topology_that_stays_gets_the_access_with_the_site() -> None:
    of = world()
    for site in (CORE, EDGE):
        of.live[site].append(item("ConfigMap", "sessions", labels=labels("sessions")))
    kept = sharing.handovers(of.topology, of.snapshots())[CORE]
    assert {ref.resource.partition(".")[0] for ref in kept.refs} == {"sites", "routeraccesses", "certificates"}
    before, after = access(name="hazelcast")[1], access(name="sessions")[1]
    assert before["metadata"]["annotations"] == after["metadata"]["annotations"], "its `up` has nothing to write"


@pytest.mark.parametrize(
    ("said", "step"),
    [
        ("Not Operational", "kubectl --context core-ctx -n hz get service hzlink-router"),
        ("SSL Failure: certificate verify failed", "hzlink up --link-host front.example:443"),
    ],
)
def test_hop_of_a_link_that_is_down_names_what_is_in_front(said: str, step: str) -> None:
    of = world()
    broken = deepcopy(of.find(EDGE, "Link"))
    broken["status"] |= {"status": "Pending", "message": said}
    of.put(EDGE, broken)
    [hop] = way_hops.make(of.snapshots(), link_of(of.topology, of.snapshots(), EDGE), {})
    assert said in hop.text
    assert hop.next_step.startswith(step)
