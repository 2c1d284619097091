"""Run as a script: HOSTS SCRIPT [ARG...]. Becomes SCRIPT (or a zip with one), which connects to names as its pod does.

A program of its own because it is started without this environment's packages, as a container would be.
"""

from __future__ import annotations

import runpy
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def use_names(hosts: Path) -> None:
    """From now on sockets in this process connect to the names of that file, and to no other."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from sandbox.network.names import address_of

    sys.path.pop(0)
    patched: Any = socket.socket

    def by_name(real: Callable[..., Any]) -> Callable[..., Any]:
        def connect(self: socket.socket, address: Any) -> Any:
            if self.family != socket.AF_INET:
                return real(self, address)
            host, port = address
            found = address_of(hosts, host)
            if found is None:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return real(self, (found, port))

        return connect

    patched.connect = by_name(patched.connect)
    patched.connect_ex = by_name(patched.connect_ex)


if __name__ == "__main__":
    use_names(Path(sys.argv[1]))
    sys.argv = sys.argv[2:]
    runpy.run_path(sys.argv[0], run_name="__main__")
