"""The wheel is complete and works in a new environment outside the checkout."""

from __future__ import annotations

import email
import os
import re
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import yaml

from hzlink import __version__
from hzlink.plan import manifests
from tests.packaging.conftest import ROOT, Installed

MANIFESTS = ROOT / "manifests"
SITES = ("--client-ctx", "edge", "--cluster-ctx", "core")


@pytest.fixture(scope="session")
def content(wheel: Path) -> dict[str, bytes]:
    """The files in the wheel, by their names."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _files(folder: Path, pattern: str) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob(pattern) if path.is_file()}


def test_every_manifest_is_in_the_wheel(content: dict[str, bytes]) -> None:
    start = "hzlink/_manifests/"
    carried = {name.removeprefix(start): data for name, data in content.items() if name.startswith(start)}
    assert carried == _files(MANIFESTS, "*")
    assert "cluster/kustomization.yaml" in carried
    assert "client/kustomization.yaml" in carried


def test_wheel_contains_exactly_the_modules(content: dict[str, bytes]) -> None:
    modules = {f"hzlink/{name}": data for name, data in _files(ROOT / "hzlink", "*.py").items()}
    others = {name for name in content if not name.startswith("hzlink/_manifests/") and ".dist-info/" not in name}
    assert {name: content[name] for name in others} == modules


def test_wheel_metadata(content: dict[str, bytes]) -> None:
    info = f"hzlink-{__version__}.dist-info"
    metadata = email.message_from_bytes(content[f"{info}/METADATA"])
    assert (metadata["Name"], metadata["Version"]) == ("hzlink", __version__)
    needed = {
        re.split(r"[<>=;~! ]", text)[0] for text in metadata.get_all("Requires-Dist") or [] if "extra ==" not in text
    }
    assert needed == {"typer", "rich", "sh", "pyyaml"}
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert content[f"{info}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    scripts = content[f"{info}/entry_points.txt"].decode()
    assert "hzlink = hzlink.__main__:main" in scripts
    assert "kubectl-hzlink = hzlink.__main__:main" in scripts


@pytest.mark.parametrize("name", ["LICENSE", "SECURITY.md", "README.md", "CHANGELOG.md"])
def test_source_distribution_has_what_people_look_for_first(name: str, sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        file = archive.extractfile(f"hzlink-{__version__}/{name}")
        assert file is not None
        assert file.read() == (ROOT / name).read_bytes()


@pytest.mark.parametrize("program", ["hzlink", "kubectl-hzlink"])
def test_version_option(program: str, installed: Installed) -> None:
    assert installed.run(program, "--version") == f"hzlink {__version__}\n"


def test_kubectl_finds_the_plugin(installed: Installed) -> None:
    kubectl = installed.folder / "bin" / "kubectl"
    assert installed.run(str(kubectl), "hzlink", "--version") == f"hzlink {__version__}\n"


def _python(installed: Installed, code: str) -> str:
    return installed.run("python", "-c", code).strip()


def test_installed_package_and_manifests_are_used(installed: Installed) -> None:
    package = Path(_python(installed, "import hzlink; print(hzlink.__file__)"))
    folder = Path(_python(installed, "from hzlink.plan import manifests; print(manifests.folder())"))
    assert package.is_relative_to(installed.folder / "venv")
    assert folder == package.resolve().parent / "_manifests"


def _rendered(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]


def test_render_works_outside_the_checkout(installed: Installed) -> None:
    text = installed.run("hzlink", "render", *SITES)
    assert "# cluster site core: context 'core', namespace hz" in text
    assert "# client site edge: context 'edge', namespace hz" in text
    kinds = [document["kind"] for document in _rendered(text)]
    for kind, count in {"Site": 2, "Connector": 1, "Listener": 1, "StatefulSet": 1, "Deployment": 1}.items():
        assert kinds.count(kind) == count, kind


# The system's kubectl and that of the `kubectl` extra: users have either, in different versions.
KUBECTLS = sorted(
    {
        os.path.realpath(found)
        for path in (None, os.path.dirname(sys.executable))
        if (found := which("kubectl", path=path))
    }
)
VARIANTS: dict[tuple[str, ...], tuple[str, str, object]] = {
    ("--members", "5"): ("StatefulSet", "replicas", 5),
    ("--expose", "nodeport"): ("Service", "type", "NodePort"),
    ("--expose", "loadbalancer"): ("Service", "type", "LoadBalancer"),
    ("--link-from", "client"): ("Site", "linkAccess", "default"),
    ("--mode", "unisocket"): ("Deployment", "replicas", None),
}


@pytest.mark.parametrize("kubectl", KUBECTLS)
@pytest.mark.parametrize("flags", VARIANTS)
def test_every_variant_can_be_rendered(
    flags: tuple[str, ...], kubectl: str, installed: Installed, tmp_path: Path
) -> None:
    (tmp_path / "kubectl").symlink_to(kubectl)
    text = replace(installed, env={**installed.env, "PATH": str(tmp_path)}).run("hzlink", "render", *SITES, *flags)
    kind, field, value = VARIANTS[flags]
    found = [document["spec"].get(field) for document in _rendered(text) if document["kind"] == kind]
    assert value in found if value is not None else not found


def test_render_writes_no_files(installed: Installed) -> None:
    installed.run("hzlink", "render", *SITES)
    assert list((installed.folder / "elsewhere").iterdir()) == []
    assert [
        path for path in (installed.folder / "home").rglob("*") if path.is_file() and ".kube" not in path.parts
    ] == []


def test_sandbox_and_tests_are_not_installed(installed: Installed) -> None:
    code = "import importlib.util as u; print([n for n in ('sandbox', 'tests', 'manifests') if u.find_spec(n)])"
    assert _python(installed, code) == "[]"


def test_editable_install_uses_the_checkouts_manifests() -> None:
    assert manifests.folder() == MANIFESTS
