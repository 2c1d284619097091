"""The bundled Roles on real API servers: hzlink works with no more than them, and needs all that they give."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import yaml

from hzlink.checks import needed_rights
from hzlink.checks.needed_rights import Right
from hzlink.model.choices import Role
from tests.manifests.kustomizing import MANIFESTS
from tests.sandbox.conftest import Hzlink
from tests.sandboxed import until

USER = "somebody"
SITES = {"client": Role.CLIENT, "cluster": Role.CLUSTER}
BINDINGS = ("hzlink", "hzlink-portforward")
# kubectl asks with a GET that becomes a websocket, and where that is refused, as the older ones do, with a POST.
FORWARDING = Right("", "pods/portforward", "get")


@pytest.fixture
def limited(hzlink: Hzlink) -> Hzlink:
    """hzlink for a user who is bound to the bundled Roles in one namespace and has no other right."""
    return limit(hzlink)


@pytest.fixture
def real_limited(real_hzlink: Hzlink) -> Hzlink:
    """The same, with real Hazelcast members."""
    return limit(real_hzlink)


def limit(hzlink: Hzlink) -> Hzlink:
    """Makes hzlink run as a service account that has what the bundled Roles give."""
    config = yaml.safe_load(hzlink.sandbox.kubeconfig.read_text())
    clusters = {entry["name"]: entry["context"]["cluster"] for entry in config["contexts"]}
    config["users"], config["contexts"] = [], []
    for server, role in SITES.items():
        hzlink.kubectl(server, "create", "serviceaccount", USER)
        hzlink.kubectl(server, "apply", "-k", str(MANIFESTS / "rbac" / role))
        subjects = {"subjects": [{"kind": "ServiceAccount", "name": USER, "namespace": hzlink.namespace}]}
        for name in BINDINGS:
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
    """What the user asked an API server for, from its audit log."""
    # The audit log is written behind the answer.
    time.sleep(0.3)
    account = f"system:serviceaccount:{hzlink.namespace}:{USER}"
    return [event for event in hzlink.sandbox.audit(server) if event["user"]["username"] == account]


def refused(hzlink: Hzlink) -> set[str]:
    """What was asked for in vain, but for how Skupper's controller is: the checks do without it."""
    return {
        f"{event['verb']} {_resource(event)} ({server})"
        for server in SITES
        for event in asked(hzlink, server)
        if event.get("responseStatus", {}).get("code") == 403 and event["objectRef"].get("namespace") != "skupper"
    }


def used(events: list[dict[str, Any]], right: Right) -> bool:
    """Whether a call needed that right."""
    return any(_needs(event, right) for event in events if event.get("responseStatus", {}).get("code") != 403)


def _resource(event: dict[str, Any]) -> str:
    what = event.get("objectRef", {})
    return "/".join(filter(None, (what.get("resource"), what.get("subresource"))))


READING = {"get", "list", "watch"}


def _needs(event: dict[str, Any], right: Right) -> bool:
    """Reading a type is one right here: `kubectl wait` gets or lists, and watches only what is still there then."""
    what = event.get("objectRef", {})
    # Applying what is not there yet is asked for as a patch, and allowed to those who may create it, too.
    verbs = {event["verb"], "create" if event["responseStatus"]["code"] == 201 else event["verb"]}
    return (
        (what.get("apiGroup", ""), _resource(event)) == (right.group, right.resource)
        and (right.verb in verbs or (right.verb in READING and verbs & READING))
        and (not right.names or what.get("name") in right.names)
    )


@pytest.mark.parametrize("via", ["skupper", "kubectl"])
def test_the_roles_are_enough(limited: Hzlink, via: str) -> None:
    limited.up("--via", via).ok()
    assert "already up" in limited.up("--via", via).ok().err
    limited("status").ok()
    limited.kubectl("client", "delete", "links.skupper.io", "--all")
    limited("link", "--via", via).ok()
    assert "no objects of hzlink are left" in limited("down", "--yes").ok().out
    # Namespaces are not in any: who may not read them is taken at their word.
    assert refused(limited) <= {"get namespaces (client)", "get namespaces (cluster)"}
    assert asked(limited, "client"), "it is this user who asked"


