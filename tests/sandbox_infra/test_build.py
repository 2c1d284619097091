"""Downloading the programs from a local server, and building them with a simulated Go and Maven.

The real build takes minutes: HZLINK_SANDBOX_DOWNLOAD=0 HZLINK_SANDBOX_CACHE=$(mktemp -d) scripts/sandbox.sh build
"""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox.clusters import build, download, go_tool
from sandbox.layout import ETCD_VERSION, HAZELCAST_VERSION, KUBERNETES_VERSION, KWOK_VERSION, ROOT, SandboxError
from sandbox.pods import class_archive
from sandbox.pods.programs import find_java
from tests.sandboxed import PATIENCE_SECONDS, until

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
    with (here / "started").open("a") as log:
        log.write(os.environ["GOCACHE"] + "\\n")
    (here / package.rpartition("/")[2]).write_text(pathlib.Path("go.mod").read_text())
    (here / (package.rpartition("/")[2] + ".flags")).write_text(os.environ["GOFLAGS"] + " " + " ".join(arguments))
    read_only = pathlib.Path(os.environ["GOMODCACHE"]) / "module"
    read_only.mkdir(parents=True, exist_ok=True)
    time.sleep({seconds})
    # The first build ends when so many have started, however busy the machine is.
    until = time.monotonic() + 30
    while len((here / "started").read_text().splitlines()) < {together} and time.monotonic() < until:
        time.sleep(0.02)
    with (here / "running").open("a") as log:
        log.write(str(len((here / "started").read_text().splitlines())) + "\\n")
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
    """A simulated Go and Maven on an otherwise almost empty PATH, and a fresh cache. Nothing is downloaded."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.said: list[str] = []
        monkeypatch.setenv("HZLINK_SANDBOX_CACHE", str(self.cache))
        monkeypatch.setenv("HZLINK_SANDBOX_DOWNLOAD", "0")
        monkeypatch.setenv("PATH", f"{self.bin}:/usr/bin:/bin")
        self.go()
        self.program("mvn", MVN % HAZELCAST_VERSION)

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def go(self, *, version: str = "1.26.8", seconds: float = 0, together: int = 1, fails: str = "nothing") -> None:
        python = sys.executable
        text = GO.format(
            python=python, here=str(self.folder), version=version, seconds=seconds, together=together, fails=fails
        )
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
    return Tools(tmp_path, monkeypatch)


KUBERNETES = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]
OTHERS = ["v3", "kwok", "kwokctl"]


def test_all_programs_are_built_once_and_only_they_are_kept(tools: Tools) -> None:
    tools.ensure()
    tools.ensure()

    assert sorted(tools.built) == sorted(KUBERNETES + OTHERS)
    assert [name for name in tools.built if name in KUBERNETES] == KUBERNETES
    assert (
        build.find_programs()["kube-apiserver"] == tools.cache / f"kubernetes-{KUBERNETES_VERSION}" / "kube-apiserver"
    )
    assert build.find_jar() is not None
    assert tools.left_over == []
    files = {p.name for p in tools.cache.rglob("*") if p.is_file()}
    programs = {"etcd", "kwok", "kwokctl", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}
    assert files == programs | {f"hazelcast-{HAZELCAST_VERSION}.jar", "build.lock"}


def test_build_reports_its_duration_and_what_is_left(tools: Tools) -> None:
    tools.ensure()

    assert "building 6 programs" in tools.said[0]
    assert "about 7 min on 2 cores" in tools.said[0]
    assert "GiB" in tools.said[0]
    progress = [line.strip() for line in tools.said if "left" in line]
    assert [line.partition(",")[0] for line in progress] == [f"{number} of 6 built" for number in range(1, 6)]
    assert all(line.endswith(" min left") for line in progress)


def test_a_long_build_reports_periodically_what_is_left(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_REPORT_SECONDS", 0.05)
    tools.go(seconds=0.3)

    tools.ensure()

    assert "  0 of 6 built, about 7.1 min left" in tools.said


def test_two_builds_run_at_a_time_and_share_the_build_cache(tools: Tools) -> None:
    tools.go(together=2)

    tools.ensure()

    assert len(set((tools.folder / "started").read_text().splitlines())) == 1
    started_before_each_end = [int(line) for line in (tools.folder / "running").read_text().splitlines()]
    assert started_before_each_end[0] == 2


def test_the_cache_path_contains_the_version(tools: Tools) -> None:
    tools.ensure()

    programs = build.find_programs()
    assert KWOK_VERSION in str(programs["kwok"])
    assert ETCD_VERSION in str(programs["etcd"])


def test_kubernetes_is_built_with_its_published_staging_modules(tools: Tools) -> None:
    tools.ensure()

    module = (tools.folder / "kube-apiserver").read_text()
    assert f"replace k8s.io/api => k8s.io/api v0{KUBERNETES_VERSION[1:]}" in module
    flags = (tools.folder / "kube-apiserver.flags").read_text()
    assert "-modcacherw" in flags
    assert f"version.gitVersion=v{KUBERNETES_VERSION}" in flags


def test_the_next_run_builds_only_what_a_failed_one_did_not(tools: Tools) -> None:
    tools.go(fails="kube-controller-manager")
    with pytest.raises(SandboxError, match="no space left on device"):
        tools.ensure()
    assert tools.left_over == []
    with pytest.raises(SandboxError, match="not there yet: kube-controller-manager, kube-scheduler"):
        build.find_programs()

    tools.go()
    tools.ensure()

    assert sorted(tools.built) == sorted([*KUBERNETES, "kube-controller-manager", *OTHERS])


def test_files_of_a_killed_build_are_removed(tools: Tools) -> None:
    (tools.cache / "build-old" / "mod").mkdir(parents=True)

    tools.ensure()

    assert tools.left_over == []


def test_two_runs_at_once_build_once(tools: Tools) -> None:
    tools.go(seconds=0.1)
    threads = [threading.Thread(target=tools.ensure) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)

    assert len(tools.built) == len(KUBERNETES + OTHERS)
    assert any("another run is building" in line for line in tools.said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_removes_its_files(tools: Tools, number: signal.Signals) -> None:
    tools.go(seconds=60)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "sandbox", "build"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        stderr=subprocess.PIPE,
        text=True,
    )
    until((tools.folder / "started").exists)

    process.send_signal(number)

    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "interrupted" in said
    assert tools.left_over == []


def test_too_little_disk_is_an_error_before_the_build(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**30))

    with pytest.raises(SandboxError, match=r"needs \d+ GiB of disk for a while, there are 1\.0"):
        tools.ensure()


def test_maven_is_optional(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., str | None] = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, **more: None if name == "mvn" else real(name, **more))

    tools.ensure()

    assert build.find_jar() is None
    assert any("no real members" in line for line in tools.said)
    assert build.find_programs()


def test_the_go_of_the_wheel_replaces_an_old_one(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tools.folder / "go-of-the-wheel"
    (tools.bin / "go").rename(wheel)
    tools.go(version="1.21.5")
    monkeypatch.setattr(go_tool, "venv_program", lambda _: wheel)

    assert go_tool.find_go(tools.said.append).program == str(wheel)
    assert tools.said == []


# Downloads


class Releases:
    """A server on loopback that publishes the programs as their projects do. `answers` are by path."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.stalled: set[str] = set()
        self.asked: list[str] = []
        self.released = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                answer = outer.answers.get(self.path)
                self.send_response(404 if answer is None else 200)
                self.send_header("Content-Length", str(len(answer or b"")))
                self.end_headers()
                if self.path in outer.stalled:
                    outer.released.wait(30)
                self.wfile.write(answer or b"")

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def publish(self) -> None:
        """Every program, each with its name as its content, with checksums."""
        digests: dict[str, list[dict[str, str]]] = {}
        for program, source in download.sources().items():
            content = program.encode()
            if source.member:
                archive = io.BytesIO()
                with tarfile.open(fileobj=archive, mode="w:gz") as tar:
                    entry = tarfile.TarInfo(source.member)
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content))
                content = archive.getvalue()
            path, checksum_path = self.path(source.url), self.path(source.checksum_url)
            name, digest = path.rpartition("/")[2], hashlib.sha256(content).hexdigest()
            self.answers[path] = content
            if checksum_path.endswith(".sha256"):
                self.answers[checksum_path] = digest.encode()
            elif checksum_path.endswith("SHA256SUMS"):
                self.answers[checksum_path] = f"{'0' * 64}  other.tar.gz\n{digest}  {name}\n".encode()
            else:
                assets = digests.setdefault(checksum_path, [])
                assets.append({"name": name, "digest": f"sha256:{digest}"})
                self.answers[checksum_path] = json.dumps({"assets": assets}).encode()

    def path(self, url: str) -> str:
        return url.removeprefix(self.address)

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def releases(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> Iterator[Releases]:
    server = Releases()
    for name in ("KUBERNETES", "GITHUB", "GITHUB_API"):
        monkeypatch.setattr(download, name, server.address)
    monkeypatch.delenv("HZLINK_SANDBOX_DOWNLOAD")
    server.publish()
    yield server
    server.close()


PROGRAMS = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kwok", "kwokctl"]


def test_published_programs_are_downloaded_by_default(tools: Tools, releases: Releases) -> None:
    tools.ensure()

    assert tools.built == []
    programs = build.find_programs()
    assert {name: path.read_text() for name, path in programs.items()} == {name: name for name in PROGRAMS}
    assert all(os.access(path, os.X_OK) for path in programs.values())
    assert tools.left_over == []
    assert "downloading 6 programs" in tools.said[0]


def test_a_program_without_a_checksum_is_built(tools: Tools, releases: Releases) -> None:
    """GitHub's API refuses after 60 calls an hour: then there is no checksum for kwok."""
    del releases.answers[releases.path(download.sources()["kwok"].checksum_url)]

    tools.ensure()

    assert tools.built == ["kwok", "kwokctl"]
    assert build.find_programs()["etcd"].read_text() == "etcd"


@pytest.mark.parametrize("program", ["kube-scheduler", "etcd", "kwokctl"])
def test_a_wrong_checksum_is_refused_and_the_program_built(tools: Tools, releases: Releases, program: str) -> None:
    releases.answers[releases.path(download.sources()[program].url)] = b"something else"

    tools.ensure()

    assert build.find_programs()[program].read_text() != "something else"
    assert ("v3" if program == "etcd" else program) in tools.built
    assert any("its SHA-256 is" in line for line in tools.said)
    assert tools.left_over == []


def test_a_stalled_download_ends_quickly_and_the_rest_is_built(
    tools: Tools, releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "STALL_SECONDS", 0.2)
    releases.stalled.add(releases.path(download.sources()["kube-controller-manager"].url))
    began = time.monotonic()

    tools.ensure()

    assert time.monotonic() - began < 50
    assert build.find_programs()["kube-apiserver"].read_text() == "kube-apiserver"
    assert tools.built[0] in ("kube-controller-manager", "v3")
    assert any("download failed" in line for line in tools.said)


def test_a_slow_download_ends_and_the_rest_is_built(
    tools: Tools, releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_SLOW_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(download, "_SLOW_BYTES_PER_SECOND", 10**12)

    tools.ensure()

    assert sorted(tools.built) == sorted(KUBERNETES + OTHERS)
    assert any("kB/s" in line for line in tools.said)


def test_servers_that_do_not_answer_in_time_are_skipped(
    tools: Tools, releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "CHECKSUM_SECONDS", 0.3)
    releases.stalled.update(releases.answers)
    began = time.monotonic()

    tools.ensure()

    assert time.monotonic() - began < 50
    assert "do not answer" in tools.said[0]
    assert len(tools.built) == 6


def test_download_only(tools: Tools, releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HZLINK_SANDBOX_DOWNLOAD", "1")
    del releases.answers[releases.path(download.sources()["etcd"].url)]

    with pytest.raises(SandboxError, match="could not download etcd, kwok, kwokctl"):
        tools.ensure()

    assert tools.built == []


def test_build_only(tools: Tools, releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HZLINK_SANDBOX_DOWNLOAD", "0")

    tools.ensure()

    assert releases.asked == []
    assert len(tools.built) == 6


def test_an_unknown_mode_is_refused(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HZLINK_SANDBOX_DOWNLOAD", "yes")

    with pytest.raises(SandboxError, match="1 only downloads, 0 only builds"):
        tools.ensure()


def test_sources_are_the_projects_own_hosts() -> None:
    sources = download.sources()
    hosts = {program: source.url.split("/")[2] for program, source in sources.items()}
    assert hosts == {name: "dl.k8s.io" if name.startswith("kube-") else "github.com" for name in PROGRAMS}
    assert sources["kube-apiserver"].checksum_url == sources["kube-apiserver"].url + ".sha256"
    assert f"/v{ETCD_VERSION}/SHA256SUMS" in sources["etcd"].checksum_url
    assert all(source.url.startswith("https://") for source in sources.values())


def test_a_member_that_does_not_start_leaves_no_class_archive(tools: Tools) -> None:
    tools.ensure()

    jar = build.find_jar()
    assert class_archive.find(find_java(), jar) is None
    assert find_java() is None or "Java made no archive" in " ".join(tools.said)
