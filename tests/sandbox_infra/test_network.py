"""The addresses that pods get on loopback."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.network import loopback
from sandbox.network.loopback import LoopbackNetwork


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> LoopbackNetwork:
    """A network of block 77 that writes no files."""
    monkeypatch.setattr(loopback, "write_json", lambda path, content: None)
    nowhere: Any = SimpleNamespace(endpoints=None)
    block: Any = SimpleNamespace(number=77, prefix="127.77")
    return LoopbackNetwork(nowhere, block)


def test_every_pod_has_an_address_that_java_can_bind(addresses: LoopbackNetwork) -> None:
    given = [addresses.allocate() for _ in range(128 * 254)]
    assert len(set(given)) == len(given), "none comes twice before all were had"
    assert (given[0], addresses.allocate()) == (("127.77.0.1", "10.77.0.1"), given[0])
    for address, pod_ip in given:
        _, block, high, low = map(int, address.split("."))
        assert pod_ip == f"10.{block}.{high}.{low}"
        assert (block, high < 128, 0 < low < 255) == (77, True, True)
