"""`hzlink open` and `hzlink bench` on a topology of real members."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from pathlib import Path

from tests.sandbox.conftest import HZLINK, Hzlink
from tests.sandbox.forwarding import forwards, own_maps
from tests.sandboxed import until


def test_open_forwards_management_center(real_hzlink: Hzlink) -> None:
    hzlink = real_hzlink
    hzlink.up().ok()
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    running = subprocess.Popen([HZLINK, "open", "mancenter"], env=hzlink.env, text=True, **streams)  # type: ignore[call-overload]
    try:
        address = running.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        until(lambda: _shown(address).get("members"), 30, step=0.5)
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0
    finally:
        running.kill()
    assert forwards(hzlink.namespace) == []


def _shown(address: str) -> dict[str, object]:
    """The answer of the program that replaces Management Center."""
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - on 127.0.0.1, as asserted
        shown: dict[str, object] = json.load(answer)
    return shown


def test_bench_compares_the_link_with_a_direct_connection(real_hzlink: Hzlink, kubeconfig: Path) -> None:
    hzlink = real_hzlink
    hzlink.up().ok()

    ran = hzlink("bench", "--seconds", "0.5", "-o", "json").ok()

    comparison = ran.document["comparison"]
    assert sorted(comparison["members"]) == ["hazelcast-0", "hazelcast-1", "hazelcast-2"]
    assert [measure["bytes"] for measure in comparison["measures"]] == [100, 1000, 100_000]
    for measure in comparison["measures"]:
        assert measure["link"]["n"] > 10
        assert measure["direct"]["n"] > 10
        assert measure["rateRatio"] > 0
        assert measure["link"]["p50Ms"] > 0
    assert hzlink("bench", "--seconds", "0.1", "-o", "svg").ok().out.startswith("<svg ")
    assert forwards(hzlink.namespace) == []
    assert own_maps(hzlink) == []
