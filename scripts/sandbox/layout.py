"""Where the sandbox keeps things, and the versions of the programs it runs."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

KUBERNETES_VERSION = "1.37.2"
ETCD_VERSION = "3.6.14"
KWOK_VERSION = "0.8.0"
HAZELCAST_VERSION = "5.5.0"

Profile = Literal["fast", "measured"]
PROFILES: tuple[Profile, ...] = ("fast", "measured")

SERVERS = ("client", "cluster")
"""The two API servers. Each has a kubeconfig context of the same name."""

CONTEXTS = {"client": ("client", "hz"), "client2": ("client", "hz2"), "cluster": ("cluster", "hz")}
"""Kubeconfig contexts: which API server, which namespace. All of the namespaces exist after `up`."""

DEFAULT_NAME = "demo"
ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")


class SandboxError(Exception):
    """An error that is shown without a traceback."""


class Layout:
    """The files of one sandbox: `<checkout>/.sandbox/<name>/`."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.name = state.name
        self.lock = state.parent / f"{self.name}.lock"
        """Locked while the sandbox runs; beside its folder, which is created and removed."""
        self.failed_logs = state.parent / f"{self.name}-failed-logs"
        """The logs of a start that failed."""
        self.kubeconfig = state / "kubeconfig"
        """The sandbox's own kubeconfig (0600), with the contexts of `CONTEXTS`."""
        self.settings_file = state / "sandbox.json"
        """See `Settings`."""
        self.guard_file = state / "guard.json"
        """The pids and start times of guard and supervisor."""
        self.progress = state / "progress.log"
        """Lines that a waiting `up` prints."""
        self.ready = state / "ready"
        """Exists once everything runs; contains the seconds it took."""
        self.endpoints = state / "endpoints.json"
        """Running pods' processes: `{"cluster/hz/hazelcast-0": {"ip", "ports", ...}}`."""
        self.services = state / "services.json"
        """The stand-in's relays: `{"client/hz/hazelcast-1": {"ip", "port", "target"}}`. `target`: the router's port."""
        self.standin_ready = state / "skupper.ready"
        """Exists once the Skupper stand-in's controller is ready."""
        self.logs = state / "logs"
        """The logs of the sandbox's own programs."""
        self.bin = state / "bin"
        """`kubectl` and `skupper`, for the PATH."""
        self.kwok = state / "kwok"
        """kwokctl's working folder (KWOK_WORKDIR)."""

    @classmethod
    def named(cls, name: str) -> Layout:
        """The layout for a sandbox's name (lower case letters, digits and hyphens)."""
        if not _NAME.fullmatch(name):
            raise SandboxError(f"not a sandbox name: {name!r} (lower case letters, digits, hyphens)")
        return cls(ROOT / ".sandbox" / name)

    def cluster_dir(self, server: str) -> Path:
        """kwokctl's files of one API server: pids, logs, certificates."""
        return self.kwok / "clusters" / server

    def pod_dir(self, server: str, namespace: str, pod: str, uid: str) -> Path:
        """The files of one pod: volumes, logs, hosts file."""
        return self.state / "pods" / server / namespace / f"{pod}-{uid[:8]}"


@dataclass(frozen=True)
class Settings:
    """The settings of a running sandbox. `net` is its block of loopback addresses, such as "127.77"."""

    name: str
    profile: Profile
    net: str

    def write(self, layout: Layout) -> None:
        """Writes them into the sandbox's folder."""
        write_json(layout.settings_file, asdict(self))

    @classmethod
    def read(cls, layout: Layout) -> Settings:
        """Reads them; FileNotFoundError before the sandbox has written them."""
        return cls(**json.loads(layout.settings_file.read_text()))


@dataclass(frozen=True)
class Start:
    """Options of a start, passed from `up` to the guard to the supervisor."""

    profile: Profile
    standin: bool

    def arguments(self) -> list[str]:
        """The options as arguments of a command line."""
        return ["--profile", self.profile, *([] if self.standin else ["--no-standin"])]

    @staticmethod
    def add_options(parser: argparse.ArgumentParser) -> None:
        """Adds these options to a parser."""
        parser.add_argument("--profile", choices=PROFILES, default="measured", help="the delays (measured)")
        parser.add_argument("--no-standin", action="store_true", help="start without the Skupper stand-in")

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Start:
        """The options of a parsed command line."""
        return cls(options.profile, not options.no_standin)


def cache_dir() -> Path:
    """Where built programs and the member JAR are kept, for all checkouts."""
    own = os.environ.get("HZLINK_SANDBOX_CACHE")
    if own:
        return Path(own).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "hzlink-sandbox"


def architecture() -> str:
    """This machine's architecture, as Go and Kubernetes name it."""
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def venv_program(name: str) -> Path | None:
    """A program installed beside the running Python (kubectl, go), or None."""
    path = Path(sys.executable).parent / name
    return path if path.is_file() else None


def replace_text(path: Path, text: str) -> None:
    """Replaces the file in one step: readers see the old content or the new, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    temporary.write_text(text)
    temporary.replace(path)


def write_json(path: Path, data: Any) -> None:
    """Replaces the file's content by the data, in one step."""
    replace_text(path, json.dumps(data, indent=1) + "\n")


FileStamp = tuple[int, int, int] | None
"""Changes whenever a file is replaced or written; None while there is no file."""


def file_stamp(path: Path) -> FileStamp:
    """The file's stamp now."""
    try:
        info = path.stat()
    except FileNotFoundError:
        return None
    return info.st_mtime_ns, info.st_size, info.st_ino


def read_json(path: Path) -> dict[str, Any]:
    """The file's content; an empty dictionary while there is no such file."""
    try:
        data = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
