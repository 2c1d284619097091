"""`hzlink check`, and the checks of `up`, on real API servers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sandbox.conftest import Hzlink, Ran
from tests.sandboxed import Namespaces, Sandbox

PLACES = ("--client-ctx", "client", "--cluster-ctx", "cluster")
Edit = Callable[[dict[str, Any]], None]


def check(hzlink: Hzlink, *args: str, places: tuple[str, ...] = PLACES, env: dict[str, str] | None = None) -> Ran:
    """`hzlink check` in the test's namespace, as JSON."""
    return hzlink("check", *places, "-n", hzlink.namespace, "-o", "json", *args, env=env)


def failed(ran: Ran, result: str = "failed") -> dict[tuple[str | None, str], dict[str, Any]]:
    """The checks with that result, by site and id."""
    assert ran.out, ran.err
    return {(one.get("site"), one["id"]): one for one in ran.document["checks"] if one["result"] == result}


@pytest.fixture
def edited(sandbox: Sandbox, tmp_path: Path) -> Callable[[Edit], dict[str, str]]:
    """Returns an environment with a changed kubeconfig."""

    def make(edit: Edit) -> dict[str, str]:
        config = yaml.safe_load(sandbox.kubeconfig.read_text(encoding="utf-8"))
        edit(config)
        file = tmp_path / "kubeconfig"
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        return {"KUBECONFIG": str(file)}

    return make


def _as_ann(config: dict[str, Any]) -> None:
    for entry in config["users"]:
        entry["user"]["as"] = "ann"


def _grant(hzlink: Hzlink, context: str, rules: list[dict[str, Any]]) -> None:
    """Grants ann these rights in the namespace."""
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "ann"}, "rules": rules}
    hzlink.kubectl(context, "apply", "--filename=-", stdin=json.dumps(role))
    hzlink.kubectl(context, "create", "rolebinding", "ann", "--role=ann", "--user=ann")


def _rules(side: str) -> list[dict[str, Any]]:
    """The rules of the bundled Roles."""
    folder = Path(__file__).resolve().parents[2] / "manifests" / "rbac"
    files = ("role.yaml", "mancenter.yaml") if side == "client" else ("role.yaml",)
    return [
        rule for file in files for rule in yaml.safe_load((folder / side / file).read_text(encoding="utf-8"))["rules"]
    ]


def test_checks_pass_before_and_after_up(hzlink: Hzlink) -> None:
    written = hzlink.writes()
    before = check(hzlink).ok()
    assert failed(before) == {}
    assert before.document["ready"] is True
    assert {one["id"] for one in before.document["checks"]} >= {"rights", "skupper-controller-runs", "link-access"}
    assert hzlink.writes() == written

    hzlink.up().ok()

    assert failed(check(hzlink).ok()) == {}
    assert "ready" in hzlink("check").ok().out
    # If nothing has to be done, `up` only observes and runs no checks.
    again = hzlink.up("-v").ok()
    assert "nothing written" in again.err
    assert " get " in again.err
    assert " version " not in again.err
    assert " create " not in again.err


def test_bundled_roles_pass_and_unreadable_facts_are_unknown(
    hzlink: Hzlink, edited: Callable[[Edit], dict[str, str]]
) -> None:
    for side in ("client", "cluster"):
        _grant(hzlink, side, _rules(side))
    ran = check(hzlink, env=edited(_as_ann)).ok()
    assert failed(ran) == {}
    assert {("client", "skupper-controller"), ("cluster", "skupper-controller")} <= failed(ran, "unknown").keys()


def test_missing_right_is_named_and_stops_up(hzlink: Hzlink, edited: Callable[[Edit], dict[str, str]]) -> None:
    _grant(hzlink, "client", _rules("client"))
    _grant(hzlink, "cluster", [rule for rule in _rules("cluster") if "statefulsets" not in rule["resources"]])
    hzlink.kubectl("cluster", "patch", "role", "ann", "--type=json", f"--patch={json.dumps(_READ_STATEFULSETS)}")
    env = edited(_as_ann)

    ran = check(hzlink, env=env)
    assert ran.code == 3
    [(place, one)] = failed(ran).items()
    assert place == ("cluster", "rights")
    assert "create" in one["message"]
    assert "statefulsets.apps" in one["message"]
    assert "manifests/rbac/cluster" in one["next"]

    before = hzlink.writes()
    stopped = hzlink("up", *PLACES, "-n", hzlink.namespace, env=env)
    assert (stopped.code, stopped.out) == (3, "")
    assert "error: cluster: you may not" in stopped.err
    assert "statefulsets.apps" in stopped.err
    assert hzlink.writes() == before


