"""Records of members that Skupper has lost: told with whose record lacks whom, and mended when asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest

from hzlink.observe.losses import RECORD_GRACE_SECONDS
from tests.sandbox.conftest import Hzlink
from tests.sandboxed import until


@pytest.mark.parametrize("side", ["client", "cluster"])
def test_lost_record_is_named_and_restored(hzlink: Hzlink, faults: Callable[..., None], side: str) -> None:
    hzlink.up().ok()
    faults(records={f"{side}/{hzlink.namespace}": ["hazelcast-2"]})
    until(partial(_is_nameless, hzlink))
    time.sleep(RECORD_GRACE_SECONDS)

    ran = hzlink("status")
    assert ran.code == 1
    assert f"the network record of {side} does not contain member hazelcast-2" in ran.out
    assert "next: hzlink link --repair" in ran.out

    # Without being asked it interrupts nobody, and does not wait in vain.
    ran = hzlink.up("--timeout", "120")
    assert ran.code == 1
    assert "Skupper has lost the record of hazelcast-2" in ran.err
    assert "link --repair" in ran.err
    assert ran.seconds < 100

    ran = hzlink("link", "--repair").ok()
    assert f"restarting the router of {side}" in ran.err
    assert "its connections are interrupted for about 20 to 30 s" in ran.err
    assert f"the record of hazelcast-2 is restored, by a restart of the router of {side}" in ran.err
    assert hzlink("status").code == 0
    before = hzlink.writes()
    hzlink("link", "--repair").ok()
    assert hzlink.writes() == before


def _is_nameless(hzlink: Hzlink) -> bool:
    return "Service/hazelcast-2" not in hzlink.objects("client", "services")
