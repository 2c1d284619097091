"""Faults of Skupper: its Sites, tokens, links, and the names that it makes."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from hzlink.observe.losses import RECORD_GRACE_SECONDS
from sandbox.api import kinds
from sandbox.skupper.controller import kinds as skupper_kinds
from tests.faults import shims
from tests.faults.fault import Fault, Part, Where
from tests.faults.world import MARKS, World

THROUGH_KUBECTL = ("up", "--timeout", "120", "--via", "kubectl")
# Long enough to reach the wait that never ends, on a busy machine, too.
SHORT = ("up", "--timeout", "45")


def fault(name: str, value: object, *servers: str) -> partial[None]:
    """Sets a fault of the stand-in in the row's namespace."""
    return partial(_set, name, value, servers)


def _set(name: str, value: object, servers: tuple[str, ...], world: World) -> None:
    for server in servers:
        world.fault(name, server, value)


def access_not_allowed(world: World) -> None:
    """The client's Site has a link access that its cluster does not allow."""
    for server, access in (("cluster", "default"), ("client", "nodeport")):
        site = {"metadata": {"name": server, "labels": MARKS}, "spec": {"linkAccess": access}}
        world.create(server, skupper_kinds.SITES, site)


def controller_stopped(world: World) -> None:
    world.server_fault("controller", "client", "stopped")


def controller_stops_before_the_grant(world: World) -> None:
    world.up()
    world.delete("client", skupper_kinds.LINKS, "hazelcast-cluster")
    world.server_fault("controller", "cluster", "stopped")


def site_of_others(world: World) -> None:
    for server in ("client", "cluster"):
        site = {"metadata": {"name": server, "labels": {"app.kubernetes.io/part-of": "hazelcast"}}, "spec": {}}
        world.create(server, skupper_kinds.SITES, site)
        world.planted.append((server, skupper_kinds.SITES, server))


def names_of_another_topology(world: World) -> None:
    labels = {**MARKS, "app.kubernetes.io/part-of": "other"}
    spec = {"routingKey": "other", "host": "hazelcast", "port": 5701}
    listener = {"metadata": {"name": "hazelcast", "labels": labels}, "spec": spec}
    world.create("client", skupper_kinds.LISTENERS, listener)
    world.planted.append(("client", skupper_kinds.LISTENERS, "hazelcast"))


