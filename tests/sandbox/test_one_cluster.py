"""Two namespaces of one cluster without a load balancer: the link stays inside the cluster."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.manifests.kustomizing import MANIFESTS
from tests.sandbox.conftest import Hzlink, tokens_left
from tests.sandboxed import Namespaces, Sandbox


@pytest.mark.parametrize("link_from", ["auto", "client"])
def test_up_link_and_down(
    sandbox: Sandbox, namespaces: Namespaces, faults: Callable[..., None], tmp_path: Path, link_from: str
) -> None:
    faults(lb={"client": False, "cluster": False})
    clients, members = (Hzlink(sandbox, namespaces.make("none"), tmp_path / "state") for _ in range(2))
    hzlink = clients
    places = (
        *("--client-ctx", "client2", "--client-ns", clients.namespace),
        *("--cluster-ctx", "client", "--cluster-ns", members.namespace),
    )

    checked = hzlink("check", *places, "-o", "wide").ok()
    assert "all sites are in one cluster" in checked.out
    ran = hzlink("up", *places, "--link-from", link_from, "--timeout", "90").ok()

    issuer, redeemer = (members, clients) if link_from == "auto" else (clients, members)
    assert "inside the cluster" in ran.err
    [site] = issuer.objects("client", "sites.skupper.io").values()
    assert site["spec"]["linkAccess"] == "local"
    [link] = redeemer.objects("client", "links.skupper.io").values()
    hosts = {endpoint["host"] for endpoint in link["spec"]["endpoints"]}
    assert hosts == {f"skupper-router.{issuer.namespace}"}
    assert _made_for_links(issuer) == []
    assert tokens_left(members) + tokens_left(clients) == []
    assert "nothing written" in hzlink("up", *places, "--link-from", link_from).ok().err

    redeemer.kubectl("client", "delete", "links.skupper.io", "--all")
    assert "inside the cluster" in hzlink("link").ok().err
    assert hzlink("status").code == 0

    hzlink("down", "--yes").ok()
    assert redeemer.objects("client", "links.skupper.io") == {}
    secrets = {*clients.objects("client", "secrets"), *members.objects("client", "secrets")}
    assert not any("hazelcast" in name for name in secrets)


def _made_for_links(hzlink: Hzlink) -> list[str]:
    """What a Link was made from, which must not stay: the Certificate and its Secret."""
    found = hzlink.objects("client", "certificates.skupper.io,secrets")
    return [name for name in found if name.partition("/")[2].startswith("hazelcast-")]


def test_the_bundled_roles_are_enough(
    sandbox: Sandbox, namespaces: Namespaces, faults: Callable[..., None], tmp_path: Path
) -> None:
    faults(lb={"client": False, "cluster": False})
    clients, members = (Hzlink(sandbox, namespaces.make("none"), tmp_path / "state") for _ in range(2))
    clients.env["KUBECONFIG"] = str(_limited_kubeconfig(clients, members, tmp_path))
    places = (
        *("--client-ctx", "one", "--client-ns", clients.namespace),
        *("--cluster-ctx", "one", "--cluster-ns", members.namespace),
    )

    assert "inside the cluster" in clients("up", *places, "--timeout", "90").ok().err
    clients("down", "--yes").ok()


def _limited_kubeconfig(clients: Hzlink, members: Hzlink, folder: Path) -> Path:
    """A kubeconfig with one context: of a service account that has the bundled Roles in both namespaces."""
    clients.kubectl("client", "create", "serviceaccount", "somebody")
    subjects = {"subjects": [{"kind": "ServiceAccount", "name": "somebody", "namespace": clients.namespace}]}
    for hzlink, role in ((clients, "client"), (members, "cluster")):
        for rights in (role, "static-link"):
            hzlink.kubectl("client", "apply", "-k", str(MANIFESTS / "rbac" / rights))
        own = ("hzlink-mancenter",) if role == "client" else ()
        for binding in ("hzlink", "hzlink-static-link", *own):
            hzlink.kubectl("client", "patch", "rolebinding", binding, "--type=merge", "-p", json.dumps(subjects))
    token = clients.kubectl("client", "create", "token", "somebody").strip()
    config = yaml.safe_load(clients.sandbox.kubeconfig.read_text())
    [context] = [entry["context"] for entry in config["contexts"] if entry["name"] == "client"]
    config["users"] = [{"name": "one", "user": {"token": token}}]
    config["contexts"] = [{"name": "one", "context": {"cluster": context["cluster"], "user": "one"}}]
    file = folder / "kubeconfig"
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(config))
    return file
