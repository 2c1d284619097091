"""Which pods run which programs, and how they are started."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.api.kinds import Obj
from sandbox.layout import ROOT, Profile
from sandbox.pods import images
from sandbox.pods.spec import local_paths

App = Literal["member", "mancenter", "python", "none"]

_APPS: dict[str, App] = {"hazelcast": "member", "hzlink-verify": "python"}
# The repositories of the members' images, for members that hzlink did not make.
_MEMBER_IMAGE = re.compile(r"(?:.*/)?hazelcast(?:-enterprise)?(?:[:@].*)?")
MINIMUM_JAVA = 17
MEMBER_CLASS = "com.hazelcast.core.server.HazelcastMemberStarter"

# Small and quick to start. The pod's JAVA_OPTS come after these and override them.
JAVA_DEFAULTS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dsun.net.inetaddr.negative.ttl=0")
# How long members wait before the first of them forms the cluster; the defaults are 5 s each. The second setting is in
# a section that is disabled, but discovery by DNS uses it.
_FAST_JOIN = ("-Dhazelcast.wait.seconds.before.join=1",)
_FAST_JOIN_SETTINGS = (
    "-Dhz.advanced-network.join.tcp-ip.enabled=false",
    "-Dhz.advanced-network.join.tcp-ip.connection-timeout-seconds=1",
)
# Replaces the image's default, which would discover members by multicast on the user's network.
NO_DISCOVERY = (
    "hazelcast:\n  network:\n    join:\n      auto-detection: {enabled: false}\n      multicast: {enabled: false}\n"
)


@dataclass(frozen=True)
class Launch:
    """A program to start."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path


@dataclass(frozen=True)
class MemberRuntime:
    """What members run with. `java` or `jar` is None when missing; `archive` is that of class_archive.py."""

    java: str | None
    jar: Path | None
    profile: Profile
    archive: Path | None = None

    @property
    def available(self) -> bool:
        """Whether real members can be run."""
        return self.java is not None and self.jar is not None


class PodLocation:
    """A pod's files and address on this machine."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address
        self.volumes = folder / "volumes"
        """One folder for each of the pod's volumes."""
        self.hosts = folder / "hosts"
        """The names that the pod can resolve."""
        self.tmp = folder / "tmp"
        self.bin = folder / "bin"
        """Programs that come first on the PATH of the pod's scripts."""

    def log(self, container: str, restarts: int) -> Path:
        """The log of one run of a container."""
        return self.folder / f"{container}-{restarts}.log"


def app_of(pod: Obj) -> App:
    """The program that a pod runs, by its label `app`; a member also by the image of its first container."""
    label = pod["metadata"].get("labels", {}).get("app", "")
    # With `hzlink up --service NAME`, the label is NAME-mancenter.
    known = "mancenter" if label.endswith("-mancenter") else _APPS.get(label)
    if known is None and _MEMBER_IMAGE.fullmatch(pod["spec"]["containers"][0]["image"]):
        return "member"
    return known or "none"


