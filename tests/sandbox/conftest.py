"""Runs the real `hzlink` on the sandbox's API servers."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import forked
from tests.sandboxed import Namespaces, Sandbox

HZLINK = str(Path(sys.executable).parent / "hzlink")


# A run that takes longer hangs.
LIMIT_SECONDS = 240.0
# How many lines of hzlink's standard error a failed test shows.
ERROR_LINES = 10


@dataclass(frozen=True)
class Ran:
    """One run of hzlink."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def document(self) -> dict[str, Any]:
        """The document that `-o json` printed."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    def ok(self) -> Ran:
        """Returns itself; fails the test with the output if the exit code is not 0."""
        assert self.code == 0, str(self)
        print(self.err)
        return self

    def __repr__(self) -> str:
        """The exit code and the last lines of standard error: all that pytest shows of a failed run."""
        lines = self.err.rstrip().splitlines()[-ERROR_LINES:]
        return "\n".join((f"hzlink ended with exit code {self.code} after {self.seconds:.1f} s:", *lines))


class Hzlink:
    """hzlink for one namespace on both API servers, with its own state folder."""

    def __init__(self, sandbox: Sandbox, namespace: str, state: Path) -> None:
        self.sandbox = sandbox
        self.namespace = namespace
        self.env = {**sandbox.env, "XDG_STATE_HOME": str(state)}
        self.state = state

    def __call__(self, *args: str, env: dict[str, str] | None = None) -> Ran:
        """Runs hzlink without a terminal, in a forked process (see forked.py)."""
        began = time.monotonic()
        code, out, err = forked.run(args, {**self.env, **(env or {})}, Path.cwd(), LIMIT_SECONDS)
        return Ran(code, out, err, time.monotonic() - began)

    def up(self, *args: str) -> Ran:
        """Runs `hzlink up` with the contexts client and cluster in this namespace."""
        return self("up", "--client-ctx", "client", "--cluster-ctx", "cluster", "-n", self.namespace, *args)

    def kubectl(self, context: str, *args: str, stdin: str | None = None) -> str:
        """Runs kubectl in this namespace; returns its output."""
        return self.sandbox.kubectl(context, "-n", self.namespace, *args, stdin=stdin)

    def objects(self, context: str, kinds: str) -> dict[str, dict[str, Any]]:
        """The namespace's objects of these kinds, by `Kind/name`."""
        return self.sandbox.objects(context, self.namespace, kinds)

    def writes(self) -> int:
        """The number of writes by kubectl and skupper in this namespace so far, on both API servers."""
        # The audit log is written after the response.
        time.sleep(0.3)
        return sum(len(self.sandbox.writes(server, self.namespace)) for server in ("client", "cluster"))


@pytest.fixture
def hzlink(sandbox: Sandbox, namespaces: Namespaces, tmp_path: Path) -> Hzlink:
    """hzlink in a fresh namespace whose pods have no processes: they are ready at once."""
    return Hzlink(sandbox, namespaces.make("none"), tmp_path / "state")


@pytest.fixture
def real_hzlink(sandbox: Sandbox, namespaces: Namespaces, tmp_path: Path) -> Hzlink:
    """hzlink in a fresh namespace with real Hazelcast members and a real client."""
    return Hzlink(sandbox, namespaces.make("real"), tmp_path / "state")


@pytest.fixture
def faults(sandbox: Sandbox) -> Iterator[Callable[..., None]]:
    """Sets the Skupper stand-in's faults; removes them after the test."""
    yield lambda **named: sandbox.set_faults(named)
    sandbox.set_faults({})


def tokens_left(hzlink: Hzlink) -> list[str]:
    """Existing grants, tokens and token files; a run must leave none."""
    kinds = "accessgrants.skupper.io,accesstokens.skupper.io"
    objects = [name for context in ("client", "cluster") for name in hzlink.objects(context, kinds)]
    files = [str(path) for path in hzlink.state.rglob("*") if "token" in path.name]
    return [*objects, *files]


assert os.path.exists(HZLINK), "the tests run in the environment that hzlink is installed in"
