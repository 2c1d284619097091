"""--link-access: a link without a load balancer, a type that is not enabled, and a change of the type."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.sandbox.conftest import Hzlink, tokens_left

ENABLED = {"SKUPPER_ENABLED_ACCESS_TYPES": "local,loadbalancer,nodeport", "SKUPPER_CLUSTER_HOST": "192.0.2.9"}


def controller(hzlink: Hzlink, server: str = "cluster", **env: str) -> None:
    """Creates the Deployment of a controller with these variables in the namespace, which it then manages."""
    labels = {"application": "skupper-controller", "skupper.io/component": "controller"}
    container = {"name": "controller", "image": "none", "env": [{"name": k, "value": v} for k, v in env.items()]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "skupper-controller", "labels": labels},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }
    hzlink.kubectl(server, "apply", "-f", "-", stdin=json.dumps(deployment))


def _hosts(hzlink: Hzlink) -> dict[str, set[str]]:
    """The host and ports that the client site's Link leads to."""
    [link] = hzlink.objects("client", "links.skupper.io").values()
    found: dict[str, set[str]] = {}
    for endpoint in link["spec"]["endpoints"]:
        found.setdefault(endpoint["host"], set()).add(endpoint["port"])
    return found


def test_nodeport_without_a_load_balancer_and_back(real_hzlink: Hzlink, faults: Callable[..., None]) -> None:
    hzlink = real_hzlink
    faults(lb={f"cluster/{hzlink.namespace}": False})

    refused = hzlink.up("--link-access", "nodeport")
    assert refused.code == 3
    assert "the Skupper controller has not enabled link access nodeport" in refused.err
    assert "SKUPPER_ENABLED_ACCESS_TYPES=local,loadbalancer,route,nodeport SKUPPER_CLUSTER_HOST=NODE" in refused.err
    assert hzlink.writes() == 0

    controller(hzlink, **ENABLED)
    hzlink.up("--link-access", "nodeport", "--verify").ok()

    service = hzlink.objects("cluster", "services")["Service/skupper-router"]
    assert _hosts(hzlink) == {"192.0.2.9": {str(port["nodePort"]) for port in service["spec"]["ports"]}}
    assert "nothing written" in hzlink.up().ok().err, "the record has the type"
    assert "nothing written" in hzlink.up("--link-access", "auto").ok().err, "a Site with an address keeps its type"
    assert tokens_left(hzlink) == []

    faults()
    ran = hzlink.up("--link-access", "loadbalancer").ok()
    assert "its link leads to 192.0.2.9, but" in ran.err
    assert "192.0.2.9" not in _hosts(hzlink)
    assert hzlink("verify").ok()


def test_type_that_turns_out_not_to_be_enabled_is_set_back(hzlink: Hzlink) -> None:
    hzlink.up().ok()
    before = _hosts(hzlink)

    ran = hzlink.up("--link-access", "nodeport", "--skip-check")

    assert ran.code == 1
    assert "has not enabled link access nodeport; the Site's link access is default again" in ran.err
    assert "-n skupper set env deployment/skupper-controller SKUPPER_ENABLED_ACCESS_TYPES=" in ran.err
    assert hzlink("status", "--wait", "--timeout", "30").ok()
    assert _hosts(hzlink) == before
