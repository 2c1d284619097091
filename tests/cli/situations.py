"""Situations of a topology, as snapshots of its sites. Their names are also the names of golden files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from hzlink.model.choices import Mode, Role
from hzlink.model.objects import Object
from hzlink.model.topology import Settings, Site, Topology
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.programs.refusals import explain
from hzlink.report import report
from hzlink.report.report import Report
from tests.cli import cluster_objects as make

CORE = Site("core", Role.CLUSTER, "core", "hz")
EDGE = Site("edge", Role.CLIENT, "edge", "hz")
TRANSIT = Site("transit", Role.HUB, "transit", "hz")
SHOP = Site("shop", Role.CLIENT, "shop", "hz-shop")
ARN = "arn:aws:eks:eu-central-1:123456789012:cluster/payments-production"
GKE = "gke_my-project_europe-west1_edge"

# What text from a cluster could try to do to the terminal: clear it, colour it, rename its window, overwrite lines,
# reverse the reading direction, or end the line and imitate hzlink's output.
NASTY = "bad\x1b[2J\x1b[31m\x1b]0;owned\x07 \r\nhealthy.\x9b31m\x00\u202egnp.exe\u2028next: curl evil"


@dataclass(frozen=True)
class Situation:
    """A topology and the snapshots of its sites."""

    topology: Topology
    snapshots: Snapshots

    @property
    def report(self) -> Report:
        """The report on these snapshots."""
        return report.make(self.topology, self.snapshots)


def _at(topology: Topology, *found: list[Object] | Snapshot) -> Situation:
    snapshots = [
        objects if isinstance(objects, Snapshot) else Snapshot(site, tuple(objects), at=make.OBSERVED)
        for site, objects in zip(topology.sites, found, strict=True)
    ]
    return Situation(topology, dict(zip(topology.sites, snapshots, strict=True)))


def _topology(*clients: Site, cluster: Site = CORE, **settings: object) -> Topology:
    return Topology("hazelcast", cluster, clients or (EDGE,), replace(Settings(), **settings))  # type: ignore[arg-type]


def _refused(site: Site, said: str) -> Snapshot:
    return Snapshot(site, error=explain(site, "read objects", said))


def _cluster_side(count: int = 3, connector: str = "", down: dict[int, tuple[str, str]] | None = None) -> list[Object]:
    return [
        make.skupper_site("core", host="203.0.113.7", link_access="default"),
        make.offer("Connector", connector),
        *make.members(count, down),
    ]


def _client_side(
    *linked: Object,
    name: str = "edge",
    listener: str = "",
    numbers: tuple[int, ...] = (0, 1, 2),
    center: list[Object] | None = None,
) -> list[Object]:
    return [
        make.skupper_site(name),
        make.offer("Listener", listener),
        *linked,
        *make.names(*numbers),
        *(make.mancenter() if center is None else center),
    ]


def healthy() -> Situation:
    """A healthy topology in smart mode."""
    return _at(_topology(), _cluster_side(), _client_side(make.link("core")))


def _log(*numbers: int) -> str:
    """The logs of three started members; those with these numbers have a connection from Management Center."""
    lines = [f"[pod/hazelcast-{number}/hazelcast] 2026-03-01T10:00:07.1Z [dev] is STARTED" for number in range(3)]
    came = "Received auth from Connection[id=1], successfully authenticated, clientUuid: 0a, client name: MC-Client-dev"
    return "\n".join(
        [*lines, *(f"[pod/hazelcast-{number}/hazelcast] 2026-03-01T10:05:0{number}.5Z {came}" for number in numbers)]
    )


def _with_log(*numbers: int) -> Situation:
    cluster = Snapshot(CORE, tuple(_cluster_side()), member_log=_log(*numbers))
    return _at(_topology(), cluster, _client_side(make.link("core")))


def center_connected() -> Situation:
    """Healthy; the members' logs show that Management Center is connected to all of them."""
    return _with_log(0, 1, 2)


def center_sees_two() -> Situation:
    """Management Center is ready and connected to two of three members."""
    return _with_log(0, 2)


def center_blind() -> Situation:
    """Management Center is ready and connected to no member."""
    return _with_log()


def _with_routers(*hosts: str) -> list[Object]:
    site, *rest = _cluster_side()
    return [make.with_routers(site, *hosts), *rest]


