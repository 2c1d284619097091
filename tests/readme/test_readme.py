"""The README is correct: its commands run, and its options and files exist."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hzlink.config import config_file
from tests.sandboxed import Namespaces, Sandbox

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HZLINK = str(Path(sys.executable).parent / "hzlink")


def _commands() -> list[str]:
    """The indented lines that are hzlink commands, in order."""
    return re.findall(r"^    (hzlink .*)$", README, re.MULTILINE)


def test_commands_run_in_order(sandbox: Sandbox, namespaces: Namespaces, tmp_path: Path) -> None:
    env = _readme_environment(sandbox, namespaces.make("none"), tmp_path)
    commands = _commands()
    assert commands[:2] == ["hzlink up --client-ctx edge --cluster-ctx core", "hzlink status"]

    for command in commands[:2]:
        words = shlex.split(command)
        done = subprocess.run([HZLINK, *words[1:]], env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert "healthy" in done.stdout

    subprocess.run(["kubectl", "--context", "edge", "delete", "links.skupper.io", "--all"], env=env, check=True)
    broken = subprocess.run([HZLINK, "status"], env=env, capture_output=True, text=True, check=False)
    example = re.search(r"```text\n(.*?)```", README, re.DOTALL)
    assert example is not None
    assert example[1] in broken.stdout


def _readme_environment(sandbox: Sandbox, namespace: str, tmp_path: Path) -> dict[str, str]:
    """An environment with the README's contexts edge and core, in the test's own namespace."""
    file = tmp_path / "kubeconfig"
    shutil.copy(sandbox.kubeconfig, file)
    env = {**sandbox.env, "KUBECONFIG": str(file), "XDG_STATE_HOME": str(tmp_path / "state")}
    for old, new in (("client", "edge"), ("cluster", "core")):
        subprocess.run(["kubectl", "config", "rename-context", old, new], env=env, check=True)
        subprocess.run(["kubectl", "config", "set-context", new, f"--namespace={namespace}"], env=env, check=True)
    return env


@pytest.mark.parametrize("command", _commands())
def test_options_in_commands_exist(command: str) -> None:
    words = shlex.split(command)
    shown = subprocess.run(
        [HZLINK, words[1], "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200", "PATH": "/usr/bin:/bin", "TERM": "dumb"},
    )
    for option in [word for word in words if word.startswith("--")]:
        assert option in shown.stdout


def test_options_in_the_table_exist() -> None:
    shown = subprocess.run(
        [HZLINK, "up", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200", "PATH": "/usr/bin:/bin", "TERM": "dumb"},
    ).stdout
    named = set(re.findall(r"`(--[a-z-]+)", README))
    assert len(named) > 5
    assert named - {"--client-ctx"} <= set(re.findall(r"--[a-z-]+", shown)) | {"--keep"}


def test_settings_file_is_valid(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert example is not None
    file = tmp_path / "hzlink.yaml"
    file.write_text(example[1])
    assert config_file.load(file)["client_ctx"] == ["edge"]


def test_linked_files_exist() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert "CONTRIBUTING.md" in targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_figures_have_the_rows_of_the_bench() -> None:
    block = re.search(r"<!-- bench -->\n(.*?)<!-- /bench -->", README, re.DOTALL)
    assert block is not None
    source = (ROOT / "scripts/bench.py").read_text(encoding="utf-8")
    names = re.findall(r'Row\("([^"]+)"', source)
    assert len(names) >= 5
    assert [name for name in names if name not in block[1]] == []
