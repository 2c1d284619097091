"""The bundled Roles on real API servers: hzlink works with them alone, and needs every right in them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import yaml

from hzlink.checks import needed_rights
from hzlink.checks.needed_rights import Right
from hzlink.model.choices import Role
from sandbox.api.kinds import NotFoundError
from tests.manifests.kustomizing import MANIFESTS
from tests.sandbox.conftest import Hzlink
from tests.sandboxed import resources, until

USER = "somebody"
SITES = {"client": Role.CLIENT, "cluster": Role.CLUSTER}
BINDINGS = {
    "client": ("hzlink", "hzlink-mancenter", "hzlink-portforward"),
    "cluster": ("hzlink", "hzlink-portforward"),
}
# kubectl sends a GET that becomes a websocket; if it is refused, a POST, as older versions do.
FORWARDING = Right("", "pods/portforward", "get")


@pytest.fixture
def limited(hzlink: Hzlink) -> Hzlink:
    """hzlink for a user who has only the bundled Roles in one namespace."""
    return limit(hzlink)


@pytest.fixture
def real_limited(real_hzlink: Hzlink) -> Hzlink:
    """The same, with real Hazelcast members."""
    return limit(real_hzlink)


def limit(hzlink: Hzlink, **folders: str) -> Hzlink:
    """Makes hzlink run as a service account with only the bundled Roles; `folders`: other ones than those of SITES."""
    config = yaml.safe_load(hzlink.sandbox.kubeconfig.read_text())
    clusters = {entry["name"]: entry["context"]["cluster"] for entry in config["contexts"]}
    config["users"], config["contexts"] = [], []
    for server, role in SITES.items():
        hzlink.kubectl(server, "create", "serviceaccount", USER)
        hzlink.kubectl(server, "apply", "-k", str(MANIFESTS / "rbac" / folders.get(server, role)))
        subjects = {"subjects": [{"kind": "ServiceAccount", "name": USER, "namespace": hzlink.namespace}]}
        for name in BINDINGS[server]:
            hzlink.kubectl(server, "patch", "rolebinding", name, "--type=merge", "-p", json.dumps(subjects))
        token = hzlink.kubectl(server, "create", "token", USER).strip()
        config["users"].append({"name": server, "user": {"token": token}})
        config["contexts"].append({"name": server, "context": {"cluster": clusters[server], "user": server}})
    hzlink.state.mkdir()
    file = hzlink.state.parent / "kubeconfig"
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(config))
    hzlink.env["KUBECONFIG"] = str(file)
    return hzlink


def asked(hzlink: Hzlink, server: str) -> list[dict[str, Any]]:
    """The user's requests to an API server, from its audit log."""
    # The audit log is written after the response.
    time.sleep(0.3)
    account = f"system:serviceaccount:{hzlink.namespace}:{USER}"
    return [event for event in hzlink.sandbox.audit(server) if event["user"]["username"] == account]


def refused(hzlink: Hzlink) -> set[str]:
    """The refused requests, except those for Skupper's controller and for explanations, which hzlink does not need."""
    return {
        f"{event['verb']} {_resource(event)} ({server})"
        for server in SITES
        for event in asked(hzlink, server)
        if event.get("responseStatus", {}).get("code") == 403
        and event["objectRef"].get("namespace") != "skupper"
        and _resource(event) not in EXPLAINING
    }


def used(events: list[dict[str, Any]], right: Right) -> bool:
    """Whether a request needed that right."""
    return any(_needs(event, right) for event in events if event.get("responseStatus", {}).get("code") != 403)


def _resource(event: dict[str, Any]) -> str:
    what = event.get("objectRef", {})
    return "/".join(filter(None, (what.get("resource"), what.get("subresource"))))


EXPLAINING = {"events", "pods/log"}
READING = {"get", "list", "watch"}


def _needs(event: dict[str, Any], right: Right) -> bool:
    """get, list and watch count as one right: `kubectl wait` watches only objects that still exist."""
    what = event.get("objectRef", {})
    # Applying a new object is a patch request that also needs the right to create it.
    verbs = {event["verb"], "create" if event["responseStatus"]["code"] == 201 else event["verb"]}
    return (
        (what.get("apiGroup", ""), _resource(event)) == (right.group, right.resource)
        and (right.verb in verbs or (right.verb in READING and not verbs.isdisjoint(READING)))
        and (not right.names or what.get("name") in right.names)
    )


@pytest.mark.parametrize("via", ["skupper", "kubectl"])
def test_roles_are_sufficient(limited: Hzlink, via: str) -> None:
    limited.up("--via", via).ok()
    assert "already up" in limited.up("--via", via).ok().err
    limited("status").ok()
    limited.kubectl("client", "delete", "links.skupper.io", "--all")
    limited("link", "--via", via).ok()
    assert "no objects of hzlink are left" in limited("down", "--yes").ok().out
    # The Roles do not allow reading Namespaces: hzlink then assumes that the namespace exists.
    assert refused(limited) <= {"get namespaces (client)", "get namespaces (cluster)"}
    assert asked(limited, "client"), "the requests came from this user"