def two_routers() -> Situation:
    """The cluster site has two routers (`ha`), and a Link leads to each of them."""
    linked = [make.link("core", number=number, host=f"203.0.113.{6 + number}") for number in (1, 2)]
    return _at(_topology(), _with_routers("203.0.113.7", "203.0.113.8"), _client_side(*linked))


def one_router_down() -> Situation:
    """Of two routers one is down; traffic takes the other."""
    first = make.link("core", number=1, host="203.0.113.7")
    second = make.link("core", "Not operational", number=2, host="203.0.113.8")
    return _at(_topology(), _with_routers("203.0.113.7", "203.0.113.8"), _client_side(first, second))


def linked_before_ha() -> Situation:
    """The cluster site got a second router after it was linked."""
    linked = make.link("core", host="203.0.113.7")
    return _at(_topology(), _with_routers("203.0.113.7", "203.0.113.8"), _client_side(linked))


def address_changed() -> Situation:
    """The cluster site's load balancer has another address than when the Link was made."""
    linked = make.link("core", "Not operational", host="203.0.113.7")
    return _at(_topology(), _with_routers("203.0.113.99"), _client_side(linked))


def members_apart() -> Situation:
    """Each member is ready and has formed a cluster of its own."""
    uuid = "0a1b2c3d-0000-4000-8000-00000000000"
    lists = [
        f"[pod/hazelcast-{number}/hazelcast] [10.0.0.{number}]:5702 [dev] [5.5.0] \n"
        f"[pod/hazelcast-{number}/hazelcast] Members {{size:1, ver:1}} [\n"
        f"[pod/hazelcast-{number}/hazelcast] Member [10.0.0.{number}]:5702 - {uuid}{number} this"
        for number in range(3)
    ]
    cluster = Snapshot(CORE, tuple(_cluster_side()), member_log="\n".join(lists))
    return _at(_topology(), cluster, _client_side(make.link("core")))


def member_refused() -> Situation:
    """A member of another minor version, which the others do not let join."""
    trouble = {2: ("CrashLoopBackOff", "back-off 40s restarting failed container=hazelcast pod=hazelcast-2_hz")}
    refused = (
        "[pod/hazelcast-2/hazelcast] [10.0.0.2]:5702 [dev] [5.6.0] Reason of failure for node join: Joining node's "
        "version 5.6.0 is not compatible with cluster version 5.5 (Rolling Member Upgrades are only supported in "
        "Hazelcast Enterprise)"
    )
    cluster = Snapshot(CORE, tuple(_cluster_side(down=trouble)), member_log=refused)
    return _at(_topology(), cluster, _client_side(make.link("core"), numbers=(0, 1)))


def nothing_there() -> Situation:
    """Both namespaces exist and are empty."""
    return _at(_topology(), [], [])


def not_linked() -> Situation:
    """Both sites run and are not linked."""
    client = _client_side(listener="No matching connectors", numbers=(), center=make.mancenter(ready=False, waits=True))
    return _at(_topology(), _cluster_side(connector="No matching listeners"), client)


def member_down() -> Situation:
    """One member's container crashes; Skupper has removed its Service."""
    trouble = {2: ("CrashLoopBackOff", "back-off 40s restarting failed container=hazelcast pod=hazelcast-2_hz")}
    return _at(_topology(), _cluster_side(down=trouble), _client_side(make.link("core"), numbers=(0, 1)))


def image_missing() -> Situation:
    """No member can start, because of a wrong --image; the kubelet's message is long."""
    message = (
        'Back-off pulling image "registry.example.com/hazelcast/hazelcast:5.5.O": ErrImagePull: failed to resolve '
        "reference: registry.example.com/hazelcast/hazelcast:5.5.O: not found"
    )
    trouble = dict.fromkeys(range(3), ("ImagePullBackOff", message))
    client = _client_side(
        make.link("core"), listener="No matching connectors", numbers=(), center=make.mancenter(ready=False, waits=True)
    )
    return _at(_topology(), _cluster_side(connector="No matches for selector", down=trouble), client)


def link_pending() -> Situation:
    """The token was redeemed; the routers cannot connect to each other."""
    client = _client_side(
        make.link("core", "Not Operational"),
        listener="No matching connectors",
        numbers=(),
        center=make.mancenter(ready=False, waits=True),
    )
    return _at(_topology(), _cluster_side(connector="No matching listeners"), client)


