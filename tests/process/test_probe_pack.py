"""The zip for the probe's pod: small, reproducible, and sufficient for a Python without other packages."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hzlink.model.choices import Role
from hzlink.model.errors import HzlinkError
from hzlink.model.topology import Site
from hzlink.verify import probe_messages, probe_package
from hzlink.verify.proof import Outcome
from hzlink.verify.site_proof import Plan

EDGE = Site("edge", Role.CLIENT, "edge", "hz")
NAMES = ("hazelcast-0", "hazelcast-1")


@pytest.fixture(scope="module")
def packed() -> bytes:
    return probe_package.pack()


def test_package_is_reproducible(packed: bytes) -> None:
    assert probe_package.pack() == packed


def test_package_fits_into_a_config_map(packed: bytes) -> None:
    assert len(packed) <= probe_package.LIMIT


def test_package_that_is_too_large_is_refused(packed: bytes) -> None:
    with pytest.raises(HzlinkError, match="too large for a ConfigMap") as caught:
        probe_package.pack(limit=len(packed) - 1)
    assert str(len(packed)) in (caught.value.said or "")
    assert "pip install" in (caught.value.next_step or "")


def test_package_contains_only_the_proof_and_the_client(packed: bytes) -> None:
    names = zipfile.ZipFile(io.BytesIO(packed)).namelist()
    assert {name.partition("/")[0] for name in names} == {"__main__.py", "hzlink", "hazelcast"}
    own = {name for name in names if name.startswith("hzlink/")}
    assert own == {f"hzlink/{name}.py" for name in probe_package.MODULES}
    assert len(names) == len(set(names))


def _isolated_python(*args: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a Python without this environment's packages and without this checkout."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-B", *args], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def test_isolated_python_runs_the_package(packed: bytes, tmp_path: Path) -> None:
    (tmp_path / "hzlink.zip").write_bytes(packed)
    plan = Plan(EDGE, True, NAMES, frozenset(), 2, "dev")
    (tmp_path / "plan.json").write_text(probe_messages.plan_text(plan))

    done = _isolated_python("hzlink.zip", "plan.json", folder=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    found = probe_messages.read_verdict(plan, done.stdout)
    assert found is not None
    assert found.proof is not None
    assert [one.outcome for one in found.proof.names] == [Outcome.NO_SERVICE] * 2


def test_every_module_of_the_package_is_importable(packed: bytes, tmp_path: Path) -> None:
    """Including the modules that are only imported to call a member."""
    (tmp_path / "hzlink.zip").write_bytes(packed)
    modules = [f"hzlink.{name.replace('/', '.')}" for name in probe_package.MODULES if "__init__" not in name]
    code = (
        "import sys; sys.path.insert(0, 'hzlink.zip'); import importlib\n"
        f"for name in {[*modules, 'hazelcast.client', 'hazelcast.config']!r}: importlib.import_module(name)\n"
        "print([name for name in ('typer', 'rich', 'sh', 'yaml', 'click') if name in sys.modules])"
    )
    done = _isolated_python("-W", "ignore", "-c", code, folder=tmp_path)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_invalid_plan_is_reported(packed: bytes, tmp_path: Path) -> None:
    (tmp_path / "hzlink.zip").write_bytes(packed)
    (tmp_path / "plan.json").write_text("[]")
    done = _isolated_python("hzlink.zip", "plan.json", folder=tmp_path)
    found = probe_messages.read_verdict(Plan(EDGE, True, NAMES, frozenset(), 2, "dev"), done.stdout)
    assert found is not None
    assert found.error is not None
    assert found.error.message == "the probe cannot read its plan"
