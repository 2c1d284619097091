"""The programs that the sandbox runs, and the member JAR: found in the cache, downloaded, or built from Go modules.

Nothing but the finished programs is kept. Each is moved into the cache as soon as it is complete, so an interrupted run
continues with what is missing.
"""

from __future__ import annotations

import fcntl
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from sandbox.clusters import download
from sandbox.clusters.go_tool import GoTool, find_go
from sandbox.layout import ETCD_VERSION, HAZELCAST_VERSION, KUBERNETES_VERSION, KWOK_VERSION, SandboxError, cache_dir
from sandbox.pods import class_archive
from sandbox.pods.programs import find_java

Say = Callable[[str], None]

_PEAK_GIB = 8
"""Free disk that a whole build needs while it runs."""
_REPORT_SECONDS = 60.0
"""A build reports what is left at least so often."""
_JAR = f"hazelcast-{HAZELCAST_VERSION}.jar"
_KUBERNETES = "k8s.io/kubernetes"


@dataclass(frozen=True)
class Program:
    """One program. `seconds` is the time its build takes on two cores once its module's other programs are built."""

    name: str
    folder: str
    module: str
    package: str
    version: str
    seconds: int

    @property
    def path(self) -> Path:
        """The finished program in the cache; the version is in the path."""
        return cache_dir() / self.folder / self.name


def _kubernetes(name: str, seconds: int) -> Program:
    folder, package = f"kubernetes-{KUBERNETES_VERSION}", f"{_KUBERNETES}/cmd/{name}"
    return Program(name, folder, _KUBERNETES, package, KUBERNETES_VERSION, seconds)


def _kwok(name: str, seconds: int) -> Program:
    module = "sigs.k8s.io/kwok"
    return Program(name, f"kwok-{KWOK_VERSION}", module, f"{module}/cmd/{name}", KWOK_VERSION, seconds)


_ETCD = "go.etcd.io/etcd/server/v3"
# Two builds at a time keep both cores busy. The programs of a lane are built one after the other.
_LANES = (
    (_kubernetes("kube-apiserver", 75), _kubernetes("kube-controller-manager", 110), _kubernetes("kube-scheduler", 20)),
    (Program("etcd", f"etcd-{ETCD_VERSION}", _ETCD, _ETCD, ETCD_VERSION, 60), _kwok("kwok", 90), _kwok("kwokctl", 30)),
)
PROGRAMS = tuple(program for lane in _LANES for program in lane)
# What the first build of a module takes in addition: the packages that its programs share.
_SHARED_SECONDS = {_KUBERNETES: 220}


def find_programs() -> Mapping[str, Path]:
    """The programs in the cache by their names. SandboxError when some are missing."""
    if missing := _missing():
        raise SandboxError(f"not there yet: {', '.join(program.name for program in missing)}")
    return {program.name: program.path for program in PROGRAMS}


def find_jar() -> Path | None:
    """The member JAR in the cache, or None."""
    path = _jar_path()
    return path if path.is_file() else None


def _jar_path() -> Path:
    return cache_dir() / f"hazelcast-{HAZELCAST_VERSION}" / _JAR


def _missing() -> list[Program]:
    return [program for program in PROGRAMS if not program.path.is_file()]


def ensure(say: Say) -> None:
    """Downloads or builds what the cache lacks. SandboxError when that fails; the JAR is optional."""
    java = find_java()
    if not _missing() and find_jar() is not None and (java is None or class_archive.find(java, find_jar())):
        return
    cache_dir().mkdir(parents=True, exist_ok=True)
    with _locked(say):
        for path in cache_dir().glob("build-*"):
            shutil.rmtree(path, ignore_errors=True)  # a killed run left it
        _ensure_programs(say)
        _ensure_jar(say)
        class_archive.ensure(java, find_jar(), say)