def listener_pending() -> Situation:
    """Everything works; only the Listener's condition lags (skupper issue 2428)."""
    return _at(_topology(), _cluster_side(), _client_side(make.link("core"), listener="No matching connectors"))


def no_address() -> Situation:
    """The cluster site's load balancer stays pending."""
    cluster = [make.skupper_site("core", message="Pending", link_access="default"), *_cluster_side()[1:]]
    return _at(_topology(), cluster, _client_side(listener="No matching connectors", numbers=()))


def unreachable() -> Situation:
    """The cluster site's API server does not answer."""
    said = (
        "E0301 10:00:00.000000 4711 memcache.go:265] couldn't get current server API group list\n"
        "Unable to connect to the server: dial tcp 203.0.113.9:6443: i/o timeout"
    )
    return _at(_topology(), _refused(CORE, said), _client_side(make.link("core")))


def unauthorized() -> Situation:
    """The client site's API server rejects the user's credentials."""
    said = "error: You must be logged in to the server (Unauthorized)"
    return _at(_topology(), _cluster_side(), _refused(EDGE, said))


def forbidden() -> Situation:
    """The user may not list Skupper's objects."""
    said = (
        'Error from server (Forbidden): links.skupper.io is forbidden: User "ann" cannot list resource "links" in API '
        'group "skupper.io" in the namespace "hz"'
    )
    return _at(_topology(), _cluster_side(), _refused(EDGE, said))


def no_definitions() -> Situation:
    """Skupper is not installed at the client site."""
    said = 'error: the server doesn\'t have a resource type "sites"'
    return _at(_topology(), _cluster_side(), _refused(EDGE, said))


def no_namespace() -> Situation:
    """The client site's namespace does not exist."""
    return _at(_topology(), _cluster_side(), _refused(EDGE, 'namespaces "hz" not found'))


def unisocket() -> Situation:
    """A healthy topology in unisocket mode."""
    cluster = [_cluster_side()[0], make.offer("Connector", smart=False), *make.members(3)]
    client = [make.skupper_site("edge"), make.offer("Listener", smart=False), make.link("core")]
    client.append(make.service("hazelcast", {"internal.skupper.io/listener": "hazelcast"}))
    return _at(_topology(mode=Mode.UNISOCKET), cluster, client)


def _with_app_namespace(*names: str) -> Situation:
    """Healthy, with the application namespace `store`, which has these Services."""
    found = healthy()
    app = Snapshot(replace(EDGE, namespace="store"), tuple(make.app_name(name, "hz") for name in names))
    snapshots = {**found.snapshots, EDGE: replace(found.snapshots[EDGE], apps=(app,))}
    return Situation(_topology(app_namespaces=("store",)), snapshots)


def app_namespace() -> Situation:
    """Healthy, and the names work in an application namespace."""
    return _with_app_namespace("hazelcast", "hazelcast-0", "hazelcast-1", "hazelcast-2")


def app_name_missing() -> Situation:
    """An application namespace lacks the name of a member."""
    return _with_app_namespace("hazelcast", "hazelcast-0", "hazelcast-2")


def two_clients() -> Situation:
    """Two client sites, both healthy."""
    shop = _client_side(make.link("core"), name="shop")
    return _at(_topology(EDGE, SHOP), _cluster_side(), _client_side(make.link("core")), shop)


def second_client_not_linked() -> Situation:
    """Two client sites; one has lost its link, and its Services still exist."""
    shop = _client_side(name="shop")
    return _at(_topology(EDGE, SHOP), _cluster_side(), _client_side(make.link("core")), shop)


def foreign_sites() -> Situation:
    """The Sites and their Link are not hzlink's."""
    core = make.skupper_site("oslo", host="203.0.113.7", link_access="default")
    edge = make.skupper_site("berlin")
    by_hand = make.link("oslo")
    for theirs in (core, edge, by_hand):
        theirs["metadata"].pop("labels", None)
    return _at(_topology(), [core, *_cluster_side()[1:]], [edge, *_client_side(by_hand)[1:]])


