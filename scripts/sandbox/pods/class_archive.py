"""An archive of a member's loaded classes, for Java. With it a member starts with a little over half the CPU time.

It is made once, when the sandbox's programs are, from a member that runs alone until it has started. Java ignores an
archive that does not fit; then members start as without one.
"""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sandbox.pods.programs import JAVA_DEFAULTS, MEMBER_CLASS, NO_DISCOVERY

_START_SECONDS = 60.0


def path(java: str, jar: Path) -> Path:
    """Where the archive for this Java and JAR is, or will be."""
    program = Path(os.path.realpath(java))
    # Java refuses an archive that was made with a JAR of another time, such as a copy.
    known = [f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in (program, jar)]
    key = hashlib.sha256(" ".join(known).encode()).hexdigest()[:12]
    return jar.with_name(f"{jar.stem}-classes-{key}.jsa")


def find(java: str | None, jar: Path | None) -> Path | None:
    """The archive, if it has been made."""
    if java is None or jar is None:
        return None
    archive = path(java, jar)
    return archive if archive.is_file() else None


def ensure(java: str | None, jar: Path | None, say: Callable[[str], None]) -> None:
    """Makes the archive if it is missing. Members work without it, so a failure is only reported."""
    if java is None or jar is None or find(java, jar):
        return
    with tempfile.TemporaryDirectory(dir=jar.parent, prefix="build-") as folder:
        made = Path(folder, "classes.jsa")
        started = _run_member(java, jar, Path(folder), made)
        if started and made.is_file():
            made.rename(path(java, jar))
        else:
            say("Java made no archive of the members' classes: members start more slowly")


def _run_member(java: str, jar: Path, folder: Path, archive: Path) -> bool:
    """Runs a member until it has started; whether it has. Java writes the archive when it ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config, log = folder / "hazelcast.yaml", folder / "log"
    config.write_text(f"{NO_DISCOVERY}    port: {{port: {port}, auto-increment: false}}\n")
    argv = [java, *JAVA_DEFAULTS, f"-XX:ArchiveClassesAtExit={archive}", f"-Dhazelcast.config={config}", "-Xmx128m"]
    argv += ["-Djava.net.preferIPv4Stack=true", f"-Djava.io.tmpdir={folder}"]
    argv += ["-Dhazelcast.local.localAddress=127.0.0.1", "-Dhazelcast.socket.bind.any=false"]
    argv += ["-Dhazelcast.phone.home.enabled=false", "-cp", str(jar), MEMBER_CLASS]
    with log.open("wb") as output:
        member = subprocess.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        until = time.monotonic() + _START_SECONDS
        while member.poll() is None and time.monotonic() < until and b"is STARTED" not in log.read_bytes():
            time.sleep(0.1)
        member.terminate()
        with suppress(subprocess.TimeoutExpired):
            member.wait(_START_SECONDS)
    finally:
        member.kill()
        member.wait()
    return b"is STARTED" in log.read_bytes()
