"""A run in a forked process equals a run of the real script; most tests in tests/cli rely on that."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

from tests import forked
from tests.cli.fake_api import FakeApi, silent
from tests.cli.program import Ended, User

SITES = ("--client-ctx", "edge", "--cluster-ctx", "core")
COMMANDS = {
    "up": (),
    "link": (),
    "check": (),
    "status": (),
    "down": ("--yes",),
    "render": (),
    "verify": (),
    "bench": (),
    "open": ("mancenter",),
    "dump": ("x.tgz",),
}


def comparable(ended: Ended) -> tuple[int, list[str], list[str]]:
    """The exit code and both streams, without the parts that differ between runs.

    Those are times, ports, the size of an archive that holds times, and the order in which the sites answer.
    """
    varies = (
        r"\d+\.\d+ s|[\d-]+[T ]\d+:\d\d:\d\d[.\dZ]*|127\.0\.0\.1:\d{2,}"
        r'|"bytes": \d+|[\d.,]+ (bytes|[kKM]i?B)|"\w+Seconds": \d+'
    )
    out, err = (re.sub(varies, "0", text).splitlines() for text in (ended.out, ended.err))
    return ended.code, sorted(out), sorted(err)


@pytest.mark.parametrize("output", ["table", "json"])
@pytest.mark.parametrize("command", COMMANDS)
def test_forked_command_equals_the_real_script(command: str, output: str, user: User) -> None:
    user.has_contexts(core="http://127.0.0.1:1", edge="http://127.0.0.1:2")
    args = (command, *COMMANDS[command], *SITES, "--timeout", "5", "-o", output)
    by_fork = user.hzlink(*args)
    # `dump` overwrites no file.
    (user.cwd / "x.tgz").unlink(missing_ok=True)
    assert comparable(by_fork) == comparable(user.script(*args))


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}, {"COLUMNS": "50"}, {"TERM": "dumb"}])
def test_each_run_has_its_own_environment(env: dict[str, str], user: User) -> None:
    args = ("status", "--help")
    plain = user.hzlink(*args)
    assert comparable(user.hzlink(*args, **env)) == comparable(user.script(*args, env=env))
    assert comparable(user.hzlink(*args)) == comparable(plain)


def test_run_that_exceeds_its_limit_is_killed(user: User, serve: Callable[[FakeApi], FakeApi]) -> None:
    core, edge = serve(FakeApi(silent)), serve(FakeApi(silent))
    user.has_contexts(core=core.url, edge=edge.url)
    with pytest.raises(subprocess.TimeoutExpired):
        forked.run(["status", *SITES], user.env, user.cwd, 0.2)
    assert user.hzlink("--version").code == 0