def test_the_proof_needs_but_one_right_more(real_limited: Hzlink, kubeconfig: Path) -> None:
    real_limited.up("--verify").ok()
    real_limited("status").ok()
    assert not used(asked(real_limited, "cluster"), FORWARDING), "the proof asks nothing of the cluster site's pods"
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


def test_without_the_binding_hzlink_says_what_may_not_be_done(limited: Hzlink) -> None:
    limited.kubectl("client", "delete", "rolebinding", "hzlink")
    ran = limited.up()
    assert ran.code == 3
    assert "client: you may not read objects" in ran.err
    assert "auth can-i --list" in ran.err


def test_nothing_in_the_roles_is_without_use(limited: Hzlink) -> None:
    """Every way that hzlink can take at a site; then each right must have been used by some call."""
    for run in (_mending, _turning, _the_other_side_first):
        run(limited)
        with held_back(limited):
            limited("down", "--yes").ok()
    calls = {server: asked(limited, server) for server in SITES}
    without_use = [
        f"{server}: {right}"
        for server, role in SITES.items()
        for right in needed_rights.needed(role)
        if not used(calls[server], right)
    ]
    assert without_use == [], "\n".join(["the Roles give what no call needs:", *without_use])


def _mending(hzlink: Hzlink) -> None:
    """From nothing; a link that was lost; Management Center looked after; a change of the mode."""
    _locked(hzlink)
    assert "taking the lock" in hzlink.up("--via", "skupper", "--force-unlock").ok().err
    hzlink.kubectl("client", "delete", "links.skupper.io", "--all")
    until(lambda: "Service/hazelcast-0" not in hzlink.objects("client", "services"), 60)
    hzlink("link").ok()
    # The members' names are newer than Management Center now.
    assert "restarted" in hzlink.up().ok().err
    hzlink.up("--mode", "unisocket").ok()


def _locked(hzlink: Hzlink) -> None:
    """By a run whose machine is gone."""
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "hzlink-hazelcast", "namespace": hzlink.namespace},
        "spec": {"holderIdentity": "ann@elsewhere"},
    }
    hzlink.sandbox.kubectl("cluster", "create", "-f", "-", stdin=json.dumps(lease))


def _turning(hzlink: Hzlink) -> None:
    """The client site issues, then the cluster site: each Skupper Site is told otherwise."""
    hzlink.up("--via", "kubectl", "--link-from", "client").ok()
    hzlink.up("--via", "kubectl", "--link-from", "cluster").ok()


def _the_other_side_first(hzlink: Hzlink) -> None:
    hzlink.up("--via", "skupper", "--link-from", "client").ok()


HOLD = "test.hzlink.io/hold"
# What goes by itself, sooner or later, after hzlink deleted what it belongs to.
SLOW = (
    "pods,services,configmaps,serviceaccounts,deployments,roles,rolebindings,"
    "routeraccesses.skupper.io,securedaccesses.skupper.io,certificates.skupper.io"
)


@contextmanager
def held_back(hzlink: Hzlink) -> Iterator[None]:
    """Meanwhile nothing goes at once, as on a busy cluster: hzlink has to wait for each object."""
    for server in SITES:
        _hold(hzlink, server, [HOLD], going=False)
    over = Event()

    def let_go() -> None:
        while not over.wait(1.5):
            for server in SITES:
                _hold(hzlink, server, None, going=True)

    letting_go = Thread(target=let_go)
    letting_go.start()
    try:
        yield
    finally:
        over.set()
        letting_go.join()
        for server in SITES:
            _hold(hzlink, server, None, going=True)


def _hold(hzlink: Hzlink, server: str, finalizers: list[str] | None, *, going: bool) -> None:
    patch = json.dumps({"metadata": {"finalizers": finalizers}})
    for name, item in hzlink.objects(server, SLOW).items():
        metadata = item["metadata"]
        if ("deletionTimestamp" in metadata) == going:
            # What has gone meanwhile cannot be patched.
            hzlink.sandbox.kubectl(
                server, "-n", hzlink.namespace, "patch", name, "--type=merge", "-p", patch, check=False
            )