def older_definitions(world: World) -> None:
    """The Listener's definition of a release without exposePodsByName."""
    kube, name = world.sandbox.kube("client"), "listeners.skupper.io"
    before = kube.get(kinds.CRDS, None, name)
    assert before is not None
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/exposePodsByName"
    value = before["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    kept = value["exposePodsByName"]
    kube.patch(kinds.CRDS, None, name, [{"op": "remove", "path": path}], how="json")

    def put_back() -> None:
        kube.patch(kinds.CRDS, None, name, [{"op": "add", "path": path, "value": kept}], how="json")

    world.closing.append(put_back)
    # The API server needs a moment to use the changed definition.
    body = {"metadata": {"name": "try"}, "spec": {"routingKey": "a", "host": "a", "port": 1, "exposePodsByName": True}}

    def taken_up() -> bool:
        made = world.create("client", skupper_kinds.LISTENERS, body)
        world.delete("client", skupper_kinds.LISTENERS, "try")
        return "exposePodsByName" not in made["spec"]

    world.wait(taken_up)


def between(act: str) -> partial[None]:
    """Acts after the token has been issued and before it is redeemed."""
    return partial(_between, act)


def _between(act: str, world: World) -> None:
    world.shims.put("kubectl", shims.asked("create", '"AccessToken"'))

    def spend() -> None:
        for grant in _grants(world):
            world.patch("cluster", skupper_kinds.GRANTS, grant, {"status": {"redemptions": 1}}, "status")

    def remove() -> None:
        for grant in _grants(world):
            world.delete("cluster", skupper_kinds.GRANTS, grant)

    acts: dict[str, Callable[[], None]] = {
        "expire": partial(world.fault, "clock", "cluster", 300),
        "spend": spend,
        "remove": remove,
    }
    world.when_asked(acts[act])


def _grants(world: World) -> list[str]:
    names = [grant["metadata"]["name"] for grant in world.items("cluster", skupper_kinds.GRANTS)]
    return [name for name in names if "-to-" in name]


def wrong_code(world: World) -> None:
    world.shims.put("kubectl", shims.changed("create", '"AccessToken"', 's/"code": "[^"]*"/"code": "not-the-code"/'))


def secret_in_the_way(world: World) -> None:
    world.create("client", kinds.SECRETS, {"metadata": {"name": "hazelcast-cluster"}, "stringData": {"mine": "yes"}})
    world.planted.append(("client", kinds.SECRETS, "hazelcast-cluster"))


def link_drops(world: World) -> None:
    world.up()
    world.fault("link", "client", "down")
    world.wait(lambda: _link_status(world) == "Pending")


def _link_status(world: World) -> object:
    link = world.get("client", skupper_kinds.LINKS, "hazelcast-cluster") or {}
    return (link.get("status") or {}).get("status")


def nothing(world: World) -> None:
    """Breaks nothing."""


def link_deleted(world: World) -> None:
    world.up()
    world.delete("client", skupper_kinds.LINKS, "hazelcast-cluster")


def stale_names(world: World) -> None:
    world.up()
    world.fault("pod_services", "client", "stale")


def address_changes(world: World) -> None:
    world.up()
    world.fault("lb_address", "cluster", "another")
    world.wait(lambda: _link_status(world) == "Pending")


def record_lost(world: World) -> None:
    """The client site's record of the network loses a member, for longer than records are late."""
    world.up()
    world.fault("records", "client", ["hazelcast-2"])
    world.wait(lambda: world.get("client", kinds.SERVICES, "hazelcast-2") is None)
    time.sleep(RECORD_GRACE_SECONDS)


def certificate_outdated(world: World) -> None:
    """The issuing side's router has an outdated certificate, and the routers have to connect again."""
    world.up()
    world.fault("certificate", "cluster", "outdated")
    world.wait(lambda: _link_status(world) == "Pending")


def second_router(world: World) -> None:
    """The cluster's Site gets a second router after it was linked."""
    world.up()
    world.patch("cluster", skupper_kinds.SITES, "cluster", {"spec": {"ha": True}})
    world.wait(lambda: len(_groups(world)) == 2)


def _groups(world: World) -> set[str]:
    site = world.get("cluster", skupper_kinds.SITES, "cluster") or {}
    return {endpoint["group"] for endpoint in (site.get("status") or {}).get("endpoints") or []}


REDEEM_NEXT = "hzlink link"
SAYS = "Controller got failed response: "
USED_UP = "the token was refused: it had been used already, or its grant was deleted"
ROWS = [
    Fault(
        Part.SITES, "site-never-ready", "a Site's router does not get ready", "timed out waiting for: Site ready",
        "The router's pod runs, but its readiness probe fails.",
        "Check the status of the Site and of the router's pod. If it is only slow, use a longer --timeout.",
        fault("site", "never-ready", "client"), 4, command=SHORT,
        site="client", subject="Site client", said="unready status|not ready",
        next="kubectl --context client -n {namespace} describe sites.skupper.io client",
    ),
    Fault(
        Part.SITES, "site-in-error", "a Site is in error", "failed: Site ready",
        "Skupper does not accept this Site. The error contains Skupper's reason.",
        "Change the Site (here its linkAccess) to a value that Skupper allows in that cluster.", access_not_allowed, 1,
        command=("link", "--timeout", "120"),
        site="client", subject="Site client", said="Unsupported value for LinkAccess: nodeport",
        next="kubectl --context client -n {namespace} describe sites.skupper.io client",
    ),
    Fault(
        Part.SITES, "controller-missing", "Skupper's controller does not run", "failed: Site ready",
        "Skupper's definitions are installed, but its controller is not installed or does not run.",
        "Check whether its pod exists, and that pod's log.", controller_stopped, 1,
        site="client", subject="Site client", said="not processed yet by the Skupper controller",
        next="kubectl --context client get pods --all-namespaces -l app.kubernetes.io/name=skupper-controller",
        alone=True,
    ),
    Fault(
        Part.SITES, "site-of-others", "Sites that hzlink did not make, without link access and not linked",
        "cluster cannot issue a token: others cannot link to its Skupper Site, which hzlink did not make",
        "hzlink uses Sites of others as they are. Here one of them needs link access, which hzlink sets only with "
        "consent.",
        "Give consent with `--enable-link-access`. Or set linkAccess yourself, or link the Sites by hand; then run "
        "`hzlink up` again.", site_of_others, 3,
        site="cluster", subject="Site cluster", said="linkAccess none, no address; it would have to be default",
        next="(sets that, and `down` sets it back; or do it yourself: "
        "kubectl --context cluster -n {namespace} patch sites.skupper.io cluster",
    ),
    Fault(
        Part.SITES, "names-of-another-topology", "another topology of hzlink has a Service of that name",
        "topology other already uses the name hazelcast in namespace {namespace}",
        "Topologies in one namespace share the Skupper Site and the Link. Their Services need different names.",
        "Give this topology's Service another name with `--service`, or the other topology's name with `--name`.",
        names_of_another_topology, 3,
        site="client", subject="Listener hazelcast", said="need Services of different names", next="--name other",
    ),
    Fault(
        Part.SITES, "definitions-older", "Skupper's definitions are of an older release",
        "the Skupper definitions in the cluster of context {client} are of a release that hzlink does not support",
        "They do not have a field that hzlink sets.",
        "Install the required release of Skupper, which includes the definitions.", older_definitions, 3,
        site="client", subject="Listener hazelcast", said="exposePodsByName",
        next="kubectl --context client apply -f https://skupper.io/v2/install.yaml", alone=True,
    ),
    Fault(
        Part.SITES, "address-pending-at-issuer", "the cluster site's load balancer gives no address",
        "the client sites get link access, too",
        "No problem: a link can have either direction, and the side with an address issues the token.",
        "Nothing. --link-from client avoids the wait.", fault("lb", False, "cluster"), 0,
        command=("up", "--timeout", "120", "--address-timeout", "3"), where=Where.TALK,
    ),
    Fault(
        Part.SITES, "address-pending-everywhere", "no load balancer gives an address",
        "neither side can issue: no load balancer gives one of them an address",
        "Neither cluster has a load balancer that works, or both are slower than --timeout.",
        "Install one in either cluster, or give more time; the Service that waits for it is named.",
        fault("lb", False, "cluster", "client"), 4,
        command=(*SHORT, "--address-timeout", "3"),
        site="cluster", subject="Service skupper-router", said="no address yet",
        next="kubectl --context cluster -n {namespace} describe service skupper-router",
    ),
    Fault(
        Part.SITES, "address-pending-as-told", "the side given by --link-from gets no address",
        "cluster got no address for links",
        "--link-from cluster needs an address there, but the load balancer gives none.",
        "Let the other side issue, or give this cluster a load balancer.", fault("lb", False, "cluster"), 4,
        command=("up", "--timeout", "45", "--link-from", "cluster"),
        site="cluster", subject="Service skupper-router", said="no address yet", next="hzlink up --link-from client",
    ),
    Fault(
        Part.SITES, "link-access-not-enabled", "the Skupper controller has not enabled the type of --link-access",
        "the Skupper controller has not enabled link access nodeport",
        "By default a controller enables only the access types local, loadbalancer and route.",
        "Let an administrator enable the type, or use another one. Nothing was written.",
        fault("lb", False, "cluster"), 3,
        command=(*SHORT, "--link-access", "nodeport"),
        site="cluster", subject="Deployment skupper/skupper-controller", said="enabled only local",
        next="kubectl --context cluster -n skupper set env deployment/skupper-controller",
    ),
    Fault(
        Part.TOKENS, "no-grant-server", "the grant server has no address, with --via auto",
        "making the link without a token",
        "A token is redeemed at Skupper's grant server, which has no address or does not answer.",
        "Nothing: hzlink links with a certificate instead. It needs the rights of manifests/rbac/static-link.",
        fault("grant_server", False, "cluster"), 0, command=("up", "--timeout", "80"), where=Where.TALK,
    ),
    Fault(
        Part.TOKENS, "grant-without-address", "the grant server has no address", "no token could be issued at cluster",
        "Tokens are redeemed at Skupper's grant server. Its own load balancer has no address yet.",
        "Check that Service, in the namespace of Skupper's controller.",
        fault("grant_server", False, "cluster"), 4, command=(*SHORT, "--via", "kubectl"),
        site="cluster", subject="AccessGrant hazelcast-cluster-to-client", said="no address for redeeming yet",
        next="kubectl --context cluster get services --all-namespaces --field-selector "
        "metadata.name=skupper-grant-server",
    ),
    Fault(
        Part.TOKENS, "grant-without-address-cli", "the grant server has no address (skupper CLI)",
        "no token could be issued at cluster",
        "As above. The skupper CLI reports only that the grant is not ready.", "As above.",
        fault("grant_server", False, "cluster"), 4, command=(*SHORT, "--via", "skupper"),
        site="cluster", subject="AccessGrant", said="no address for redeeming yet",
        next="kubectl --context cluster get services --all-namespaces --field-selector "
        "metadata.name=skupper-grant-server",
    ),
    Fault(
        Part.TOKENS, "grant-never-ready", "the grant is not processed", "no token could be issued at cluster",
        "The issuing side's controller has not processed the AccessGrant: it does not run, or is overloaded.",
        "Check the controller's pod.", controller_stops_before_the_grant, 4,
        command=("link", "--timeout", "30", "--via", "kubectl"),
        site="cluster", subject="AccessGrant hazelcast-cluster-to-client", said="not processed yet",
        next="kubectl --context cluster -n {namespace} get accessgrants.skupper.io -o wide", alone=True,
    ),
    Fault(
        Part.TOKENS, "token-expired", "the token expires before it is redeemed",
        "the token was refused: it had expired, or the issuer does not know it",
        "A token is good for one minute. It was issued and not redeemed in time, or a clock is wrong.",
        "Nothing: hzlink issues another token. Compare the clusters' clocks where that one is refused, too.",
        between("expire"), 0, command=THROUGH_KUBECTL, where=Where.TALK,
    ),
    Fault(
        Part.TOKENS, "token-used-up", "the token has been used already",
        USED_UP,
        "Skupper counted the token's only use before a link was made.", "Nothing: hzlink issues another token.",
        between("spend"), 0, command=THROUGH_KUBECTL, where=Where.TALK,
    ),
    Fault(
        Part.TOKENS, "grant-gone", "the grant is removed before the token is redeemed",
        "the token was refused: it had expired, or the issuer does not know it",
        "The AccessGrant was removed after the token was issued.", "Nothing: hzlink issues another token.",
        between("remove"), 0,
        command=THROUGH_KUBECTL, where=Where.TALK,
    ),
    Fault(
        Part.TOKENS, "wrong-code", "the token's code is wrong", "the token was refused: its code is wrong",
        "The code that was sent is not the grant's code: something has changed it.", "Link again.", wrong_code, 1,
        command=THROUGH_KUBECTL,
        site="client", subject="AccessToken hazelcast-cluster", said=f"{SAYS}403", next=REDEEM_NEXT,
    ),
    Fault(
        Part.TOKENS, "redeem-unreachable", "the redeeming side cannot reach the issuer",
        "the redeeming site cannot reach the issuing site",
        "The grant server has an address, and the other cluster cannot connect to it (port 9090): a firewall, a "
        "private address, or a load balancer that is still being set up. hzlink tries again until its --timeout.",
        "Open that port, use a longer --timeout, or let the other side issue: --link-from.",
        fault("redeem", "unreachable", "client"), 4, command=(*SHORT, "--via", "kubectl"),
        site="client", subject="AccessToken hazelcast-cluster", said="Controller got error", next=REDEEM_NEXT,
        # Skupper's controller tries the URLs one after the other and meanwhile blocks other namespaces.
        alone=True,
    ),
    Fault(
        Part.TOKENS, "redeem-unreachable-cli", "the same with the skupper CLI",
        "the redeeming site cannot reach the issuing site",
        "As above. The CLI does not report the reason; hzlink reads it from the token's status.", "As above.",
        fault("redeem", "unreachable", "client"), 4, command=(*SHORT, "--via", "skupper"),
        site="client", subject="AccessToken hazelcast-cluster", said="Controller got error", next=REDEEM_NEXT,
        alone=True,
    ),
    Fault(
        Part.TOKENS, "name-resolves-later", "the issuer's host name does not resolve yet (no such host)",
        "does not resolve at the redeeming site",
        "The issuing side's load balancer has a host name, as on EKS. Name servers do not know it yet, or have cached "
        "that it does not exist.",
        "Nothing: hzlink retries with a new token until its --timeout.", fault("lb_name", 6, "cluster"), 0,
        command=THROUGH_KUBECTL, where=Where.TALK,
    ),
    Fault(
        Part.TOKENS, "name-never-resolves", "the issuer's host name does not resolve at all (no such host)",
        "the issuing site's host name skupper-grant-server-{namespace}.cluster.balancers.test does not resolve at the "
        "redeeming site",
        "The redeeming cluster's name servers do not know the name of the other side's load balancer.",
        "Look up the name inside that cluster. Use a longer --timeout, or let the other side issue: "
        "--link-from.",
        fault("lb_name", 3600, "cluster"), 4, command=("up", "--timeout", "30", "--via", "kubectl"),
        site="client", subject="AccessToken hazelcast-cluster", said="no such host", next=REDEEM_NEXT,
    ),
    Fault(
        Part.TOKENS, "address-answers-later", "the issuer's address does not answer yet",
        "the redeeming site cannot reach the issuing site",
        "The issuing side's load balancer has an address, as on AKS, but does not forward connections yet.",
        "Nothing: hzlink retries with a new token until its --timeout.", fault("lb_answer", 4, "cluster"), 0,
        command=THROUGH_KUBECTL, where=Where.TALK,
        # Skupper's controller tries the URLs one after the other and meanwhile blocks other namespaces.
        alone=True,
    ),
    Fault(
        Part.TOKENS, "redeem-fails", "the issuer fails when the token is redeemed",
        "the token of cluster was not redeemed",
        "The issuing side answered with an error, and the token cannot be used again. Skupper retries at once and may "
        "then report that the token had been used already.",
        "Link again.",
        fault("redeem", "error", "cluster"), 1, command=THROUGH_KUBECTL,
        site="client", subject="AccessToken hazelcast-cluster", said=f"{SAYS}500", next=REDEEM_NEXT,
        # Skupper's controller retries at once and replaces the first error by the result.
        later=(USED_UP, f"{SAYS}404"),
    ),
    Fault(
        Part.TOKENS, "secret-in-the-way", "another Secret has the name of the link's Secret",
        "another object already has the name of the link's Secret",
        "The link's Secret must have the link's name. hzlink does not change the existing Secret.",
        "Rename it, or give the topology another name: --name.", secret_in_the_way, 1, command=THROUGH_KUBECTL,
        site="client", subject="secrets/hazelcast-cluster", next="rename it, or give the topology another name: --name",
    ),
    Fault(
        Part.LINKS, "link-never-operational", "the routers do not connect", "timed out waiting for: link to cluster",
        "The Link exists, but the routers cannot connect: the issuer's address (port 55671) cannot be reached from the "
        "other cluster, or a certificate does not match.",
        "Check the Link, and the log of the redeeming side's router.", fault("link", "never", "client"), 4,
        command=SHORT, site="client", subject="Link hazelcast-cluster", said="Not [Oo]perational",
        next="kubectl --context client -n {namespace} describe links.skupper.io hazelcast-cluster",
    ),
    Fault(
        Part.LINKS, "link-host-leads-nowhere", "nothing leads from --link-host to the router",
        "timed out waiting for: link to cluster",
        "The Link leads to the --link-host, but your own load balancer, proxy or VPN does not lead to the router, or "
        "ends TLS before it.",
        "Let it lead to the Service that hzlink names; then the Link becomes ready by itself.", nothing, 4,
        command=("up", "--link-host", "front.example", "--timeout", "30"),
        site="client", subject="Link hazelcast-cluster", said="Not [Oo]perational",
        next="kubectl --context cluster -n {namespace} get service hzlink-router",
    ),
    Fault(
        Part.LINKS, "link-drops", "a link goes down", "Not operational",
        "The routers were connected, and are now disconnected.", "Run `hzlink link`: it repairs or replaces the link.",
        link_drops, 1, command=("status", "--timeout", "30"), where=Where.HOP,
        site="client", subject="Link", next=REDEEM_NEXT,
    ),
    Fault(
        Part.LINKS, "link-deleted", "the Link was deleted", "not linked",
        "There is no Link between the sites.", "Run `hzlink link`: it creates the Link.", link_deleted, 1,
        command=("status", "--timeout", "30"), where=Where.HOP, site="client", subject="Link", next=REDEEM_NEXT,
    ),
    Fault(
        Part.LINKS, "address-changed", "the issuing side's load balancer has another address",
        "Not operational: it leads to",
        "The Link keeps the address that it was made with; Skupper does not change it (2.2).",
        "`hzlink link` or `hzlink up` makes the link anew, at once.", address_changes, 1,
        command=("status", "--timeout", "30"), where=Where.HOP, site="client", subject="Link", next=REDEEM_NEXT,
    ),
    Fault(
        Part.LINKS, "certificate-outdated", "certificate verify failed in the router's log",
        "SSL Failure: error:0A000086:SSL routines::certificate verify failed",
        "The routers do not accept each other's certificates: the issuing Site has got another CA, a certificate has "
        "expired, or a router has not loaded a changed certificate. Skupper's status does not say so, only the log of "
        "the router.",
        "`hzlink link --repair` makes the link again with another certificate, which interrupts nobody. If that is not "
        "enough, it restarts the issuing side's router; connections through it stop for some 20 to 30 s.",
        certificate_outdated, 1, command=("status", "--timeout", "30"), where=Where.HOP, site="client", subject="Link",
        next="hzlink link --repair",
    ),
    Fault(
        Part.LINKS, "second-router-without-a-link", "the Site got a second router (ha) after it was linked",
        "Link hazelcast-cluster leads to 1 of the 2 routers of cluster",
        "A Link leads to one router. A token issued now would give a Link to each.",
        "`hzlink link --repair` adds the Link; nothing is interrupted.", second_router, 0,
        command=("status", "--timeout", "30"), where=Where.WARNING,
    ),
    Fault(
        Part.LINKS, "record-lost", "Skupper has lost the record of a member",
        "the network record of client does not contain member hazelcast-2",
        "Records of the network that are sent while a link is down can be lost for good. The member's Service never "
        "comes, though everything says Ready.",
        "`hzlink link --repair` restarts the router whose record is wrong; connections through it stop for some 20 to "
        "30 s.",
        record_lost, 1,
        command=("status", "--timeout", "30"), where=Where.HOP, site="client", subject="Listener",
        next="hzlink link --repair",
    ),
    Fault(
        Part.LINKS, "record-lost-up", "the same, found by up", "Skupper has lost the record of hazelcast-2",
        "As above. Without --repair, hzlink interrupts nobody.", "As above; `hzlink up --repair` does it, too.",
        record_lost, 1, site="client", said="does not contain member hazelcast-2", next="hzlink link --repair",
    ),
    Fault(
        Part.LINKS, "listener-pending", "the Listener is Pending while traffic flows",
        "client: Skupper still says of the Listener: No matching connectors; its conditions lag behind the traffic",
        "Skupper's conditions lag (skupper issue 2428). The members' Services exist, so the site counts as healthy.",
        "Nothing.", fault("listener", "pending", "client"), 0, where=Where.WARNING,
    ),
    Fault(
        Part.LINKS, "names-missing", "the members' Services are missing",
        "timed out waiting for: names hazelcast-0..2",
        "The link is up, but Skupper has not created a Service for each member at the client site.",
        "Check the Listener. The Connector of the cluster site must match Ready pods.",
        fault("pod_services", "missing", "client"), 4, command=SHORT,
        site="client", subject="Listener hazelcast", said="no Service yet: hazelcast-0, hazelcast-1, hazelcast-2",
        next="kubectl --context client -n {namespace} describe listeners.skupper.io hazelcast",
    ),
    Fault(
        Part.LINKS, "names-stale", "a Service of a member that no longer exists",
        "client: Service hazelcast-2 no longer leads to a member: Skupper has not removed it",
        "Skupper has not removed the Service of a removed member (skupper issue 2251).",
        "Delete that Service if it stays. The warning contains the command.", stale_names, 0,
        command=("up", "--members", "2", "--timeout", "120"), where=Where.WARNING,
    ),
]  # fmt: skip
