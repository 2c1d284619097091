"""The answers of kubectl_answers.py equal those of the real kubectl: exit code and both streams."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Callable, Sequence

import pytest

from hzlink.programs import kubectl
from tests.cli import cluster_objects as make
from tests.cli import fake_api, kubectl_answers, situations
from tests.cli.fake_api import FakeApi
from tests.cli.program import User, known_kubectl
from tests.cli.situations import CORE
from tests.cli.test_forked import comparable

LEASE_PATH = "/apis/coordination.k8s.io/v1/namespaces/hz/leases/hzlink"
LEASE = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": "hzlink"},
    "spec": {"holderIdentity": "someone"},
}
REVIEW = {
    "apiVersion": "authorization.k8s.io/v1",
    "kind": "SelfSubjectRulesReview",
    "spec": {"namespace": "hz"},
}
CREATE = ("create", "--validate=false", "--filename=-", "--output=json")
DELETE = ("delete", f"--raw={LEASE_PATH}", "--filename=-")
JSON = ("--output=json", "--ignore-not-found")
LOG = ("logs", "hazelcast-0", "--container=hazelcast", "--timestamps", "--tail=5", "--limit-bytes=1000")
# Command and standard input.
CALLS: dict[str, tuple[Sequence[str], str]] = {
    "lists": (("get", "sites.v2alpha1.skupper.io,pods.v1.,statefulsets.v1.apps", *JSON), ""),
    "a list": (("get", "pods", "--show-managed-fields", *JSON), ""),
    "an empty list": (("get", "configmaps", *JSON), ""),
    "events": (("get", "events", "--output=json", "--field-selector=type=Warning"), ""),
    "an object": (("get", "namespaces/hz", *JSON), ""),
    "no object": (("get", "namespaces/other", *JSON), ""),
    "objects": (("get", "namespaces/hz", "pods/hazelcast-0", "pods/other", *JSON), ""),
    "one of two objects": (("get", "namespaces/hz", "pods/other", *JSON), ""),
    "another namespace": (("get", "--namespace=skupper", "deployments.apps/other", *JSON), ""),
    "a path": (("get", "--raw=/version"), ""),
    "a path that does not exist": (("get", "--raw=/apis/route.openshift.io"), ""),
    "secrets": (("get", "secrets", f"--output=go-template={kubectl._NAMES_AND_KEYS}"), ""),
    "versions": (("version", "--output=json"), ""),
    "rights": ((*CREATE,), json.dumps(REVIEW)),
    "a new lease": ((*CREATE,), json.dumps({"apiVersion": "v1", "kind": "List", "items": [LEASE]})),
    "no lease to delete": (DELETE, "{}"),
    "a log": (LOG, ""),
    "no log of a previous run": ((*LOG, "--previous"), ""),
    "logs of pods": (("logs", "--selector=app=hazelcast", "--prefix", "--ignore-errors"), ""),
    "logs of no pod": (("logs", "--selector=app=other", "--prefix", "--ignore-errors"), ""),
}
EXISTING = {
    "a lease that exists": CALLS["a new lease"],
    "a lease to delete": CALLS["no lease to delete"],
}
Serve = Callable[[FakeApi], FakeApi]


def healthy_api(*, empty: bool = False) -> FakeApi:
    """A server with a healthy cluster site, or with nothing."""
    secret = make.item_of("Secret", "tls", type="kubernetes.io/tls", data={"tls.key": "eA==", "ca.crt": "eA=="})
    warning = make.item_of("Event", "e", type="Warning", reason="Odd", message="<odd> & Grüße")
    found = situations.healthy().snapshots[CORE].items
    pods = [item for item in found if item["kind"] != "Pod" or item["metadata"]["name"].startswith("hazelcast-")]
    items = [] if empty else [*pods, secret, warning, make.item_of("Secret", "opaque")]
    return FakeApi(items=items, logs={("hazelcast-0", "hazelcast", False): "2026-03-01T10:00:00Z one\nand two\n"})


def compare(user: User, command: Sequence[str], stdin: str, prepare: Callable[[], None] = lambda: None) -> None:
    """Runs the command in both ways, with the same server before each."""
    argv = [str(user.folder / "bin" / "kubectl"), "--context=core", "--namespace=hz", *command]
    prepare()
    real = subprocess.run(argv, env=user.env, input=stdin, capture_output=True, text=True, timeout=60, check=False)
    prepare()
    code, out, err = kubectl_answers.answer(known_kubectl(), argv, stdin)
    # hzlink ignores the lines of client-go's log.
    said = re.sub(r"^[EWI]\d{4} .*\n", "", real.stderr, flags=re.MULTILINE)
    assert (code, err) == (real.returncode, said)
    assert _document(out) == _document(real.stdout)


def _document(text: str) -> object:
    """A JSON document without its version, which the server counts up; or sorted lines: the order of pods varies."""
    text = re.sub(r'"resourceVersion": "\d+"', '"resourceVersion": ""', text)
    return json.loads(text) if text.startswith("{") else sorted(text.splitlines())


@pytest.fixture(autouse=True)
def environment(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(user.kubeconfig))


@pytest.mark.parametrize("call", CALLS)
def test_answers_of_a_server_are_those_of_kubectl(call: str, user: User, serve: Serve) -> None:
    api = serve(healthy_api(empty=call.startswith("logs of no pod")))
    user.has_contexts(core=api.url)
    compare(user, *CALLS[call], prepare=api.leases.clear)


@pytest.mark.parametrize("call", EXISTING)
def test_answers_about_an_existing_lease_are_those_of_kubectl(call: str, user: User, serve: Serve) -> None:
    api = serve(healthy_api())
    user.has_contexts(core=api.url)

    def prepare() -> None:
        marks = {"uid": "1", "resourceVersion": "1", "namespace": "hz"}
        api.leases["hzlink"] = {**LEASE, "metadata": {"name": "hzlink", **marks}}

    compare(user, *EXISTING[call], prepare=prepare)


@pytest.mark.parametrize("call", CALLS)
def test_answers_of_a_closed_port_are_those_of_kubectl(call: str, user: User) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    user.has_contexts(core=f"http://127.0.0.1:{port}")
    compare(user, *CALLS[call])


@pytest.mark.parametrize("answer", [fake_api.unauthorized, fake_api.forbidden, fake_api.garbage])
@pytest.mark.parametrize("call", ["lists", "versions", "rights"])
def test_servers_with_faults_are_left_to_kubectl(call: str, answer: fake_api.Answer, user: User, serve: Serve) -> None:
    user.has_contexts(core=serve(FakeApi(answer)).url)
    command, stdin = CALLS[call]
    argv = [str(user.folder / "bin" / "kubectl"), "--context=core", "--namespace=hz", *command]
    with pytest.raises(kubectl_answers.LeftToKubectl):
        kubectl_answers.answer(known_kubectl(), argv, stdin)


@pytest.mark.parametrize(
    "command",
    [
        ("get", "pods", "--watch", "--output-watch-events", "--output=json"),
        ("get", "pods", "--output=yaml"),
        ("get", "pods/hazelcast-0", "--output=json"),
        ("get", "no-such-type", *JSON),
        ("apply", "--server-side", "--filename=-"),
        ("api-resources", "--namespaced", "--verbs=list", "--output=name"),
        ("kustomize", "."),
    ],
)
def test_other_calls_are_left_to_kubectl(command: Sequence[str], user: User, serve: Serve) -> None:
    user.has_contexts(core=serve(healthy_api()).url)
    argv = [str(user.folder / "bin" / "kubectl"), "--context=core", "--namespace=hz", *command]
    with pytest.raises(kubectl_answers.LeftToKubectl):
        kubectl_answers.answer(known_kubectl(), argv, None)


def test_another_kubectl_is_left_alone(user: User, serve: Serve) -> None:
    user.has_contexts(core=serve(healthy_api()).url)
    with pytest.raises(kubectl_answers.LeftToKubectl):
        kubectl_answers.answer(known_kubectl(), ["/bin/echo", "--context=core", "--namespace=hz", "version"], None)


@pytest.mark.parametrize("output", ["table", "json"])
@pytest.mark.parametrize("command", ["status", "check"])
def test_run_with_the_answers_equals_one_with_the_real_kubectl(
    command: str, output: str, user: User, serve: Serve
) -> None:
    found = situations.healthy().snapshots
    sites = {site.name: serve(FakeApi(items=found[site].items)).url for site in found}
    user.has_contexts(**sites)
    args = (command, "--client-ctx", "edge", "--cluster-ctx", "core", "-o", output)
    shown = [comparable(user.hzlink(*args))]
    user.real_kubectl = True
    shown.append(comparable(user.hzlink(*args)))
    assert shown[0] == shown[1]
