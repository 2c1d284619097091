"""The kustomize overlay of one site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.model.choices import Expose, LinkAccess, Mode
from hzlink.model.errors import UsageError
from hzlink.model.topology import Site, Topology
from hzlink.plan import manifests
from hzlink.plan.ownership import FINGERPRINT
from tests.unit.builders import CORE, EDGE, topology


def overlay(topo: Topology, site: Site, *, name: str = "my-site", issues: bool = False) -> dict[str, Any]:
    return manifests.overlay(topo, site, name, issues, Path("/bundle"), Path("/work-folder"))


@pytest.mark.parametrize("site", [CORE, EDGE], ids=["cluster", "client"])
def test_base_is_a_relative_path_of_the_sites_role(site: Site) -> None:
    content = overlay(topology(), site)
    assert content["resources"] == [f"../bundle/{site.role}"]
    assert all(path.startswith("../bundle/components/") for path in content["components"])


def test_labels_are_added_without_selectors() -> None:
    [labels] = overlay(topology(name="demo"), CORE)["labels"]
    marks = {"app.kubernetes.io/managed-by": "hzlink", "app.kubernetes.io/part-of": "demo"}
    assert labels == {"pairs": marks, "includeSelectors": False}


def test_skupper_site_is_renamed() -> None:
    patch = overlay(topology(), EDGE, name="edge-2")["patches"][0]
    assert patch["target"] == {"group": "skupper.io", "kind": "Site"}
    assert patch["options"] == {"allowNameChange": True}
    assert json.loads(patch["patch"]) == [{"op": "replace", "path": "/metadata/name", "value": "edge-2"}]


def test_members_and_image_apply_only_to_the_cluster_site() -> None:
    topo = topology(members=5, image="example.com:5000/hz:5.6.0")
    core, edge = overlay(topo, CORE), overlay(topo, EDGE)
    assert core["replicas"] == [{"name": "hazelcast", "count": 5}]
    assert core["images"] == [{"name": "hazelcast/hazelcast", "newName": "example.com:5000/hz", "newTag": "5.6.0"}]
    assert "replicas" not in edge
    assert "images" not in edge
    assert "images" not in overlay(topology(), CORE)


def test_mancenters_image_applies_only_to_smart_client_sites() -> None:
    image = "registry:5000/mc@sha256:00"
    topo = topology(mancenter_image=image)
    wanted = [{"name": "hazelcast/management-center", "newName": "registry:5000/mc", "digest": "sha256:00"}]
    assert overlay(topo, EDGE)["images"] == wanted
    assert "images" not in overlay(topo, CORE)
    assert "images" not in overlay(topology(mode=Mode.UNISOCKET, mancenter_image=image), EDGE)


def test_nothing_is_patched_in_a_management_center_that_is_left_out() -> None:
    content = overlay(topology(mancenter=False, mancenter_image="mc:5", pull_secrets=("registry",)), EDGE)
    assert "images" not in content
    assert len(content["patches"]) == 1


@pytest.mark.parametrize(("site", "kind"), [(CORE, "StatefulSet"), (EDGE, "Deployment")], ids=["cluster", "client"])
def test_pull_secrets_are_those_of_the_pods(site: Site, kind: str) -> None:
    patch = json.loads(overlay(topology(pull_secrets=("one", "two")), site)["patches"][-1]["patch"])
    assert patch["kind"] == kind
    assert patch["spec"]["template"]["spec"] == {"imagePullSecrets": [{"name": "one"}, {"name": "two"}]}


def test_mancenters_image_is_named_if_it_is_none() -> None:
    with pytest.raises(UsageError, match="--mancenter-image 'mc:' is not an image"):
        overlay(topology(mancenter_image="mc:"), EDGE)


def test_members_set_no_user_id_where_ids_are_assigned() -> None:
    topo = topology(assigned_users=True)
    assert "../bundle/components/openshift" in overlay(topo, CORE)["components"]
    assert "../bundle/components/openshift" not in overlay(topo, EDGE)["components"]
    assert "../bundle/components/openshift" not in overlay(topology(), CORE)["components"]


def test_management_center_waits_for_the_number_of_members() -> None:
    patch = json.loads(overlay(topology(members=5), EDGE)["patches"][1]["patch"])
    [container] = patch["spec"]["template"]["spec"]["initContainers"]
    assert container["env"] == [{"name": "HAZELCAST_MEMBERS", "value": "5"}]
    assert len(overlay(topology(mode=Mode.UNISOCKET), EDGE)["patches"]) == 1


@pytest.mark.parametrize(
    ("settings", "site", "issues", "expected"),
    [
        ({}, CORE, True, []),
        ({}, CORE, False, ["no-link-access"]),
        ({}, EDGE, True, ["link-access"]),
        ({}, EDGE, False, []),
        ({"expose": Expose.NODEPORT}, CORE, True, []),
        ({"expose": Expose.NODEPORT}, EDGE, False, ["expose-nodeport"]),
        ({"expose": Expose.LOADBALANCER}, EDGE, True, ["expose-loadbalancer", "link-access"]),
        ({"mode": Mode.UNISOCKET}, CORE, True, ["cluster-unisocket"]),
        ({"mode": Mode.UNISOCKET}, EDGE, False, ["client-unisocket"]),
        ({"mode": Mode.UNISOCKET, "expose": Expose.NODEPORT}, EDGE, False, ["client-unisocket"]),
        ({"mode": Mode.UNISOCKET, "mancenter": False}, EDGE, False, ["client-unisocket"]),
        ({"mancenter": False}, CORE, True, []),
        ({"mancenter": False, "expose": Expose.NODEPORT}, EDGE, True, ["no-mancenter", "link-access"]),
    ],
)
def test_components(settings: dict[str, Any], site: Site, issues: bool, expected: list[str]) -> None:
    found = manifests.components(topology(**settings), site, issues)
    assert found == expected
    assert all((manifests.folder() / "components" / name / "kustomization.yaml").is_file() for name in found)


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("hz", {"newName": "hz"}),
        ("hz:5", {"newName": "hz", "newTag": "5"}),
        ("example.com:5000/hz", {"newName": "example.com:5000/hz"}),
        (
            "example.com:5000/a/hz:5@sha256:0a",
            {"newName": "example.com:5000/a/hz", "newTag": "5", "digest": "sha256:0a"},
        ),
    ],
)
def test_image_parts(image: str, parts: dict[str, str]) -> None:
    assert manifests.image_parts(image) == parts


WORD = st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,10}[a-z0-9])?", fullmatch=True)
HOST = st.from_regex(r"[a-z0-9.]{1,10}(:[0-9]{1,5})?/", fullmatch=True)


@given(st.just("") | HOST, st.lists(WORD, min_size=1, max_size=3), st.just("") | WORD, st.just("") | WORD)
def test_image_parts_can_be_joined_again(host: str, path: list[str], tag: str, digest: str) -> None:
    image = host + "/".join(path) + (f":{tag}" if tag else "") + (f"@sha256:{digest}" if digest else "")
    parts = manifests.image_parts(image)
    tail = (f":{parts['newTag']}" if "newTag" in parts else "") + (f"@{parts['digest']}" if "digest" in parts else "")
    assert parts["newName"] + tail == image
    assert parts["newName"] == host + "/".join(path)


@pytest.mark.parametrize("image", ["", ":5", "@sha256:0a", "example.com/", "example.com:5/:5", "hz:", "hz@", "hz:5@"])
def test_invalid_images_are_refused(image: str) -> None:
    with pytest.raises(UsageError, match="is not an image"):
        manifests.image_parts(image)


def test_fingerprint_depends_only_on_the_object() -> None:
    first = {"kind": "Site", "metadata": {"name": "a", "annotations": {"mine": "kept"}}, "spec": {"x": 1, "y": 2}}
    same = {"spec": {"y": 2, "x": 1}, "metadata": first["metadata"], "kind": "Site"}
    other = {**first, "spec": {"x": 1}}
    marks = [dict(manifests.stamped(item)["metadata"]["annotations"]) for item in (first, same, other)]
    assert marks[0] == marks[1]
    assert marks[0][FINGERPRINT] != marks[2][FINGERPRINT]
    assert marks[0]["mine"] == "kept"
    assert FINGERPRINT not in str(first)


def test_yaml_stream_is_parsed() -> None:
    assert manifests.parse("a: 1\n---\n---\n# nothing\n---\nb: 2\n") == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    ("access", "issues", "expected"),
    [
        (LinkAccess.AUTO, True, None),
        (LinkAccess.NODEPORT, False, None),
        (LinkAccess.NODEPORT, True, "nodeport"),
        (LinkAccess.LOCAL, True, "local"),
    ],
)
def test_link_access_of_the_issuing_side(access: LinkAccess, issues: bool, expected: str | None) -> None:
    for site in (CORE, EDGE):
        patch = json.loads(overlay(topology(link_access=access), site, issues=issues)["patches"][0]["patch"])
        assert next((one["value"] for one in patch if one["path"] == "/spec/linkAccess"), None) == expected
