"""Skupper networks made by hand, as people make them without hzlink."""

from __future__ import annotations

import json
from typing import Any

from tests.sandboxed import Sandbox, until

API = "skupper.io/v2alpha1"
# The objects of Skupper that people make, which hzlink must not change if it did not make them.
THEIRS = "sites.skupper.io,links.skupper.io,listeners.skupper.io,connectors.skupper.io"


class Namespace:
    """One namespace of the sandbox, with kubectl."""

    def __init__(self, sandbox: Sandbox, context: str, name: str) -> None:
        self.context, self.name = context, name
        self._sandbox = sandbox

    def kubectl(self, *args: str, stdin: str | None = None) -> str:
        """Runs kubectl in this namespace; returns its output."""
        return self._sandbox.kubectl(self.context, "-n", self.name, *args, stdin=stdin)

    def create(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        """Creates an object of Skupper."""
        made = {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": spec}
        self.kubectl("create", "-f", "-", stdin=json.dumps(made))

    def site(self, name: str, access: str = "") -> None:
        """Creates a Site, without waiting for it."""
        self.create("Site", name, {"linkAccess": access} if access else {})

    def ready(self, what: str) -> None:
        """Waits until an object (`site.skupper.io/hub`) is Ready."""
        self.kubectl("wait", "--for=condition=Ready", what, "--timeout=90s")

    def objects(self, kinds: str = THEIRS) -> dict[str, dict[str, Any]]:
        """The namespace's objects of these kinds, by `Kind/name`."""
        return self._sandbox.objects(self.context, self.name, kinds)

    def seen(self) -> dict[str, tuple[str, Any, Any]]:
        """What people made of the objects: their UIDs, specs, labels and annotations."""
        return {
            name: (item["metadata"]["uid"], item["spec"], _marks(item["metadata"]))
            for name, item in self.objects().items()
        }


def _marks(metadata: dict[str, Any]) -> tuple[Any, Any]:
    return metadata.get("labels"), metadata.get("annotations")


def link(redeemer: Namespace, issuer: Namespace, name: str) -> None:
    """Links with an AccessGrant and an AccessToken, without waiting until the Link is Ready."""
    issuer.create("AccessGrant", name, {})
    issuer.ready(f"accessgrant.skupper.io/{name}")
    status = issuer.objects("accessgrants.skupper.io")[f"AccessGrant/{name}"]["status"]
    redeemer.create("AccessToken", name, {key: status[key] for key in ("url", "code", "ca")})
    until(lambda: f"Link/{name}" in redeemer.objects("links.skupper.io"))
