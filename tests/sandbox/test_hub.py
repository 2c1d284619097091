"""A hub: neither side links to the other, both link to a third namespace."""

from __future__ import annotations

import json
from pathlib import Path

from tests.manifests.kustomizing import MANIFESTS
from tests.sandbox.conftest import Hzlink, tokens_left
from tests.sandbox.test_roles import USER, limit
from tests.sandboxed import Namespaces, Sandbox

CONTEXTS = ("--client-ctx", "client", "--cluster-ctx", "cluster")


def test_up_over_a_hub(sandbox: Sandbox, namespaces: Namespaces, real_hzlink: Hzlink, tmp_path: Path) -> None:
    """With real members, by a user who has only the bundled Roles."""
    hzlink = limit(real_hzlink)
    hub = Hzlink(sandbox, namespaces.make("none"), tmp_path / "hub")
    places = (*CONTEXTS, "-n", hzlink.namespace, "--hub-ctx", "cluster", "--hub-ns", hub.namespace)
    hub.kubectl("cluster", "apply", "-k", str(MANIFESTS / "rbac" / "hub"))
    subjects = {"subjects": [{"kind": "ServiceAccount", "name": USER, "namespace": hzlink.namespace}]}
    hub.kubectl("cluster", "patch", "rolebinding", "hzlink", "--type=merge", "-p", json.dumps(subjects))
    before = hub.objects("cluster", "secrets,configmaps,serviceaccounts").keys()
    hzlink("check", *places).ok()

    hzlink("up", *places, "--verify").ok()

    [site] = hub.objects("cluster", "sites.skupper.io").values()
    assert site["spec"]["linkAccess"] == "default"
    for context in ("client", "cluster"):
        [own] = hzlink.objects(context, "sites.skupper.io").values()
        assert own["spec"]["linkAccess"] == "none"
        [link] = hzlink.objects(context, "links.skupper.io").values()
        assert link["status"]["remoteSiteId"] == site["metadata"]["uid"]
    assert hub.objects("cluster", "links.skupper.io,listeners.skupper.io,connectors.skupper.io") == {}
    assert tokens_left(hzlink) + tokens_left(hub) == []

    # The hub is recorded, as the other sites are.
    shown = hzlink("status", "-o", "json").ok().document
    name = site["metadata"]["name"]
    assert [one["role"] for one in shown["sites"]] == ["cluster", "client", "hub"]
    [link] = shown["links"]
    assert [(one["holder"], one["state"]) for one in link["way"]] == [
        (shown["sites"][1]["name"], "ok"),
        (shown["sites"][0]["name"], "ok"),
    ]
    [path] = shown["paths"]
    assert [hop["site"] for hop in path["hops"] if hop["hop"] == "Site"][1] == name
    written = hzlink.writes()
    assert "nothing written" in hzlink("up").ok().err
    assert hzlink.writes() == written

    (hzlink.state / "hzlink" / "last.json").rename(hzlink.state / "kept.json")
    refused = hzlink("up", *CONTEXTS, "-n", hzlink.namespace)
    assert refused.code == 3
    assert "the sites are linked over a hub, and this machine does not know which" in refused.err
    (hzlink.state / "kept.json").rename(hzlink.state / "hzlink" / "last.json")

    hzlink("down", "--yes").ok()
    assert hub.objects("cluster", "sites.skupper.io,leases,accessgrants.skupper.io") == {}
    assert hub.objects("cluster", "secrets,configmaps,serviceaccounts").keys() == before
    for context in ("client", "cluster"):
        assert hzlink.objects(context, "sites.skupper.io,links.skupper.io") == {}
