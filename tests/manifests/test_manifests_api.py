"""The manifests on a real API server with Skupper's real definitions: strict validation, canonical form, admission."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml

from tests.manifests.bare_server import BareServer
from tests.manifests.kustomizing import (
    MANIFESTS,
    Obj,
    built,
    built_variant,
    one,
    pod_templates,
    single_variants,
    variant_id,
)

APPLY = ("apply", "--server-side", "--field-manager=hzlink", "--validate=strict", "-f", "-")


def differences(desired: Any, live: Any, path: str = "") -> list[str]:
    """The differences of `live` from `desired`. Additional fields are allowed, additional list items are not."""
    if isinstance(desired, dict) and isinstance(live, dict):
        return [
            line
            for key, value in desired.items()
            for line in (differences(value, live[key], f"{path}/{key}") if key in live else [f"{path}/{key} is gone"])
        ]
    if isinstance(desired, list) and isinstance(live, list) and len(desired) == len(live):
        return [
            line
            for index, (ours, theirs) in enumerate(zip(desired, live, strict=True))
            for line in differences(ours, theirs, f"{path}/{index}")
        ]
    same = desired == live and type(desired) is type(live)
    return [] if same else [f"{path}: {desired!r} became {live!r}"]


def as_text(objs: list[Obj]) -> str:
    return yaml.safe_dump_all(objs)


def bare_pod(template: Obj, name: str) -> Obj:
    pod = copy.deepcopy(template)
    return {"apiVersion": "v1", "kind": "Pod", **pod, "metadata": {**pod["metadata"], "name": name}}


@pytest.fixture(params=list(single_variants()), ids=variant_id)
def variant(request: pytest.FixtureRequest) -> list[Obj]:
    return built_variant(request.param)


def applied(server: BareServer, namespace: str, objs: list[Obj]) -> dict[tuple[str, str], Obj]:
    """Applies the objects and returns them as stored by the server, by kind and name."""
    said = server.must("-n", namespace, *APPLY, "-o", "json", stdin=as_text(objs))
    answer = json.loads(said)
    return {(o["kind"], o["metadata"]["name"]): o for o in answer.get("items", [answer])}


def test_strict_validation_and_canonical_form(server: BareServer, namespace: str, variant: list[Obj]) -> None:
    """The server accepts the objects, stores them unchanged, and a second apply writes nothing."""
    server.must("-n", namespace, *APPLY, "--dry-run=server", stdin=as_text(variant))
    first = applied(server, namespace, variant)
    again = applied(server, namespace, variant)
    for obj in variant:
        key = obj["kind"], obj["metadata"]["name"]
        assert differences(obj, again[key]) == []
        assert again[key]["metadata"]["resourceVersion"] == first[key]["metadata"]["resourceVersion"], key


@pytest.mark.parametrize("side", ["cluster", "client"])
def test_kubectl_apply_of_the_folder_works(server: BareServer, namespace: str, side: str) -> None:
    said = server.must("-n", namespace, "apply", "--validate=strict", "-k", str(MANIFESTS / side))
    assert len(said.splitlines()) == len(built(MANIFESTS / side))


def test_restricted_namespace_accepts_the_pods(server: BareServer, namespace: str, variant: list[Obj]) -> None:
    pods = [bare_pod(template, f"pod-{n}") for n, template in enumerate(pod_templates(variant))]
    if pods:
        server.must("-n", namespace, "create", "--validate=strict", "-f", "-", stdin=as_text(pods))


# Controls for the tests above: the server refuses invalid objects.


def test_restricted_namespace_refuses_other_pods(server: BareServer, namespace: str) -> None:
    pod = bare_pod(pod_templates(built(MANIFESTS / "cluster"))[0], "careless")
    del pod["spec"]["securityContext"]["seccompProfile"]
    done = server.kubectl("-n", namespace, "create", "-f", "-", stdin=as_text([pod]))
    assert done.returncode == 1
    assert 'violates PodSecurity "restricted' in done.stderr
    assert "seccompProfile" in done.stderr

    pod = bare_pod(pod_templates(built(MANIFESTS / "cluster"))[0], "privileged")
    pod["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    done = server.kubectl("-n", namespace, "create", "-f", "-", stdin=as_text([pod]))
    assert done.returncode == 1
    assert "must not set securityContext.privileged=true" in done.stderr


@pytest.mark.parametrize(
    ("side", "kind", "path"),
    [
        ("cluster", "Connector", ("spec", "exposePodByName")),
        ("cluster", "StatefulSet", ("spec", "podManagmentPolicy")),
        ("client", "Listener", ("spec", "routingkey")),
        ("client", "Site", ("spec", "linkaccess")),
    ],
)
def test_misspelt_field_is_refused(
    server: BareServer, namespace: str, side: str, kind: str, path: tuple[str, str]
) -> None:
    obj = one(built(MANIFESTS / side), kind)
    obj[path[0]][path[1]] = "x"
    done = server.kubectl("-n", namespace, *APPLY, "--dry-run=server", stdin=as_text([obj]))
    assert done.returncode == 1
    assert path[1] in done.stderr


@pytest.mark.parametrize(
    ("field", "written", "kept"),
    [("memory", "0.5Gi", "512Mi"), ("cpu", "0.25", "250m")],
    ids=["half a gibi", "a quarter core"],
)
def test_differences_include_values_that_the_server_rewrites(
    server: BareServer, namespace: str, field: str, written: str, kept: str
) -> None:
    obj = one(built(MANIFESTS / "cluster"), "StatefulSet")
    obj["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"][field] = written
    (live,) = applied(server, namespace, [obj]).values()
    where = f"/spec/template/spec/containers/0/resources/requests/{field}"
    assert differences(obj, live) == [f"{where}: {written!r} became {kept!r}"]