def _over_hub(*, works: bool = True) -> Situation:
    """Sites of others, linked over a third one, whose namespace is not one of hzlink's."""
    hub = make.network_entry("hub", make.network_link("oslo", up=works), namespace="transit")
    network = [make.network_entry("oslo"), make.network_entry("berlin", make.network_link("hub")), hub]
    core = make.skupper_site("oslo", host="203.0.113.7", link_access="default", network=network)
    edge, by_hand = make.skupper_site("berlin", network=network), make.link("hub")
    for theirs in (core, edge, by_hand):
        theirs["metadata"].pop("labels", None)
    client = _client_side(by_hand, numbers=(0, 1, 2) if works else ())
    return _at(_topology(), [core, *_cluster_side()[1:]], [edge, *client[1:]])


def linked_over_hub() -> Situation:
    """Both Sites reach each other over a Site of others."""
    return _over_hub()


def hub_link_down() -> Situation:
    """The second Link of the way over a Site of others is down."""
    return _over_hub(works=False)


def _own_hub() -> tuple[Topology, list[Object], list[Object], list[Object]]:
    """A topology with a hub, to which both sides have a Link."""
    network = [
        make.network_entry("core", make.network_link("transit")),
        make.network_entry("edge", make.network_link("transit")),
        make.network_entry("transit", namespace="hz"),
    ]
    core, edge = (make.skupper_site(name, network=network) for name in ("core", "edge"))
    hub = make.skupper_site("transit", host="203.0.113.9", link_access="default", network=network)
    cluster = [core, *_cluster_side()[1:], make.link("transit")]
    client = [edge, *_client_side(make.link("transit"))[1:]]
    return replace(_topology(), hub=TRANSIT), cluster, client, [hub, *make.router()]


def own_hub() -> Situation:
    """Both sides are linked to a hub of the topology."""
    topology, *sites = _own_hub()
    return _at(topology, *sites)


def own_hub_unreachable() -> Situation:
    """The API server of the hub does not answer."""
    topology, cluster, client, _ = _own_hub()
    said = "Unable to connect to the server: dial tcp 203.0.113.1:6443: i/o timeout"
    return _at(topology, cluster, client, _refused(TRANSIT, said))


def own_hub_not_linked() -> Situation:
    """The cluster site is linked to the hub, the client site is not linked to it."""
    topology, cluster, client, hub = _own_hub()
    return _at(topology, cluster, [item for item in client if item["kind"] != "Link"], hub)


def client_issued() -> Situation:
    """Only the client site has an address: it issued the token, and the Link is at the cluster site."""
    cluster = [make.skupper_site("core"), *_cluster_side()[1:], make.link("edge")]
    client = [make.skupper_site("edge", host="198.51.100.4", link_access="default"), *_client_side()[1:]]
    return _at(_topology(), cluster, client)


def loadbalancer() -> Situation:
    """Management Center behind a load balancer."""
    center = make.mancenter(type="LoadBalancer", ingress={"ip": "203.0.113.20"})
    return _at(_topology(), _cluster_side(), _client_side(make.link("core"), center=center))


def loadbalancer_pending() -> Situation:
    """Management Center's load balancer has no address."""
    center = make.mancenter(type="LoadBalancer")
    return _at(_topology(), _cluster_side(), _client_side(make.link("core"), center=center))


def nodeport() -> Situation:
    """Management Center on a port of every node."""
    center = make.mancenter(type="NodePort", ports=[{"port": 8080, "nodePort": 31080}])
    return _at(_topology(), _cluster_side(), _client_side(make.link("core"), center=center))


def no_mancenter() -> Situation:
    """Healthy, without Management Center by choice, on a machine without a record of that choice."""
    client = _client_side(make.link("core"), center=[make.service("hazelcast", {"internal.skupper.io/listener": "x"})])
    listener = client[1]
    annotations = {"hzlink.io/management-center": "none"}
    client[1] = {**listener, "metadata": {**listener["metadata"], "annotations": annotations}}
    return _at(_topology(), _cluster_side(), client)


def many_members() -> Situation:
    """Seven members, all ready."""
    return _at(_topology(members=7), _cluster_side(7), _client_side(make.link("core"), numbers=tuple(range(7))))


def many_members_two_down() -> Situation:
    """Seven members, two of them not ready."""
    trouble = {2: ("CrashLoopBackOff", "back-off 40s restarting failed container"), 6: ("", "")}
    client = _client_side(make.link("core"), numbers=(0, 1, 3, 4, 5))
    return _at(_topology(members=7), _cluster_side(7, down=trouble), client)