def find_java() -> str | None:
    """A Java that is new enough for a member, from JAVA_HOME or the PATH, or None."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin") if home else None
    java = java or shutil.which("java")
    if java is None:
        return None
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(\d+)', done.stderr + done.stdout)
    return java if found and int(found[1]) >= MINIMUM_JAVA else None


def member(container: Obj, env: Mapping[str, str], location: PodLocation, runtime: MemberRuntime) -> Launch:
    """A real Hazelcast member, with the pod's own configuration and options, on the pod's loopback address."""
    assert runtime.java is not None  # noqa: S101 callers ask `runtime.available` first
    # Split before the paths are replaced: the sandbox's own path may contain a space.
    options = [local_paths(option, container, location.volumes) for option in shlex.split(env.get("JAVA_OPTS", ""))]
    config = next((o.partition("=")[2] for o in options if o.startswith("-Dhazelcast.config=")), None)
    if config is None:
        config = _config(container, env, location)
        options.append(f"-Dhazelcast.config={config}")
    argv = [runtime.java, *JAVA_DEFAULTS]
    if runtime.archive is not None:
        argv.append(f"-XX:SharedArchiveFile={runtime.archive}")
    if runtime.profile == "fast":
        argv += [*_FAST_JOIN, *_fast_join_settings(Path(config))]
    argv += options
    argv += [
        "-Xmx128m",
        f"-Djdk.net.hosts.file={location.hosts}",
        "-Dsun.net.inetaddr.ttl=1",
        "-Djava.net.preferIPv4Stack=true",
        f"-Djava.io.tmpdir={location.tmp}",
        f"-Dhazelcast.local.localAddress={location.address}",
        "-Dhazelcast.socket.bind.any=false",
        "-Dhazelcast.phone.home.enabled=false",
        "-cp",
        str(runtime.jar),
        MEMBER_CLASS,
    ]
    return Launch(argv, _process_env(env), location.folder)


def _fast_join_settings(config: Path) -> tuple[str, ...]:
    """The settings that can override this configuration: it must have the section and not use it itself."""
    try:
        text = config.read_text()
    except OSError:
        return ()
    return _FAST_JOIN_SETTINGS if "advanced-network:" in text and "tcp-ip:" not in text else ()


def _config(container: Obj, env: Mapping[str, str], location: PodLocation) -> str:
    named = env.get("HAZELCAST_CONFIG")
    if named:
        return local_paths(named, container, location.volumes)
    default = location.folder / "hazelcast-default.yaml"
    default.write_text(NO_DISCOVERY)
    return str(default)


def mancenter(container: Obj, env: Mapping[str, str], location: PodLocation, runtime: MemberRuntime) -> Launch:
    """A real Hazelcast client instead of Management Center, with the client configuration of MC_INIT_CMD."""
    option = re.search(r"(?:-cc|--client-config)[= ]+([^\s;'\"]+)", env.get("MC_INIT_CMD", ""))
    config = local_paths(option[1], container, location.volumes) if option else ""
    argv = [
        sys.executable,
        "-m",
        "sandbox.pods.mancenter",
        "--hosts",
        str(location.hosts),
        "--address",
        location.address,
    ]
    argv += ["--config", config, "--give-up-after", "20" if runtime.profile == "measured" else "6"]
    return Launch(argv, _process_env(env, PYTHONPATH=str(ROOT / "scripts")), location.folder)


def python(container: Obj, env: Mapping[str, str], location: PodLocation) -> Launch | None:
    """A Python program in a file, run by this Python without its packages; None where the image has no Python."""
    command = [*(container.get("command") or []), *(container.get("args") or [])]
    if not command or command[0] != "python3" or not images.is_python(container["image"]):
        return None
    own = str(ROOT / "scripts" / "sandbox" / "pods" / "run_python.py")
    script = next(number for number, word in enumerate(command) if number and not word.startswith("-"))
    program = [local_paths(word, container, location.volumes) for word in command[script:]]
    argv = [sys.executable, "-I", "-S", *command[1:script], own, str(location.hosts), *program]
    return Launch(argv, _process_env(env), location.folder)


def init_script(container: Obj, env: Mapping[str, str], location: PodLocation, runtime: MemberRuntime) -> Launch | None:
    """An init container that is a shell script, run with the pod's names; None for any other program."""
    command = [*(container.get("command") or []), *(container.get("args") or [])]
    if not command or Path(command[0]).name not in ("sh", "bash"):
        return None
    _write_shims(location, runtime.profile)
    argv = [Path(command[0]).name, *(local_paths(arg, container, location.volumes) for arg in command[1:])]
    path = f"{location.bin}:{os.environ.get('PATH', os.defpath)}"
    return Launch(argv, {**_process_env(env), "PATH": path}, location.folder)


def _write_shims(location: PodLocation, profile: Profile) -> None:
    """`getent`, which resolves the sandbox's names, and in the profile `fast` a short `sleep`."""
    location.bin.mkdir(parents=True, exist_ok=True)
    shims = {"getent": _GETENT.format(hosts=shlex.quote(str(location.hosts)))}
    if profile == "fast":
        shims["sleep"] = "#!/bin/sh\ncommand -p sleep 0.2\n"
    for name, text in shims.items():
        path = location.bin / name
        path.write_text(text)
        path.chmod(0o755)


_GETENT = """#!/bin/sh
# getent DATABASE NAME for a simulated pod: resolves the sandbox's names.
while read -r address name; do
  if [ "$name" = "$2" ]; then
    echo "$address $name"
    exit 0
  fi
done < {hosts}
exit 2
"""


def _process_env(env: Mapping[str, str], **more: str) -> dict[str, str]:
    """The container's own variables and the user's PATH, nothing else of the user's environment."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **env, **more}