def test_verify_needs_only_the_port_forward_role(real_limited: Hzlink, kubeconfig: Path) -> None:
    real_limited.up("--verify").ok()
    real_limited("status").ok()
    assert not used(asked(real_limited, "cluster"), FORWARDING), "verify forwards no port at the cluster site"
    real_limited("bench", "--seconds", "0.5").ok()
    assert all(used(asked(real_limited, server), FORWARDING) for server in SITES)
    for server in SITES:
        real_limited.kubectl(server, "delete", "rolebinding", "hzlink-portforward")
    ran = real_limited("verify")
    assert ran.code == 3
    assert "pods/portforward" in ran.err
    real_limited("down", "--yes").ok()
    assert refused(real_limited) == {
        "get namespaces (client)",
        "get namespaces (cluster)",
        "get pods/portforward (client)",
        "create pods/portforward (client)",
    }


def test_missing_role_binding_is_reported(limited: Hzlink) -> None:
    limited.kubectl("client", "delete", "rolebinding", "hzlink")
    ran = limited.up()
    assert ran.code == 3
    assert "client: you may not read objects" in ran.err
    assert "auth can-i --list" in ran.err


def test_management_center_needs_its_own_role(limited: Hzlink) -> None:
    limited.kubectl("client", "delete", "rolebinding", "hzlink-mancenter")
    ran = limited.up()
    assert ran.code == 3
    assert "create, patch, delete deployments.apps" in ran.err
    limited.up("--no-mancenter").ok()
    limited("status").ok()
    assert "no objects of hzlink are left" in limited("down", "--yes").ok().out
    assert refused(limited) <= {"get namespaces (client)", "get namespaces (cluster)"}


def test_every_right_in_the_roles_is_used(limited: Hzlink) -> None:
    """Runs every kind of step at both sites; then some request must have used each right."""
    for run in (_install_and_repair, _change_issuer, _issue_from_client):
        run(limited)
        with slow_deletion(limited):
            limited("down", "--yes").ok()
    calls = {server: asked(limited, server) for server in SITES}
    unused_rights = [
        f"{server}: {right}"
        for server, role in SITES.items()
        for right in needed_rights.needed(role)
        if not used(calls[server], right)
    ]
    assert unused_rights == [], "\n".join(["unused rights in the Roles:", *unused_rights])


def _install_and_repair(hzlink: Hzlink) -> None:
    """A first `up`, a lost link, a restart of Management Center, a change of mode."""
    _write_foreign_lease(hzlink)
    assert "taking the lock" in hzlink.up("--via", "skupper", "--force-unlock").ok().err
    hzlink.kubectl("client", "delete", "links.skupper.io", "--all")
    until(lambda: "Service/hazelcast-0" not in hzlink.objects("client", "services"))
    hzlink("link").ok()
    # The members' names are newer than Management Center now.
    assert "restarted" in hzlink.up().ok().err
    hzlink.up("--mode", "unisocket").ok()


def _write_foreign_lease(hzlink: Hzlink) -> None:
    """Writes the Lease of a run on another machine."""
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "hzlink", "namespace": hzlink.namespace},
        "spec": {"holderIdentity": "ann@elsewhere"},
    }
    hzlink.sandbox.kubectl("cluster", "create", "-f", "-", stdin=json.dumps(lease))


def _change_issuer(hzlink: Hzlink) -> None:
    """The client site issues, then the cluster site: both Skupper Sites are changed."""
    hzlink.up("--via", "kubectl", "--link-from", "client").ok()
    hzlink.up("--via", "kubectl", "--link-from", "cluster").ok()


def _issue_from_client(hzlink: Hzlink) -> None:
    hzlink.up("--via", "skupper", "--link-from", "client").ok()


HOLD = "test.hzlink.io/hold"
# Objects that are garbage collected after hzlink has deleted their owners.
SLOW = (
    "pods,services,configmaps,serviceaccounts,deployments,roles,rolebindings,"
    "routeraccesses.skupper.io,securedaccesses.skupper.io,certificates.skupper.io"
)


@contextmanager
def slow_deletion(hzlink: Hzlink) -> Iterator[None]:
    """Delays every deletion by a finalizer, as on a busy cluster: hzlink has to wait for each object."""
    for server in SITES:
        _hold(hzlink, server, [HOLD], going=False)
    over = Event()

    def release() -> None:
        while not over.wait(1.5):
            for server in SITES:
                _hold(hzlink, server, None, going=True)

    releasing = Thread(target=release)
    releasing.start()
    try:
        yield
    finally:
        over.set()
        releasing.join()
        for server in SITES:
            _hold(hzlink, server, None, going=True)


def _hold(hzlink: Hzlink, server: str, finalizers: list[str] | None, *, going: bool) -> None:
    kube, patch = hzlink.sandbox.kube(server), {"metadata": {"finalizers": finalizers}}
    for resource in resources(SLOW):
        for item in kube.list(resource, hzlink.namespace):
            if ("deletionTimestamp" in item["metadata"]) == going:
                with suppress(NotFoundError):
                    kube.patch(resource, hzlink.namespace, item["metadata"]["name"], patch)
