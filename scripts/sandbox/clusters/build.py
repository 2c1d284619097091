"""The programs that the sandbox runs: found in the cache, or made for it once, from Go modules; and the member JAR.

Nothing but the finished programs is kept. Each is moved into the cache by itself as soon as it is there, so that an
interrupted build goes on with what is missing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from sandbox.clusters.go_tool import GoTool, find_go
from sandbox.clusters.kwok_config import Programs
from sandbox.layout import ETCD_VERSION, HAZELCAST_VERSION, KUBERNETES_VERSION, KWOK_VERSION, SandboxError, cache_dir

Say = Callable[[str], None]

_PEAK_GIB = 7
"""Free disk that a whole build needs while it runs."""
_JAR = f"hazelcast-{HAZELCAST_VERSION}.jar"


@dataclass(frozen=True)
class Unit:
    """Programs that are built together. Seconds are what it took on two otherwise idle cores.

    `seconds` is for a build after those that stand before it in `_needed`, `alone` for one of which they were there.
    """

    folder: str
    module: str
    version: str
    packages: Mapping[str, str]
    """Program -> Go package."""
    seconds: int
    alone: int

    def path(self, program: str) -> Path:
        """Where the finished program is kept; the version is in the path."""
        return cache_dir() / self.folder / program

    @property
    def missing(self) -> list[str]:
        """The programs that the cache does not have."""
        return [program for program in self.packages if not self.path(program).is_file()]


_KUBERNETES = "k8s.io/kubernetes"
_KUBERNETES_FOLDER = f"kubernetes-{KUBERNETES_VERSION}"


def _kubernetes(program: str, seconds: int, alone: int) -> Unit:
    packages = {program: f"{_KUBERNETES}/cmd/{program}"}
    return Unit(_KUBERNETES_FOLDER, _KUBERNETES, KUBERNETES_VERSION, packages, seconds, alone)


_ETCD = Unit(
    f"etcd-{ETCD_VERSION}",
    "go.etcd.io/etcd/server/v3",
    ETCD_VERSION,
    {"etcd": "go.etcd.io/etcd/server/v3"},
    seconds=55,
    alone=55,
)
_KWOK = Unit(
    f"kwok-{KWOK_VERSION}",
    "sigs.k8s.io/kwok",
    KWOK_VERSION,
    {"kwok": "sigs.k8s.io/kwok/cmd/kwok", "kwokctl": "sigs.k8s.io/kwok/cmd/kwokctl"},
    seconds=95,
    alone=95,
)
# Kubernetes last and in this order: the first build does most of the work for the next two.
_APISERVER = _kubernetes("kube-apiserver", 295, 295)
_CONTROLLER_MANAGER = _kubernetes("kube-controller-manager", 110, 330)
_SCHEDULER = _kubernetes("kube-scheduler", 15, 240)
_CONTROL_PLANE = (_ETCD, _APISERVER, _CONTROLLER_MANAGER, _SCHEDULER)


def wants_download() -> bool:
    """Whether kwokctl is to download the official control plane: HZLINK_SANDBOX_DOWNLOAD=1."""
    return os.environ.get("HZLINK_SANDBOX_DOWNLOAD", "") == "1"


def find_programs() -> Programs:
    """The programs in the cache. SandboxError when some are missing."""
    needed = _needed()
    missing = [program for unit in needed for program in unit.missing]
    if missing:
        raise SandboxError(f"not built yet: {', '.join(missing)}")
    own = {p: unit.path(p) for unit in needed for p in unit.packages}
    return Programs(
        kwokctl=own["kwokctl"],
        kwok=own["kwok"],
        etcd=own.get("etcd"),
        apiserver=own.get("kube-apiserver"),
        controller_manager=own.get("kube-controller-manager"),
        scheduler=own.get("kube-scheduler"),
        downloads=cache_dir() / "downloads",
    )


def find_jar() -> Path | None:
    """The member JAR in the cache, or None."""
    path = _jar_path()
    return path if path.is_file() else None


def _jar_path() -> Path:
    return cache_dir() / f"hazelcast-{HAZELCAST_VERSION}" / _JAR


def _needed() -> tuple[Unit, ...]:
    return (_KWOK,) if wants_download() else (_KWOK, *_CONTROL_PLANE)


def ensure(say: Say) -> None:
    """Makes what the cache lacks. SandboxError when that cannot be done; without the JAR one can do."""
    if not any(unit.missing for unit in _needed()) and find_jar() is not None:
        return
    cache_dir().mkdir(parents=True, exist_ok=True)
    with _alone(say):
        _ensure_programs(say)
        _ensure_jar(say)


@contextmanager
def _alone(say: Say) -> Iterator[None]:
    """Two runs at once must not build twice: the second waits, and then finds everything there."""
    with (cache_dir() / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is building the sandbox's programs; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _ensure_programs(say: Say) -> None:
    units = [unit for unit in _needed() if unit.missing]
    if not units:
        return
    _remove_leftovers()
    free = shutil.disk_usage(cache_dir()).free / 2**30
    if free < _PEAK_GIB:
        raise SandboxError(
            f"building the sandbox's programs needs {_PEAK_GIB} GiB of disk for a while, there are {free:.1f} in"
            f" {cache_dir()} (HZLINK_SANDBOX_CACHE names another folder)"
        )
    count = sum(len(unit.missing) for unit in units)
    groups = [list(group) for _, group in groupby(units, key=lambda unit: unit.module)]
    minutes = sum(_expected(group, unit) for group in groups for unit in group) / 60
    say(
        f"building {count} programs from Go modules, once: about {minutes:.0f} min on 2 cores, up to {_PEAK_GIB} GiB of"
        f" disk meanwhile, 0.5 GiB afterwards, in {cache_dir()}"
    )
    go = find_go(say)
    began = time.monotonic()
    number = 0
    # Builds of one module share Go's caches: after kube-apiserver there is little left to compile for the other two.
    for group in groups:
        with _work_folder() as work:
            for unit in group:
                number += 1
                names = " and ".join(unit.missing)
                say(f"  {number}/{len(units)} {names} {unit.version} (about {_duration(_expected(group, unit))})")
                started = time.monotonic()
                _build(go, unit, work)
                say(f"      done in {_duration(time.monotonic() - started)}")
    say(f"built in {_duration(time.monotonic() - began)}")


def _expected(group: list[Unit], unit: Unit) -> int:
    """The first build of a module has nothing to start from."""
    return unit.alone if unit is group[0] else unit.seconds


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def _build(go: GoTool, unit: Unit, work: Path) -> None:
    module = work / "module"
    if not module.exists():
        module.mkdir()
        replaces = go.staging_replaces(work, unit.module, unit.version) if unit.module == _KUBERNETES else ()
        go.write_module(module, unit.module, unit.version, replaces)
    variables = _version_variables() if unit.module == _KUBERNETES else {}
    for program in unit.missing:
        output = work / program
        go.build(work, module, unit.packages[program], output, variables)
        target = unit.path(program)
        target.parent.mkdir(exist_ok=True)
        output.rename(target)


def _version_variables() -> dict[str, str]:
    """What Kubernetes' programs say of themselves; kubectl and kwokctl ask for it."""
    major, minor, _ = KUBERNETES_VERSION.split(".")
    values = {"gitVersion": f"v{KUBERNETES_VERSION}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return {f"{package}.{name}": value for package in packages for name, value in values.items()}


@contextmanager
def _work_folder() -> Iterator[Path]:
    """A folder for one build, in the cache so that finished programs can be moved; gone afterwards."""
    path = Path(tempfile.mkdtemp(prefix="build-", dir=cache_dir()))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _remove_leftovers() -> None:
    """What a killed build left behind; called with the lock held."""
    for path in cache_dir().glob("build-*"):
        shutil.rmtree(path, ignore_errors=True)


def _ensure_jar(say: Say) -> None:
    if find_jar() is not None:
        return
    maven = shutil.which("mvn")
    if maven is None:
        say("Maven (mvn) is not there to fetch the Hazelcast JAR: no real members")
        return
    say(f"fetching the Hazelcast member {HAZELCAST_VERSION} with Maven")
    artifact = f"com.hazelcast:hazelcast:{HAZELCAST_VERSION}"
    with _work_folder() as work:
        goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
        argv = [maven, "-q", "-B", goal, f"-Dartifact={artifact}", f"-DoutputDirectory={work}"]
        # Without a project of its own Maven may be run from anywhere, but would read a pom.xml of the current folder.
        done = subprocess.run(argv, cwd=work, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not (work / _JAR).is_file():
            say(f"Maven could not fetch {artifact}: no real members\n{(done.stdout + done.stderr)[-800:]}")
            return
        _jar_path().parent.mkdir(exist_ok=True)
        (work / _JAR).rename(_jar_path())


if __name__ == "__main__":
    ensure(lambda text: print(text, file=sys.stderr, flush=True))