def long_contexts() -> Situation:
    """Contexts as EKS and GKE name them."""
    file = "/home/ann/.kube/production config"
    cluster = Site("payments-production", Role.CLUSTER, ARN, "hazelcast-payments", file, "payments-production")
    client = Site("edge", Role.CLIENT, GKE, "hz", short="edge")
    return _at(_topology(client, cluster=cluster), _cluster_side(), _client_side(make.link("core")))


def nasty_messages() -> Situation:
    """Every text that a cluster can set contains control characters."""
    trouble = {1: ("ErrImagePull", NASTY)}
    cluster = [
        make.skupper_site("core", host=NASTY, version=NASTY, link_access="default"),
        make.offer("Connector", NASTY),
        *make.members(3, trouble),
        make.pod(f"hazelcast-9{NASTY}", "hazelcast"),
    ]
    center = make.mancenter(type="LoadBalancer", ingress={"hostname": NASTY})
    client = _client_side(make.link("core", NASTY), name="edge", listener=NASTY, center=center)
    return _at(_topology(), cluster, [make.skupper_site("edge", message=NASTY), *client[1:]])


def nasty_warning() -> Situation:
    """Healthy, with control characters in the Listener's message, which becomes a warning."""
    center = make.mancenter(type="LoadBalancer", ingress={"hostname": NASTY})
    return _at(_topology(), _cluster_side(), _client_side(make.link("core"), listener=NASTY, center=center))


def nasty_refusal() -> Situation:
    """An API server whose error message contains control characters."""
    return _at(_topology(), _refused(CORE, NASTY), _refused(EDGE, f"Unable to connect to the server: {NASTY}"))


def router_down() -> Situation:
    """The client's router pod does not start again; its Site still says Ready."""
    stuck = ("CrashLoopBackOff", "back-off 20s restarting failed container=router pod=skupper-router-6c8d_hz")
    client = [*_client_side(make.link("core")), *make.router(stuck=stuck)]
    return _at(_topology(), [*_cluster_side(), *make.router()], client)


def connector_finds_nobody() -> Situation:
    """All members are ready, but the Connector's selector was changed."""
    cluster = _cluster_side()
    cluster[1] = make.offer("Connector", "No matches for selector", error=True)
    client = _client_side(
        make.link("core"), listener="No matching connectors", numbers=(), center=make.mancenter(ready=False, waits=True)
    )
    return _at(_topology(), cluster, client)


def networks_disagree() -> Situation:
    """The Link is Ready, but the networks of the two Sites contradict it."""
    core = make.skupper_site(
        "core",
        host="203.0.113.7",
        network=[make.network_entry("core"), make.network_entry("edge", make.network_link("core", up=False))],
    )
    gone = make.network_entry("core", uid="uid-of-a-former-core")
    edge = make.skupper_site("edge", network=[make.network_entry("edge", make.network_link("core")), gone])
    client = [edge, *_client_side(make.link("core"), numbers=(0, 1, 2, 3))[1:]]
    return _at(_topology(), [core, *_cluster_side()[1:]], client)


ALL: dict[str, Callable[[], Situation]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        healthy,
        center_connected,
        center_sees_two,
        center_blind,
        members_apart,
        member_refused,
        nothing_there,
        not_linked,
        member_down,
        image_missing,
        link_pending,
        listener_pending,
        no_address,
        unreachable,
        unauthorized,
        forbidden,
        no_definitions,
        no_namespace,
        unisocket,
        app_namespace,
        app_name_missing,
        two_clients,
        foreign_sites,
        linked_over_hub,
        hub_link_down,
        own_hub,
        own_hub_unreachable,
        own_hub_not_linked,
        second_client_not_linked,
        client_issued,
        loadbalancer,
        loadbalancer_pending,
        nodeport,
        no_mancenter,
        many_members,
        many_members_two_down,
        long_contexts,
        nasty_messages,
        nasty_warning,
        nasty_refusal,
        router_down,
        connector_finds_nobody,
        networks_disagree,
        two_routers,
        one_router_down,
        linked_before_ha,
        address_changed,
    )
}
NASTIES = [name for name in ALL if name.startswith("nasty")]
