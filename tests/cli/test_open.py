"""`hzlink open`: prints the address, forwards the port, and ends with ^C."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli import golden_files
from tests.cli.fake_api import FakeApi
from tests.cli.program import User
from tests.forked import Started
from tests.process.programs import gone, pid_in
from tests.unit.builders import offer

SITES = ("--client-ctx", "edge", "--cluster-ctx", "core")
OPEN = ("open", "mancenter", *SITES)
FORWARDING = "echo 'Forwarding from 127.0.0.1:43121 -> 8080'; exec sleep 60"


@pytest.fixture
def ready(user: User) -> User:
    """A user with two contexts; the tests replace kubectl."""
    user.has_contexts(edge="http://127.0.0.1:1", core="http://127.0.0.1:2")
    return user


def kubectl(user: User, *, there: str = "hazelcast-mancenter", then: str = FORWARDING) -> Path:
    """Installs a kubectl with one Service that runs `then` for port-forward. Returns the path of its pid file."""
    service = json.dumps({"kind": "Service", "metadata": {"name": there}})
    path = user.folder / "bin" / "kubectl"
    path.unlink()
    path.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *port-forward*) echo $$ > {user.folder}/pid; echo "$*" > {user.folder}/args; '
        f"PATH=/usr/bin:/bin; "
        f"{then};;\n*services/{there}*) echo '{service}';; esac\n"
    )
    path.chmod(0o755)
    return user.folder / "pid"


def started(user: User, *args: str) -> tuple[Started, str]:
    """hzlink, and the first line that it printed."""
    running = user.start("open", *args, *SITES)
    assert running.stdout is not None
    return running, running.stdout.readline()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_open_runs_until_a_signal(ready: User, number: signal.Signals) -> None:
    pid = kubectl(ready)
    running, line = started(ready, "mancenter")
    assert line == "http://127.0.0.1:43121\n"
    assert running.poll() is None

    running.send_signal(number)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (0, "")
    assert "Management Center of edge" in err
    assert "error" not in err
    assert gone(pid_in(pid))


def test_output_of_a_closed_forward(ready: User) -> None:
    kubectl(ready, then="echo 'Forwarding from 127.0.0.1:43121 -> 8080'; sleep 0.3; echo 'lost connection' >&2; exit 1")
    golden_files.check_variants(
        "open/closed", lambda columns, colour: ready.rendered(*OPEN, columns=columns, colour=colour)
    )


def test_console_is_opened_where_it_is_installed(ready: User) -> None:
    kubectl(ready, there="skupper-network-observer")
    running, line = started(ready, "console", "--port", "8443")
    assert line == "https://127.0.0.1:43121\n"
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=30)
    assert (ready.folder / "args").read_text().split()[-2:] == ["service/skupper-network-observer", "8443:443"]


def test_open_document(ready: User) -> None:
    kubectl(ready, then="echo 'Forwarding from 127.0.0.1:43121 -> 8080'; sleep 1; echo 'lost connection' >&2; exit 1")
    ended = ready.hzlink("open", "mancenter", *SITES, "-o", "json")
    assert ended.code == 1
    assert ended.document["opened"] == {"app": "mancenter", "site": "edge", "address": "http://127.0.0.1:43121"}


def test_forward_closed_by_the_cluster_is_an_error(ready: User) -> None:
    kubectl(ready, then="echo 'Forwarding from 127.0.0.1:43121 -> 8080'; sleep 0.3; echo 'lost connection' >&2; exit 1")
    ended = ready.hzlink("open", "mancenter", *SITES)
    assert ended.code == 1
    assert ended.out == "http://127.0.0.1:43121\n"
    assert "edge: the port-forward to Management Center was closed by the cluster" in ended.err
    assert "lost connection" in ended.err
    assert "next: hzlink open mancenter --client-ctx edge --cluster-ctx core" in ended.err


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("console",), 3, "network observer"),
        (("mancenter", "--site", "west"), 2, "there is no site 'west'"),
        (("mancenter",), 1, "there is no Service hazelcast-mancenter at edge"),
        (("grafana",), 2, "grafana"),
    ],
)
def test_app_that_cannot_be_opened_is_an_error(ready: User, args: tuple[str, ...], code: int, said: str) -> None:
    kubectl(ready, there="another")
    ended = ready.hzlink("open", *args, *SITES)
    assert ended.code == code
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_mancenter_that_was_left_out_is_told_with_how_to_add_it(ready: User) -> None:
    kubectl(ready, there="another")
    ended = ready.hzlink("open", "mancenter", *SITES, HZLINK_MANCENTER="false")
    assert ended.code == 1
    assert "Management Center is left out of this topology (--no-mancenter)" in ended.err
    assert "next: hzlink up --mancenter --client-ctx edge --cluster-ctx core   (adds it)" in ended.err


def test_mancenter_that_a_single_connection_leaves_out_is_explained(
    user: User, serve: Callable[[FakeApi], FakeApi]
) -> None:
    """With --mode auto, the default: the Listener says how the clients connect."""
    listener = offer("Listener", by_name=False)
    edge, core = serve(FakeApi(items=[listener])), serve(FakeApi(items=[]))
    user.has_contexts(edge=edge.url, core=core.url)
    ended = user.hzlink("open", "mancenter", *SITES)
    assert ended.code == 1
    assert "the clients use a single connection (--mode auto)" in ended.err
    assert "next: hzlink check" in ended.err
    assert "hzlink member-config" in ended.err


def test_missing_right_to_forward_is_named(ready: User) -> None:
    kubectl(ready, then="echo 'error: pods is forbidden: User cannot create pods/portforward' >&2; exit 1")
    ended = ready.hzlink("open", "mancenter", *SITES)
    assert ended.code == 3
    assert "you may not forward a port to service/hazelcast-mancenter" in ended.err


def test_verify_and_bench_need_the_hazelcast_client(ready: User, tmp_path: Path) -> None:
    kubectl(ready)
    hidden = tmp_path / "hidden" / "hazelcast"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError(\"No module named 'hazelcast'\")\n")
    for command in (("verify",), ("bench",), ("up", "--verify")):
        ended = ready.hzlink(*command, *SITES, PYTHONPATH=str(hidden.parent))
        assert ended.code == 3
        assert "the Hazelcast client for Python is not installed" in ended.err
        assert "pip install 'hazelcast-python-client" in ended.err
