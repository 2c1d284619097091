"""`hzlink version`, which needs no configuration and no cluster."""

from __future__ import annotations

import json
import platform

import pytest
import yaml

from hzlink import __version__
from tests.cli.program import Ended, User


def _program(user: User, name: str, script: str) -> None:
    path = user.folder / "bin" / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _versions(ended: Ended) -> dict[str, str | None]:
    assert (ended.code, ended.err) == (0, "")
    document = json.loads(ended.out)
    assert (document["kind"], document["exitCode"], document["errors"]) == ("Version", 0, [])
    found: dict[str, str | None] = document["versions"]
    return found


def test_versions_of_installed_programs(user: User) -> None:
    _program(user, "skupper", "echo 2.2.1")
    found = _versions(user.hzlink("version", "-o", "json"))
    assert found["kubectl"] is not None
    assert found["kubectl"].startswith("v1.")
    assert found | {"kubectl": ""} == {
        "hzlink": __version__,
        "kubectl": "",
        "skupper": "2.2.1",
        "python": platform.python_version(),
    }


def test_table_lists_each_program(user: User) -> None:
    ended = user.script("version")
    assert (ended.code, ended.err) == (0, "")
    names = [line.split()[0] for line in ended.out.splitlines()]
    assert names == ["hzlink", "kubectl", "skupper", "python"]
    assert "skupper  not installed" in ended.out


def test_yaml_equals_json(user: User) -> None:
    as_json = user.hzlink("version", "-o", "json").document
    assert yaml.safe_load(user.hzlink("version", "-o", "yaml").out) == as_json


def test_other_versions_are_shown_without_kubectl(user: User) -> None:
    (user.folder / "bin" / "kubectl").unlink()
    found = _versions(user.hzlink("version", "-o", "json", PATH=str(user.folder / "bin")))
    assert found["skupper"] is None


@pytest.mark.parametrize("script", ["echo nonsense", "exit 1", "echo '[]'", "echo '{\"clientVersion\": null}'"])
def test_unreadable_kubectl_version_is_unknown(user: User, script: str) -> None:
    _program(user, "kubectl", script)
    assert _versions(user.hzlink("version", "-o", "json"))["kubectl"] == "unknown"


def test_invalid_configuration_is_ignored(user: User) -> None:
    (user.cwd / "hzlink.yaml").write_text("nonsense: [")
    user.kubeconfig.write_text("{")
    assert user.hzlink("version").code == 0
