"""The script that delays Management Center, run with a simulated name service."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.manifests.kustomizing import MANIFESTS

SCRIPT = MANIFESTS / "client" / "wait-for-members.sh"

pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")


class NameService:
    """A `getent` that resolves the names for which there is a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "getent"
        program.write_text('#!/bin/sh\n[ "$1" = hosts ] && [ -e "$(dirname "$0")/name-$2" ]\n')
        program.chmod(0o755)

    def add(self, *names: str) -> None:
        for name in names:
            (self.folder / f"name-{name}").touch()

    def start(self, members: int, wait_seconds: int = 300) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", str(SCRIPT)],
            env={
                "PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}",
                "HAZELCAST_MEMBERS": str(members),
                "HAZELCAST_WAIT_SECONDS": str(wait_seconds),
            },
            stdout=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def service(tmp_path: Path) -> NameService:
    return NameService(tmp_path)


def finished(process: subprocess.Popen[str]) -> str:
    try:
        out, _ = process.communicate(timeout=15)
    finally:
        process.kill()
    assert process.returncode == 0
    return out


def test_script_ends_at_once_when_all_names_resolve(service: NameService) -> None:
    service.add("hazelcast-0", "hazelcast-1")
    assert finished(service.start(members=2)) == "all 2 members' names resolve\n"


def test_script_waits_for_every_name_and_prints_the_missing_ones(service: NameService) -> None:
    service.add("hazelcast-0")
    process = service.start(members=3)
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting for: hazelcast-1 hazelcast-2\n"
    assert process.poll() is None
    service.add("hazelcast-1", "hazelcast-2")
    # The script may check the names between the two additions.
    said = finished(process).splitlines()
    assert said[-1] == "all 3 members' names resolve"
    assert set(said[:-1]) <= {"waiting for: hazelcast-1", "waiting for: hazelcast-2"}


def test_script_continues_with_some_members_after_the_timeout(service: NameService) -> None:
    service.add("hazelcast-1")
    said = finished(service.start(members=2, wait_seconds=1)).splitlines()
    # On a busy machine the second may pass before the first check of the names has ended.
    assert said[:-1] in (["waiting for: hazelcast-0"], [])
    assert said[-1].startswith("going on with 1 of 2 members after ")
    assert said[-1].endswith("without: hazelcast-0")


def test_script_never_continues_without_members(service: NameService) -> None:
    process = service.start(members=2, wait_seconds=0)
    time.sleep(1.5)
    still_waiting = process.poll() is None
    service.add("hazelcast-0")
    finished(process)
    assert still_waiting
