"""The source distribution, its wheel, and a new environment with only that wheel; created once per session."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from hzlink.programs import process

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Installed:
    """An environment with hzlink installed from the wheel, and the variables for a run outside the checkout."""

    folder: Path
    env: dict[str, str]

    @property
    def bin(self) -> Path:
        """The environment's programs."""
        return self.folder / "venv" / "bin"

    def run(self, program: str, *args: str) -> str:
        """Runs one of the environment's programs outside the checkout; returns its output."""
        cwd = self.folder / "elsewhere"
        argv = [str(self.bin / program), *args]
        done = subprocess.run(argv, env=self.env, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout


def _run(*argv: str, env: dict[str, str], cwd: Path) -> None:
    done = subprocess.run(argv, env=env, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="session")
def pip_env(real_env: dict[str, str]) -> dict[str, str]:
    """The original environment (it may set a registry or a proxy) without variables that lead to the checkout."""
    kept = {key: value for key, value in real_env.items() if key not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    return {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, pip_env: dict[str, str]) -> Path:
    """A folder with the source distribution of this checkout, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("built")
    _run(sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT), env=pip_env, cwd=folder)
    return folder


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    """The wheel."""
    [found] = built.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def sdist(built: Path) -> Path:
    """The source distribution."""
    [found] = built.glob("*.tar.gz")
    return found


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path, pip_env: dict[str, str]) -> Installed:
    """A new environment with the wheel, and a user who has kubectl and a kubeconfig."""
    folder = tmp_path_factory.mktemp("installed")
    for name in ("elsewhere", "home", "bin"):
        (folder / name).mkdir()
    _run(sys.executable, "-m", "venv", str(folder / "venv"), env=pip_env, cwd=folder)
    _run(str(folder / "venv" / "bin" / "pip"), "install", str(wheel), env=pip_env, cwd=folder)
    kubectl = process.find_program("kubectl")
    assert kubectl
    (folder / "bin" / "kubectl").symlink_to(kubectl)
    (folder / "kubeconfig").write_text(KUBECONFIG, encoding="utf-8")
    env = {
        "HOME": str(folder / "home"),
        "KUBECONFIG": str(folder / "kubeconfig"),
        "PATH": os.pathsep.join((str(folder / "bin"), str(folder / "venv" / "bin"))),
        "LANG": "C.UTF-8",
    }
    return Installed(folder, env)


# Closed ports: `render` needs no cluster.
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
- {name: core, cluster: {server: "http://127.0.0.1:1"}}
- {name: edge, cluster: {server: "http://127.0.0.1:2"}}
users: []
contexts:
- {name: core, context: {cluster: core, namespace: hz}}
- {name: edge, context: {cluster: edge, namespace: hz}}
"""