@contextmanager
def _locked(say: Say) -> Iterator[None]:
    """A second run waits for the first one and then finds everything in the cache."""
    with (cache_dir() / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is building the sandbox's programs; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _ensure_programs(say: Say) -> None:
    """HZLINK_SANDBOX_DOWNLOAD=1 only downloads, =0 only builds; otherwise what cannot be downloaded is built."""
    mode = os.environ.get("HZLINK_SANDBOX_DOWNLOAD", "")
    if mode not in ("", "0", "1"):
        raise SandboxError(f"HZLINK_SANDBOX_DOWNLOAD is {mode!r}; 1 only downloads, 0 only builds")
    if mode != "0":
        _download(_missing(), say)
    missing = _missing()
    if missing and mode == "1":
        raise SandboxError(f"could not download {', '.join(program.name for program in missing)}")
    if missing:
        _build(missing, say)


def _download(programs: Sequence[Program], say: Say) -> None:
    """Downloads what is published for this machine; stops at the first download that fails."""
    if not programs:
        return
    sources = download.sources()
    checksums = download.find_checksums({program.name: sources[program.name] for program in programs})
    if not checksums:
        say("dl.k8s.io and github.com do not answer: the sandbox's programs cannot be downloaded")
        return
    say(f"downloading {len(checksums)} programs, once, into {cache_dir()} (about 0.4 GB for all)")
    with _work_folder() as work:
        for program in [program for program in programs if program.name in checksums]:
            began = time.monotonic()
            try:
                download.download(sources[program.name], checksums[program.name], work / program.name)
            except download.DownloadError as err:
                say(f"  download failed: {err}")
                return
            _keep(work / program.name, program)
            say(f"  {program.name} {program.version} ({_duration(time.monotonic() - began)})")


def _keep(file: Path, program: Program) -> None:
    program.path.parent.mkdir(exist_ok=True)
    file.rename(program.path)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def _build(programs: Sequence[Program], say: Say) -> None:
    free = shutil.disk_usage(cache_dir()).free / 2**30
    if free < _PEAK_GIB:
        raise SandboxError(
            f"building the sandbox's programs needs {_PEAK_GIB} GiB of disk for a while, there are {free:.1f} in"
            f" {cache_dir()} (HZLINK_SANDBOX_CACHE names another folder)"
        )
    lanes = [lane for lane in ([program for program in lane if program in programs] for lane in _LANES) if lane]
    planned = {program.name: end for lane in lanes for program, end in zip(lane, _planned_ends(lane), strict=True)}
    total = max(planned.values())
    say(
        f"building {len(programs)} programs from Go modules, once: about {total / 60:.0f} min on 2 cores, up to"
        f" {_PEAK_GIB} GiB of disk meanwhile, 0.5 GiB afterwards, in {cache_dir()}"
    )
    go = find_go(say)
    began, pace = time.monotonic(), 1.0
    built: list[str] = []
    with _work_folder() as work, _running(go, lanes, work) as events:
        while len(built) < len(programs):
            with suppress(queue.Empty):
                event = events.get(timeout=_REPORT_SECONDS)
                if isinstance(event, BaseException):
                    raise event
                built.append(event)
                pace = (time.monotonic() - began) / planned[event]
            left = max(total * pace - (time.monotonic() - began), 30.0)
            if len(built) < len(programs):
                say(f"  {len(built)} of {len(programs)} built, about {left / 60:.1f} min left")
    say(f"built in {_duration(time.monotonic() - began)}")


def _planned_ends(lane: Sequence[Program]) -> list[float]:
    """Seconds from the start until each program of a lane is built."""
    first = _SHARED_SECONDS.get(lane[0].module, 0)
    return list(accumulate((program.seconds for program in lane), initial=float(first)))[1:]


@contextmanager
def _running(
    go: GoTool, lanes: Sequence[Sequence[Program]], work: Path
) -> Iterator[queue.SimpleQueue[str | BaseException]]:
    """Builds each lane in a thread. Yields a queue that gets each program's name when built, and the first error.

    An error of one lane is reported once the other lanes have ended: what they build is kept.
    """
    events: queue.SimpleQueue[str | BaseException] = queue.SimpleQueue()
    failures: list[BaseException] = []

    def run(lane: Sequence[Program], folder: Path) -> None:
        try:
            for program in lane:
                _build_one(go, program, folder, work)
                events.put(program.name)
        except BaseException as err:
            failures.append(err)

    threads = [
        threading.Thread(target=run, args=(lane, work / str(number)), daemon=True) for number, lane in enumerate(lanes)
    ]

    def report() -> None:
        for thread in threads:
            thread.join()
        for failure in failures[:1]:
            events.put(failure)

    for thread in threads:
        thread.start()
    threading.Thread(target=report, daemon=True).start()
    try:
        yield events
    finally:
        go.stop()
        for thread in threads:
            thread.join()


def _build_one(go: GoTool, program: Program, folder: Path, work: Path) -> None:
    """`folder` is the lane's, `work` has Go's caches, which the lanes share."""
    module = folder / program.module.replace("/", "-")
    if not module.exists():
        module.mkdir(parents=True)
        kubernetes = program.module == _KUBERNETES
        replaces = go.staging_replaces(work, program.module, program.version) if kubernetes else ()
        go.write_module(module, program.module, program.version, replaces)
    variables = _version_variables() if program.module == _KUBERNETES else {}
    go.build(work, module, program.package, folder / program.name, variables)
    _keep(folder / program.name, program)


def _version_variables() -> dict[str, str]:
    """The version that Kubernetes' programs report; kubectl and kwokctl ask for it."""
    major, minor, _ = KUBERNETES_VERSION.split(".")
    values = {"gitVersion": f"v{KUBERNETES_VERSION}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return {f"{package}.{name}": value for package in packages for name, value in values.items()}


@contextmanager
def _work_folder() -> Iterator[Path]:
    """A temporary folder inside the cache, so that finished programs can be moved."""
    path = Path(tempfile.mkdtemp(prefix="build-", dir=cache_dir()))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _ensure_jar(say: Say) -> None:
    if find_jar() is not None:
        return
    maven = shutil.which("mvn")
    if maven is None:
        say("no Maven (mvn) on the PATH to fetch the Hazelcast JAR: no real members")
        return
    say(f"fetching the Hazelcast member {HAZELCAST_VERSION} with Maven")
    artifact = f"com.hazelcast:hazelcast:{HAZELCAST_VERSION}"
    with _work_folder() as work:
        goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
        argv = [maven, "-q", "-B", goal, f"-Dartifact={artifact}", f"-DoutputDirectory={work}"]
        # Maven needs no project, but would read a pom.xml in the current folder.
        done = subprocess.run(argv, cwd=work, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not (work / _JAR).is_file():
            say(f"Maven could not fetch {artifact}: no real members\n{(done.stdout + done.stderr)[-800:]}")
            return
        _jar_path().parent.mkdir(exist_ok=True)
        (work / _JAR).rename(_jar_path())
