"""The faults that tests can set: a table in the sandbox's `faults.json`, read again when it changes.

A value applies everywhere, or is a table by location: `{"lb": {"cluster": false}, "link": {"client/hz2": "never"}}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sandbox.layout import FileStamp, file_stamp, write_json

FILE = "faults.json"

KNOWN: Final[dict[str, str]] = {
    "lb": "false: load balancers give no address and remove those they gave",
    "lb_slow": "seconds: load balancers give an address so long after their Service was created",
    "lb_name": "seconds: load balancers get host names, which resolve so long after the first look-up",
    "lb_answer": "seconds: the grant server's address answers so long after it was first tried",
    "lb_address": "any value: another one gives load balancers other addresses",
    "grant_server": "false: only the grant server gets no address; for a namespace: only for its grants",
    "clock": "seconds that the controller's clock is ahead: tokens expire",
    "redeem": "refused: 403 for any code. unreachable: no URL answers. error: always 500",
    "link_delete": "redeem: deleting a Link whose token is still there redeems the token again",
    "link": "never: Links do not connect. down: connected Links are cut",
    "site": "never-ready: router pods are not ready",
    "listener": "pending: says No matching connectors while traffic flows (skupper issue 2428)",
    "pod_services": "missing: not made. stale: never removed (skupper issue 2251)",
    "records": "names of members of which the Site's record is lost, until its router's pod is restarted",
    "certificate": "outdated: the router has an outdated certificate, until its pod is restarted",
    "network": "stale: Sites that are gone stay in the network status (skupper issue 2069)",
    "controller": "stopped: handles nothing; routers and load balancers continue",
}
"""Every fault with its values."""


@dataclass(frozen=True)
class Faults:
    """The faults that are set."""

    table: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str, cluster: str, namespace: str = "") -> Any:
        """The fault's value at a location, by the most specific entry; None when it is not set there."""
        value = self.table.get(name)
        if not isinstance(value, dict):
            return value
        for place in (f"{cluster}/{namespace}", cluster, "*"):
            if place in value:
                return value[place]
        return None

    def exact(self, name: str, cluster: str, namespace: str) -> Any:
        """The fault's value for exactly this namespace, or None."""
        value = self.table.get(name)
        return value.get(f"{cluster}/{namespace}") if isinstance(value, dict) else None

    def off(self, name: str, cluster: str, namespace: str = "") -> bool:
        """Whether a switch is set to false."""
        return self.get(name, cluster, namespace) is False

    def clock(self, cluster: str, namespace: str = "") -> float:
        """Seconds that the clock is ahead."""
        return float(self.get("clock", cluster, namespace) or 0.0)


class FaultsFile:
    """The faults file, read again when it has changed."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE
        self._seen: FileStamp = None
        self.current = Faults()

    def refresh(self) -> bool:
        """Whether the faults changed since the last call."""
        stamp = file_stamp(self._path)
        if stamp == self._seen:
            return False
        self._seen = stamp
        before, self.current = self.current, read(self._path.parent)
        return before != self.current


def read(state: Path) -> Faults:
    """The faults of a sandbox. ValueError for unknown ones."""
    try:
        table = json.loads((state / FILE).read_text())
    except FileNotFoundError:
        return Faults()
    unknown = sorted(set(table) - set(KNOWN))
    if unknown:
        raise ValueError(f"unknown faults {', '.join(unknown)}; there are {', '.join(KNOWN)}")
    return Faults(table)


def set_fault(state: Path, name: str, value: Any) -> None:
    """Sets one fault (None removes it). ValueError for an unknown one."""
    if name not in KNOWN:
        raise ValueError(f"unknown fault {name!r}; there are {', '.join(KNOWN)}")
    table = {**read(state).table, name: value}
    write_json(state / FILE, {key: kept for key, kept in table.items() if kept is not None})


def clear(state: Path) -> None:
    """Removes all faults."""
    write_json(state / FILE, {})


@contextmanager
def fault(state: Path, name: str, value: Any) -> Iterator[None]:
    """Sets one fault while the block runs, then restores the previous value."""
    before = read(state).table.get(name)
    set_fault(state, name, value)
    try:
        yield
    finally:
        set_fault(state, name, before)
