"""--link-host: a load balancer of the user's own in front of the router, and a certificate that names it."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.manifests.kustomizing import MANIFESTS
from tests.sandbox.conftest import Hzlink, tokens_left
from tests.sandbox.test_roles import USER, limit, refused
from tests.sandboxed import until

LINKS = "links.skupper.io"
OWN = "routeraccesses.skupper.io,securedaccesses.skupper.io,certificates.skupper.io,services,secrets"

SECRET = "Secret/hzlink-router"


def balancer(hzlink: Hzlink, name: str, port: int) -> str:
    """Makes the user's own load balancer for the router's port; returns its address."""
    ports = [{"port": port, "targetPort": 55672}]
    spec = {"type": "LoadBalancer", "selector": {"skupper.io/component": "router"}, "ports": ports}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
    hzlink.kubectl("cluster", "apply", "-f", "-", stdin=json.dumps(service))

    def address() -> str:
        ingress = hzlink.objects("cluster", "services")[f"Service/{name}"]["status"]["loadBalancer"].get("ingress")
        return str(ingress[0]["ip"]) if ingress else ""

    until(lambda: bool(address()))
    return address()


def leads_to(hzlink: Hzlink) -> list[tuple[str, str]]:
    """The hosts and ports that the client site's Link leads to."""
    [link] = hzlink.objects("client", LINKS).values()
    return [(one["host"], one["port"]) for one in link["spec"]["endpoints"]]


def own(hzlink: Hzlink) -> set[str]:
    """The objects for --link-host that exist at the cluster site."""
    return {name for name in hzlink.objects("cluster", OWN) if name.endswith("/hzlink-router")}


def test_own_load_balancer_its_change_a_wrong_name_and_down(real_hzlink: Hzlink, faults: Callable[..., None]) -> None:
    hzlink = real_hzlink
    first, second = balancer(hzlink, "front", 443), balancer(hzlink, "other", 55671)
    before = hzlink.objects("cluster", "services").keys()

    ran = hzlink.up("--link-host", f"{first}:443", "--verify").ok()
    assert f"{first}:443 has to lead to Service hzlink-router, port 55672" in ran.err
    assert leads_to(hzlink) == [(first, "443")]
    assert hzlink.objects("cluster", "sites.skupper.io")["Site/cluster"]["spec"]["linkAccess"] == "none"
    assert hzlink("status", "-o", "json").ok().document["findings"] == []
    ran = hzlink.up().ok()
    assert "nothing written" in ran.err
    assert "has to lead to" not in ran.err

    ran = hzlink.up("--link-host", second).ok()
    assert f"its link leads to {first}:443, as --link-host said before, not to {second}:55671" in ran.err
    assert leads_to(hzlink) == [(second, "55671")]
    assert hzlink("verify").ok()

    wrong = json.dumps({"spec": {"hosts": ["elsewhere.example"]}})
    hzlink.kubectl("cluster", "patch", "certificates.skupper.io", "hzlink-router", "--type=merge", "-p", wrong)
    until(lambda: hzlink("status").code == 1)
    ran = hzlink("status")
    assert "first broken hop is the Link of client" in ran.out + ran.err
    assert "certificate verify failed" in ran.out + ran.err
    assert f"hzlink up --link-host {second}:55671" in ran.out + ran.err
    hzlink.up("--force-conflicts").ok()
    assert hzlink("status", "--wait", "--timeout", "2m").ok()

    hzlink("down", "--yes").ok()
    assert own(hzlink) <= {SECRET}
    # The garbage collector deletes it with the Certificate.
    until(lambda: own(hzlink) == set())
    assert tokens_left(hzlink) == []
    assert hzlink.objects("cluster", "services").keys() == before, "the user's own load balancers stay"


def grant(hzlink: Hzlink, server: str, folder: str) -> None:
    """Gives the user of `limit` the rights of a folder of manifests/rbac."""
    hzlink.kubectl(server, "apply", "-k", str(MANIFESTS / "rbac" / folder))
    subjects = {"subjects": [{"kind": "ServiceAccount", "name": USER, "namespace": hzlink.namespace}]}
    hzlink.kubectl(server, "patch", "rolebinding", f"hzlink-{folder}", "--type=merge", "-p", json.dumps(subjects))


def test_link_access_to_link_host_and_back_with_the_least_rights(hzlink: Hzlink) -> None:
    limit(hzlink)
    hzlink.up().ok()
    address = balancer(hzlink, "front", 55671)
    written = hzlink.writes()
    denied = hzlink.up("--link-host", address)
    assert (denied.code, hzlink.writes()) == (3, written), str(denied)
    for server, folder in (("client", "static-link"), ("cluster", "static-link"), ("cluster", "link-host")):
        grant(hzlink, server, folder)

    ran = hzlink.up("--link-host", address).ok()
    assert "its link leads to the Site's own address, not to" in ran.err
    assert "delete routeraccesses.skupper.io skupper-router" in ran.err
    assert leads_to(hzlink) == [(address, "55671")]
    ran = hzlink.up("--link-host", "").ok()
    assert f"its link leads to {address}:55671, as --link-host said before" in ran.err
    assert address not in dict(leads_to(hzlink))
    assert own(hzlink) <= {SECRET}
    assert "nothing written" in hzlink.up().ok().err
    hzlink("down", "--yes").ok()
    assert refused(hzlink) <= {"get namespaces (client)", "get namespaces (cluster)"}
