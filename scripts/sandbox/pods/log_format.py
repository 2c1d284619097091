"""Container logs in the format that a kubelet reads: one line each, "<time> stdout F <text>" (CRI)."""

from __future__ import annotations

import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path


def line(text: bytes) -> bytes:
    """One log line, stamped with the time of now."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
    return stamp.encode() + b" stdout F " + text.rstrip(b"\r\n") + b"\n"


def copy_output(process: subprocess.Popen[bytes], path: Path) -> threading.Thread:
    """Writes what the process prints to the file, until it closes its output. Returns the thread that does it."""

    def copy() -> None:
        assert process.stdout is not None  # noqa: S101 started with a pipe
        with path.open("ab", buffering=0) as file, process.stdout:
            for text in process.stdout:
                file.write(line(text))

    thread = threading.Thread(target=copy, name=f"log-{process.pid}", daemon=True)
    thread.start()
    return thread
