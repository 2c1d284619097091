"""The examples in manifests/README.md work unchanged."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.manifests.kustomizing import MANIFESTS, Obj, build, built, one

README = (MANIFESTS / "README.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
KUSTOMIZATIONS = [text for text in EXAMPLES if "kind: Kustomization" in text]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(MANIFESTS, tmp_path / "manifests")
    return tmp_path


def example(checkout: Path, number: int) -> list[Obj]:
    folder = checkout / "deploy" / f"example-{number}"
    folder.mkdir(parents=True)
    (folder / "kustomization.yaml").write_text(KUSTOMIZATIONS[number])
    return built(folder)


def test_cluster_example(checkout: Path) -> None:
    members = one(example(checkout, 0), "StatefulSet")
    assert members["spec"]["replicas"] == 5
    assert members["spec"]["template"]["spec"]["containers"][0]["image"] == "hazelcast/hazelcast:5.7.0"


def test_client_example(checkout: Path) -> None:
    objs = example(checkout, 1)
    assert one(objs, "Service")["spec"]["type"] == "LoadBalancer"
    assert one(objs, "Site")["spec"] == {"linkAccess": "default"}
    wait = one(objs, "Deployment")["spec"]["template"]["spec"]["initContainers"][0]
    assert wait["env"][0] == {"name": "HAZELCAST_MEMBERS", "value": "5"}


def test_rights_example(checkout: Path) -> None:
    objs = example(checkout, 2)
    assert {o["metadata"]["namespace"] for o in objs} == {"hz"}
    assert sorted(o["kind"] for o in objs) == ["Role", "Role", "RoleBinding", "RoleBinding"]
    for binding in (o for o in objs if o["kind"] == "RoleBinding"):
        assert [subject["name"] for subject in binding["subjects"]] == ["ann"]


def test_client_configurations_name_the_listeners_service() -> None:
    listener = one(built(MANIFESTS / "client"), "Listener")["spec"]
    configs = [yaml.safe_load(t)["hazelcast-client"] for t in EXAMPLES if t.startswith("hazelcast-client:")]
    assert len(configs) == 2
    for config in configs:
        assert config["network"]["cluster-members"] == [f"{listener['host']}:{listener['port']}"]
    assert [c["network"].get("cluster-routing") for c in configs] == [None, {"mode": "SINGLE_MEMBER"}]


def test_every_component_and_file_is_described() -> None:
    for path in (MANIFESTS / "components").iterdir():
        assert f"`{path.name}`" in README
    for side in ("cluster", "client"):
        for path in (MANIFESTS / side).iterdir():
            assert path.name == "kustomization.yaml" or f"`{side}/{path.name}`" in README, path


def test_missing_manifest_fails_the_build(checkout: Path) -> None:
    """Control: the tests build the copy, not the checkout's files."""
    (checkout / "manifests" / "cluster" / "connector.yaml").unlink()
    assert build(checkout / "manifests" / "cluster").returncode != 0
