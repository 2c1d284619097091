"""Builds the bundled manifests with the real kustomize (inside kubectl), from overlays outside their folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import yaml

Obj = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "manifests"

# The components of each side; each inner tuple lists alternatives, None for none of them.
CHOICES: Mapping[str, Sequence[tuple[str | None, ...]]] = {
    "cluster": [(None, "cluster-unisocket"), (None, "no-link-access", "local-link-access"), (None, "openshift")],
    "client": [
        (None, "expose-loadbalancer", "expose-nodeport", "client-unisocket", "no-mancenter"),
        (None, "link-access"),
    ],
}


def variants() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every side with every valid combination of components: (side, components)."""
    for side, choices in CHOICES.items():
        for picked in product(*choices):
            yield side, tuple(name for name in picked if name)


def single_variants() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every side without components, and with each component alone."""
    return (variant for variant in variants() if len(variant[1]) < 2)


def variant_id(variant: tuple[str, tuple[str, ...]]) -> str:
    side, components = variant
    return "+".join([side, *components])


def kubectl_program() -> str:
    """The kubectl of this environment's wheel, else the one on the PATH."""
    found = shutil.which("kubectl", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert found, "kubectl is missing: pip install -e .[dev]"
    return found


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs `kubectl kustomize`, with an empty KUBECONFIG, because it needs no cluster."""
    return subprocess.run(
        [kubectl_program(), "kustomize", str(folder)],
        env={**os.environ, "KUBECONFIG": os.devnull},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def objects(text: str) -> list[Obj]:
    return [doc for doc in yaml.safe_load_all(text) if doc]


def write_overlay(folder: Path, side: str, components: Sequence[str] = (), **more: object) -> Path:
    """Writes a kustomization outside the manifests' folder, with relative paths to them. Returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)

    def relative(path: Path) -> str:
        return os.path.relpath(path, folder.resolve())

    document = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [relative(MANIFESTS / side)],
        "components": [relative(MANIFESTS / "components" / name) for name in components],
        **more,
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(document))
    return folder


def built(folder: Path) -> list[Obj]:
    """The objects of a kustomization; fails the test with kustomize's message if it does not build."""
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return objects(done.stdout)


@cache
def _built_variant(variant: tuple[str, tuple[str, ...]]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        done = build(write_overlay(Path(folder), *variant))
    assert done.returncode == 0, done.stderr
    return done.stdout


def built_variant(variant: tuple[str, tuple[str, ...]]) -> list[Obj]:
    """The objects of one of `variants()`; the caller may change them."""
    return objects(_built_variant(variant))


def one(objs: Sequence[Obj], kind: str, name: str | None = None) -> Obj:
    """The only object of that kind (and name)."""
    found = [o for o in objs if o["kind"] == kind and name in (None, o["metadata"]["name"])]
    assert len(found) == 1, f"{len(found)} objects of kind {kind}"
    return found[0]


def pod_templates(objs: Sequence[Obj]) -> list[Obj]:
    return [o["spec"]["template"] for o in objs if o["kind"] in ("StatefulSet", "Deployment")]


def containers(template: Obj) -> list[Obj]:
    spec = template["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]