_READ_STATEFULSETS = [
    {
        "op": "add",
        "path": "/rules/-",
        "value": {"apiGroups": ["apps"], "resources": ["statefulsets"], "verbs": ["get", "list", "watch"]},
    }
]


def test_restricted_namespace_stops_up_unless_checks_are_skipped(hzlink: Hzlink) -> None:
    label = "pod-security.kubernetes.io/enforce=restricted"
    hzlink.sandbox.kubectl("client", "label", "namespace", hzlink.namespace, label)

    ran = check(hzlink)
    assert ran.code == 3
    assert failed(ran).keys() == {("client", "pod-security")}
    before = hzlink.writes()
    stopped = hzlink.up()
    assert stopped.code == 3
    assert "enforces PodSecurity restricted" in stopped.err
    assert f"next: kubectl --context client label namespace {hzlink.namespace}" in stopped.err
    assert hzlink.writes() == before

    hzlink.up("--skip-check", "--timeout", "5")
    assert hzlink.writes() > before


def test_foreign_service_with_a_members_name_fails(hzlink: Hzlink) -> None:
    hzlink.kubectl("client", "create", "service", "clusterip", "hazelcast-1", "--tcp=80")

    ran = check(hzlink)
    assert ran.code == 3
    [(place, one)] = failed(ran).items()
    assert place == ("client", "service-names")
    assert "hazelcast-1" in one["message"]
    assert hzlink.up().code == 3


def test_sites_of_others_without_link_access(hzlink: Hzlink) -> None:
    for context in ("client", "cluster"):
        site = {"apiVersion": "skupper.io/v2alpha1", "kind": "Site", "metadata": {"name": "other"}, "spec": {}}
        hzlink.kubectl(context, "apply", "--filename=-", stdin=json.dumps(site))

    ran = check(hzlink)
    assert ran.code == 3
    assert failed(ran).keys() == {("cluster", "foreign-site")}
    stopped = hzlink.up("--skip-check")
    assert stopped.code == 3, "skipping the checks is no leave to touch what is not hzlink's"
    assert "which hzlink did not make" in stopped.err


def test_one_namespace_at_two_addresses_fails(hzlink: Hzlink, edited: Callable[[Edit], dict[str, str]]) -> None:
    def another_address(config: dict[str, Any]) -> None:
        [client] = [entry for entry in config["clusters"] if entry["name"] == "client"]
        config["clusters"].append({"name": "twin", "cluster": {**client["cluster"], "server": _slash(client)}})
        context = {"cluster": "twin", "user": "client", "namespace": "default"}
        config["contexts"].append({"name": "twin", "context": context})

    def _slash(entry: dict[str, Any]) -> str:
        return f"{entry['cluster']['server']}/"

    env = edited(another_address)
    ran = check(hzlink, places=("--client-ctx", "client", "--cluster-ctx", "twin"), env=env)
    assert ran.code == 3
    assert failed(ran).keys() == {(None, "separate-sites")}
    before = hzlink.writes()
    stopped = hzlink("up", "--client-ctx", "client", "--cluster-ctx", "twin", "-n", hzlink.namespace, env=env)
    assert (stopped.code, hzlink.writes()) == (3, before)


def test_two_namespaces_on_one_server_pass(hzlink: Hzlink, namespaces: Namespaces) -> None:
    other = namespaces.make("none")
    ran = hzlink(
        *("check", "--client-ctx", "client2", "--cluster-ctx", "client", "-o", "json"),
        *("--client-ns", hzlink.namespace, "--cluster-ns", other),
    ).ok()
    assert ("separate-sites", "passed") in {(one["id"], one["result"]) for one in ran.document["checks"]}


def test_silent_server_fails_only_its_api_check(hzlink: Hzlink) -> None:
    with hzlink.sandbox.frozen("client"):
        ran = check(hzlink, "--timeout", "5")

    assert ran.code == 3
    assert failed(ran).keys() == {("client", "api")}
    assert {one["id"] for one in ran.document["checks"] if one.get("site") == "client"} == {"api"}
    assert ran.seconds < 60


def test_missing_namespace_fails(hzlink: Hzlink) -> None:
    ran = hzlink("check", *PLACES, "-n", "nowhere", "-o", "json")
    assert ran.code == 3
    assert failed(ran).keys() == {("client", "namespace"), ("cluster", "namespace")}
