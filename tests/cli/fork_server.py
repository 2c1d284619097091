"""Runs hzlink many times without starting Python and importing hzlink each time.

A server process imports hzlink's modules once. For each run it forks a child, which gets its own arguments,
environment, folder and streams, and calls hzlink's `main`. No state is left from one run to the next: signal handlers,
module variables and the environment end with the child.

This file is the server's program, too: it reads one JSON request a line, and writes the child's process id and then
its exit code as one JSON line each. The server ends at the end of its standard input, so it ends with pytest.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

LANG = "C.UTF-8"
# A run imports this itself.
NOT_PRELOADED = ("hzlink.__main__",)


def can_run(env: Mapping[str, str]) -> bool:
    """Whether a forked child would see the same: Python reads these variables only when it starts."""
    return env.get("LANG") == LANG and not any(name.startswith(("PYTHON", "LC_")) for name in env)


class ForkServer:
    """The server process, and runs of hzlink in its children."""

    def __init__(self) -> None:
        # -P: this file's folder is not a place to import from.
        self._server = subprocess.Popen(
            [sys.executable, "-P", __file__],
            env={"PATH": os.defpath, "LANG": LANG},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        atexit.register(self.close)

    def run(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, limit: float
    ) -> subprocess.CompletedProcess[str]:
        """Runs hzlink to its end, with nothing to read. The first of `argv` is the script's path.

        Raises:
            subprocess.TimeoutExpired: it did not end within `limit` seconds, and was killed.
        """
        with tempfile.TemporaryDirectory() as folder:
            out, err = (os.path.join(folder, name) for name in ("out", "err"))
            request = {"argv": [*argv], "env": {**env}, "cwd": str(cwd), "out": out, "err": err}
            assert self._server.stdin
            self._server.stdin.write(json.dumps(request).encode() + b"\n")
            self._server.stdin.flush()
            pid = self._answer()
            if not self._has_answer(limit):
                os.kill(pid, signal.SIGKILL)
                self._answer()
                raise subprocess.TimeoutExpired([*argv], limit)
            code = self._answer()
            # As subprocess reads text: in this process's encoding, every line end as \n.
            with open(out) as printed, open(err) as said:
                return subprocess.CompletedProcess([*argv], code, printed.read(), said.read())

    def close(self) -> None:
        """Ends the server."""
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

    def _has_answer(self, seconds: float) -> bool:
        return bool(select.select([self._server.stdout], [], [], seconds)[0])

    def _answer(self) -> int:
        """The next number. It is read byte by byte, so that no buffer hides the one after it from `select`."""
        assert self._server.stdout
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(self._server.stdout.fileno(), 1)
            assert byte, "the fork server has ended"
            line += byte
        return int(line)


@cache
def server() -> ForkServer:
    """The server of this pytest process, started at the first use."""
    return ForkServer()


def _serve() -> None:
    import hzlink

    for module in pkgutil.walk_packages(hzlink.__path__, "hzlink."):
        if module.name not in NOT_PRELOADED:
            importlib.import_module(module.name)
    # rich, sh and yaml are loaded only where they are used.
    for name in ("sh", "yaml", "asyncio", "rich.console", "rich.table", "rich.text"):
        importlib.import_module(name)
    # It reads FORCE_COLOR and others when it is imported.
    assert "typer.rich_utils" not in sys.modules
    # Tests hide it.
    assert "hazelcast" not in sys.modules
    gc.collect()
    gc.freeze()
    for line in iter(sys.stdin.buffer.readline, b""):
        child = os.fork()
        if child == 0:
            _run(json.loads(line))
        _answer(child)
        _answer(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _answer(number: int) -> None:
    os.write(1, f"{number}\n".encode())


def _run(request: dict[str, Any]) -> None:
    """Becomes the hzlink of the request, in the child. Never returns."""
    try:
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        tempfile.tempdir = None
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        for number, path in ((0, os.devnull), (1, request["out"]), (2, request["err"])):
            opened = os.open(path, flags if number else os.O_RDONLY, 0o600)
            os.dup2(opened, number)
            os.close(opened)
        # As Python makes them where LANG is C.UTF-8 and no stream is a terminal.
        sys.stdin = io.TextIOWrapper(open(0, "rb"), "utf-8", "surrogateescape")  # noqa: SIM115
        sys.stdout = io.TextIOWrapper(open(1, "wb"), "utf-8", "surrogateescape")  # noqa: SIM115
        sys.stderr = io.TextIOWrapper(open(2, "wb"), "utf-8", "backslashreplace", line_buffering=True)  # noqa: SIM115
        sys.argv = request["argv"]
        from hzlink.__main__ import main

        main()
    except BaseException:
        # What Python itself does with an exception that nothing handles.
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(1)


if __name__ == "__main__":
    _serve()
