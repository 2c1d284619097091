"""Sites, bindings and tokens for one test, in its own namespace on both API servers."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.api import kinds as core
from sandbox.api.kinds import Obj, Resource
from sandbox.skupper.controller import kinds
from tests.sandboxed import Sandbox, until

SECONDS = 60.0
"""The timeout of any wait; long, because the machine may be busy."""
COLLECTED = 120.0
"""The timeout for the garbage collector, which discovers new kinds only each half minute."""


@dataclass
class Topology:
    """One namespace `name` on `client` and on `cluster`. The cluster site is `c01`, the client site `c02`."""

    sandbox: Sandbox
    name: str
    folder: Path
    _last: int = field(default=0)

    # Reads

    def get(self, server: str, resource: Resource, name: str) -> Obj | None:
        """An object, or None."""
        return self.sandbox.kube(server).get(resource, self.name, name)

    def list(self, server: str, resource: Resource) -> list[Obj]:
        """All objects of a kind."""
        return self.sandbox.kube(server).list(resource, self.name)

    def state(self, server: str, resource: Resource, name: str) -> tuple[str, str]:
        """status.status and status.message; both empty while there is no status."""
        status = (self.get(server, resource, name) or {}).get("status", {})
        return status.get("status", ""), status.get("message", "")

    def wait_for(self, server: str, resource: Resource, name: str, *state: str, seconds: float = SECONDS) -> None:
        """Waits until the object is in that state (status, and message if given)."""

        def reached() -> bool:
            return self.state(server, resource, name)[: len(state)] == state

        until(reached, seconds)

    def services(self, server: str) -> set[str]:
        """The names of the namespace's Services."""
        return {service["metadata"]["name"] for service in self.list(server, core.SERVICES)}

    # Writes

    def make(self, server: str, resource: Resource, name: str, **spec: Any) -> Obj:
        """Creates an object with that spec."""
        return self.sandbox.kube(server).create(
            resource, {"metadata": {"name": name, "namespace": self.name}, "spec": spec}
        )

    def delete(self, server: str, resource: Resource, name: str) -> None:
        """Deletes an object."""
        assert self.sandbox.kube(server).delete(resource, self.name, name)

    def site(self, server: str, name: str, access: str = "", seconds: float = SECONDS) -> Obj:
        """Creates a Site and waits until it is ready."""
        site = self.make(server, kinds.SITES, name, **({"linkAccess": access} if access else {}))
        self.wait_for(server, kinds.SITES, name, "Ready", "OK", seconds=seconds)
        return site

    def sites(self) -> None:
        """Creates both Sites, the cluster site with link access, and waits until they are ready."""
        self.make("cluster", kinds.SITES, "c01", linkAccess="default")
        self.make("client", kinds.SITES, "c02")
        self.wait_for("cluster", kinds.SITES, "c01", "Ready", "OK")
        self.wait_for("client", kinds.SITES, "c02", "Ready", "OK")

    def bindings(self, members: int = 3) -> None:
        """Creates the Connector with its members' pods, and the Listener."""
        self.make(
            "cluster",
            kinds.CONNECTORS,
            "hazelcast",
            routingKey="hazelcast",
            port=5701,
            selector="app=hazelcast",
            exposePodsByName=True,
        )
        self.make(
            "client",
            kinds.LISTENERS,
            "hazelcast",
            routingKey="hazelcast",
            host="hazelcast",
            port=5701,
            exposePodsByName=True,
        )
        self.members(members)

    def members(self, replicas: int) -> None:
        """Creates a StatefulSet with pods `hazelcast-0` and so on."""
        labels = {"app": "hazelcast"}
        container = {"name": "hazelcast", "image": "none", "ports": [{"containerPort": 5701}]}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        self.make(
            "cluster",
            core.STATEFUL_SETS,
            "hazelcast",
            replicas=replicas,
            serviceName="hazelcast",
            podManagementPolicy="Parallel",
            selector={"matchLabels": labels},
            template=template,
        )

    def grant(self, server: str = "cluster", **spec: Any) -> Obj:
        """Creates an AccessGrant and waits until it is ready."""
        self._last += 1
        name = f"grant-{self._last}"
        self.make(server, kinds.GRANTS, name, **spec)
        self.wait_for(server, kinds.GRANTS, name, "Ready", "OK")
        return self.get(server, kinds.GRANTS, name) or {}

    def token(self, grant: Obj, name: str = "", server: str = "client", **changes: str) -> str:
        """Creates an AccessToken for that grant; its name."""
        name = name or grant["metadata"]["name"]
        spec = {key: grant["status"][key] for key in ("url", "code", "ca")} | changes
        self.make(server, kinds.TOKENS, name, **spec)
        return name

    def wake(self, name: str, server: str = "client") -> None:
        """Annotates a Link, so that it is configured at once."""
        until(lambda: self.get(server, kinds.LINKS, name), SECONDS)
        note = {"metadata": {"annotations": {"woken": "yes"}}}
        self.sandbox.kube(server).patch(kinds.LINKS, self.name, name, note)

    def link(self, **grant: Any) -> str:
        """Links the client site to the cluster site and waits until the Link is ready; its name."""
        name = self.token(self.grant(**grant))
        self.wake(name)
        self.wait_for("client", kinds.LINKS, name, "Ready", "OK")
        return name

    # The command

    def skupper(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs the stand-in's `skupper` in the test's own folder."""
        return subprocess.run(
            [str(self.sandbox.bin / "skupper"), *arguments],
            env={**self.sandbox.env, **env},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def on(self, server: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """The same in this topology's namespace."""
        return self.skupper("-c", server, "-n", self.name, *arguments, **env)

    def fault(self, **table: Any) -> None:
        """Sets faults, for this namespace only unless the value is a table."""
        faults = {
            name: value
            if isinstance(value, dict)
            else {f"{where}/{self.name}": value for where in ("client", "cluster")}
            for name, value in table.items()
        }
        self.sandbox.set_faults(faults)

    def relay(self, service: str, server: str = "client") -> tuple[str, int] | None:
        """The address of a Service's relay."""
        path = self.sandbox.state / "services.json"
        entry = json.loads(path.read_text()).get(f"{server}/{self.name}/{service}")
        return (entry["ip"], entry["port"]) if entry else None
