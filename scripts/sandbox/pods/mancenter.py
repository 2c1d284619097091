"""Replaces Management Center: a real Hazelcast client as a pod's process.

As the real one it reads its cluster from a client configuration file, is called "MC-Client-<cluster name>", answers on
ports 8080 and 8081, and, if it finds no member at its start, runs without a cluster until it is restarted. Its log and,
as JSON, port 8080 show which members it sees.
"""

from __future__ import annotations

import argparse
import http.server
import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml
from hazelcast.client import HazelcastClient

from sandbox.network.names import use_names

_UPDATE_SECONDS = 2.0
_log = logging.getLogger("mancenter")


@dataclass(frozen=True)
class ClusterConfig:
    """The part of a client configuration file that is used here."""

    name: str
    addresses: Sequence[str]
    smart: bool


@dataclass
class View:
    """What port 8080 shows."""

    state: str = "starting"
    cluster: str = ""
    members: list[str] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)
    error: str = ""


def read_config(text: str) -> ClusterConfig:
    """The configuration in YAML, with the root `hazelcast-client`. ValueError when it names no member."""
    root: dict[str, Any] = (yaml.safe_load(text) or {}).get("hazelcast-client") or {}
    network = root.get("network") or {}
    discovery = network.get("kubernetes") or {}
    addresses = [str(a) for a in network.get("cluster-members") or []]
    if discovery.get("enabled") and discovery.get("service-dns"):
        addresses = [f"{discovery['service-dns']}:{discovery.get('service-port', 5701)}"]
    if not addresses:
        raise ValueError("the client configuration has neither cluster-members nor kubernetes.service-dns")
    routing = (network.get("cluster-routing") or {}).get("mode", "ALL_MEMBERS")
    smart = bool(network.get("smart-routing", True)) and routing != "SINGLE_MEMBER"
    return ClusterConfig(str(root.get("cluster-name", "dev")), addresses, smart)


class OneLineFormatter(logging.Formatter):
    """Omits tracebacks: the client logs a long one with every attempt."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 logging's name
        """The exception only."""
        return f"  {ei[1]!r}"


def serve(address: str, port: int, view: View) -> None:
    """Answers every GET with the view, from another thread."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(asdict(view)).encode() + b"\n"
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass  # the probes' requests would fill the log

    server = http.server.ThreadingHTTPServer((address, port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def connect(config: ClusterConfig, give_up_after: float) -> HazelcastClient:
    """A connected client; raises the client's error when it finds no member in time."""
    return HazelcastClient(
        cluster_name=config.name,
        client_name=f"MC-Client-{config.name}",
        cluster_members=list(config.addresses),
        smart_routing=config.smart,
        cluster_connect_timeout=give_up_after,
        retry_initial_backoff=0.5,
        retry_max_backoff=2.0,
    )


def update(client: HazelcastClient, view: View) -> None:
    """Updates `view`."""
    members = sorted(f"{m.address.host}:{m.address.port}" for m in client.cluster_service.get_members())
    # The client's public API does not list its connections, which Management Center shows.
    active = client._connection_manager.active_connections.values()
    connections = sorted(f"{c.remote_address.host}:{c.remote_address.port}" for c in active)
    if (members, connections) != (view.members, view.connections):
        _log.info("%d members %s, connections %s", len(members), members, connections)
    view.members, view.connections = members, connections


def run(config: ClusterConfig, give_up_after: float, view: View) -> None:
    """Connects and updates the view. Raises when it finds no member at the start; later it reconnects for ever."""
    view.cluster, view.state = config.name, "connecting"
    _log.info("connecting to %s %s, giving up after %g s", config.name, list(config.addresses), give_up_after)
    client = connect(config, give_up_after)
    while True:
        view.state = "connected"
        while client.lifecycle_service.is_running():
            update(client, view)
            time.sleep(_UPDATE_SECONDS)
        view.state, view.members, view.connections = "reconnecting", [], []
        _log.info("the cluster is lost; reconnecting")
        client = _reconnect(config)


def _reconnect(config: ClusterConfig) -> HazelcastClient:
    while True:
        try:
            return connect(config, 60.0)
        except Exception as err:  # the next attempt may succeed
            _log.info("no member found: %s", err)
            time.sleep(1.0)


def main() -> None:
    """Runs until it is killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=Path, required=True, help="the pod's names, as in /etc/hosts")
    parser.add_argument("--address", required=True, help="the pod's loopback address")
    parser.add_argument("--config", required=True, help="client configuration, YAML")
    parser.add_argument("--give-up-after", type=float, required=True, metavar="SECONDS")
    options = parser.parse_args()
    handler = logging.StreamHandler()
    handler.setFormatter(OneLineFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    use_names(options.hosts)
    view = View()
    for port in (8080, 8081):
        serve(options.address, port, view)
    try:
        run(read_config(Path(options.config).read_text()), options.give_up_after, view)
    except Exception as err:  # it keeps running, as the real one does
        view.state, view.error = "failed", str(err) or repr(err)
        _log.error("found no cluster; not connected until restarted: %r", err)
    threading.Event().wait()


if __name__ == "__main__":
    main()
